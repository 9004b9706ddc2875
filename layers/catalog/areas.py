"""The areas layer: the city's tree of areas as it holds at a time."""

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.schema.tables import area, area_version, level

_PARENT = area.alias("parent")

AREAS = Layer(
    id="areas",
    title=Name(zh="区域", en="Areas"),
    description="The city's own tree of areas, each with the outline valid at the time asked for.",
    rows=area_version.join(area, area.c.area_id == area_version.c.area_id)
    .join(level, level.c.rank == area.c.level_rank)
    .outerjoin(_PARENT, _PARENT.c.area_id == area_version.c.parent_id),
    key=area.c.area_id,
    geometry=type_coerce(area_version.c.geom, NullType()),
    shape="polygon",
    valid=area_version.c.valid,
    level_rank=area.c.level_rank,
    fields=(
        Field("code", "code within the city", area.c.code),
        Field(
            "official_code", "code of the official scheme, where there is one", area.c.official_code, from_zoom=12
        ),
        Field("level", "level in the city's tree", level.c.code.label("level")),
        Field("name_zh", "name in Chinese", area.c.name_zh),
        Field("name_en", "name in English", area.c.name_en),
        Field("parent", "code of the area above", _PARENT.c.code.label("parent"), from_zoom=12),
    ),
    zoom=Zoom(0, 18),
    look=Look("#5b6e88", by="level"),
    label=True,
)
