"""All layers, by id; what is not here is not served."""

from layers.catalog.areas import AREAS
from layers.catalog.cases import CASES
from layers.catalog.findings import FINDINGS
from layers.catalog.incidents import INCIDENTS
from layers.catalog.layer import Layer
from layers.catalog.places import PLACES
from layers.catalog.resources import RESOURCES
from layers.catalog.risk_areas import RISK_AREAS
from layers.catalog.roads import ROADS
from layers.core.audience import Audience
from layers.core.errors import UnknownLayer

LAYERS = {layer.id: layer for layer in (AREAS, RISK_AREAS, ROADS, PLACES, RESOURCES, INCIDENTS, CASES, FINDINGS)}


def layers_for(audience: Audience) -> list[Layer]:
    """The layers that `audience` may read."""
    return [layer for layer in LAYERS.values() if audience.role >= layer.least]


def layer_for(layer_id: str, audience: Audience) -> Layer:
    """One layer by id.

    Raises
    ------
    UnknownLayer : there is none of that id.
    Forbidden : there is, but not for `audience`.
    """
    layer = LAYERS.get(layer_id)
    if layer is None:
        raise UnknownLayer(f"there is no layer '{layer_id[:40]}'", layer=layer_id[:40])
    layer.check(audience)
    return layer
