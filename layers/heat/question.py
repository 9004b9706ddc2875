"""What is asked of a heat layer."""

from dataclasses import dataclass
from typing import Literal

from layers.catalog.city import City
from layers.core.audience import SENSITIVE_RES, Audience
from layers.core.errors import BadValue, UnknownLayer
from layers.core.span import Span
from layers.geo.bbox import Bbox

Weight = Literal["count", "severity"]


@dataclass(frozen=True)
class Question:
    """Incidents per H3 cell at `res` in `span`, of one heat layer.

    zone_bit : place of the zone type in the incidents' mask; none for the layer `all`.
    categories : codes counted; none means all.
    bbox : only cells that touch it.  area_id : only incidents tagged with the area or one below it.
    with_sensitive : sensitive categories are counted too.
    """

    layer: str
    zone_bit: int | None
    span: Span
    res: int
    weight: Weight = "count"
    categories: tuple[str, ...] | None = None
    bbox: Bbox | None = None
    area_id: int | None = None
    with_sensitive: bool = False


def zone_bit(layer: str, city: City) -> int | None:
    """Place of the heat layer's zone type in the mask; none for `all`.

    Raises
    ------
    UnknownLayer : neither `all` nor a zone type of the city.
    """
    if layer == "all":
        return None
    codes = [zone.code for zone in city.zone_types]
    if layer not in codes:
        raise UnknownLayer(f"there is no heat layer '{layer[:40]}'", layer=layer[:40])
    return codes.index(layer)


def check_categories(text: str | None, city: City) -> tuple[str, ...] | None:
    """Read a comma-separated list of category codes.

    Raises
    ------
    BadValue : one of them is not the city's.
    """
    if text is None:
        return None
    codes = tuple(dict.fromkeys(text.split(",")))
    known = {category.code for category in city.categories}
    for code in codes:
        if code not in known:
            raise BadValue(f"category: the city has no '{code[:40]}'", parameter="category")
    return codes


def check_resolution(res: int, city: City) -> int:
    """A resolution of the heat layers.

    Raises
    ------
    BadValue : negative, or finer than the city's base resolution.
    """
    if not 0 <= res <= city.base_resolution:
        raise BadValue(f"res: {res} is not between 0 and {city.base_resolution}", parameter="res")
    return res


def counts_sensitive(res: int, audience: Audience) -> bool:
    """Whether sensitive categories count at `res`: they are left out where cells are too fine to hide in.

    The layer `all` leaves them out as well, or it minus the others would give them away.
    """
    return res <= SENSITIVE_RES or audience.policy.sensitive_points
