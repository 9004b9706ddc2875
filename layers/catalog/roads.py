"""The roads layer: streets as their source draws them."""

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.schema.tables import road

ROADS = Layer(
    id="roads",
    title=Name(zh="道路", en="Roads"),
    description="Streets and ways, each with its class; where a name is missing in one language, show the other.",
    rows=road,
    key=road.c.road_id,
    geometry=type_coerce(road.c.geom, NullType()),
    shape="line",
    fields=(
        Field("class", "class of the road, as its source says it", road.c["class"]),
        Field("name_zh", "name in Chinese, where there is one", road.c.name_zh),
        Field("name_en", "name in English, where there is one", road.c.name_en),
        Field("oneway", "no, forward or backward along the line", road.c.oneway, from_zoom=14),
        Field("layer", "above 0 for a bridge, below 0 for a tunnel", road.c.layer, from_zoom=14),
        Field("source", "where it came from", road.c.source, from_zoom=14),
    ),
    zoom=Zoom(12, 18),
    look=Look("#8fa0b6"),
)
