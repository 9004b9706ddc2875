"""The risk areas layer: dated places of one zone type each, drawn as far as their influence reaches."""

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.schema.tables import risk_area, risk_area_version

RISK_AREAS = Layer(
    id="risk_areas",
    title=Name(zh="风险区域", en="Risk areas"),
    description="Places of the six key zone types; the outline is the place widened by its influence distance.",
    rows=risk_area_version.join(risk_area, risk_area.c.risk_area_id == risk_area_version.c.risk_area_id),
    key=risk_area.c.risk_area_id,
    geometry=type_coerce(risk_area_version.c.influence, NullType()),
    shape="polygon",
    valid=risk_area_version.c.valid,
    fields=(
        Field("code", "code within the city", risk_area.c.code),
        Field("zone_type", "one of the city's key zone types", risk_area.c.zone_type),
        Field("name_zh", "name in Chinese", risk_area.c.name_zh),
        Field("name_en", "name in English", risk_area.c.name_en),
        Field("influence_m", "how far its influence reaches", risk_area_version.c.influence_m, unit="m"),
        Field("approximate", "the place is known approximately only", risk_area_version.c.approximate),
    ),
    zoom=Zoom(8, 18),
    look=Look("#ffffff", by="zone_type"),
    label=True,
)
