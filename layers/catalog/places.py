"""The places layer: named places and points of interest."""

from sqlalchemy import Integer, cast, or_, type_coerce
from sqlalchemy.types import NullType

from layers.catalog.city import Name
from layers.catalog.layer import Field, Layer, Look, Zoom
from layers.schema.tables import place

PLACES = Layer(
    id="places",
    title=Name(zh="地点", en="Places"),
    description="Named places and points of interest; where a name is missing in one language, show the other.",
    rows=place,
    key=place.c.place_id,
    geometry=type_coerce(place.c.geom, NullType()),
    shape="point",
    fields=(
        Field("kind", "kind of place, as its source says it", place.c.kind),
        Field("name_zh", "name in Chinese, where there is one", place.c.name_zh),
        Field("name_en", "name in English, where there is one", place.c.name_en),
        Field("source", "where it came from", place.c.source, from_zoom=14),
    ),
    zoom=Zoom(8, 18),
    look=Look("#bccadb"),
    rank=cast(or_(place.c.name_zh.is_not(None), place.c.name_en.is_not(None)), Integer),  # what has a name
)
