"""Features of a layer as one Mapbox vector tile."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select
from sqlalchemy.types import LargeBinary, NullType

from layers.core.statement import Statement
from layers.geo.tiles import Tile
from layers.query.selection import Selection

EXTENT = 4096
BUFFER = 64

MOST_FEATURES = 50_000
"""A tile of more is refused with a hint, never cut silently."""

_WORLD_EDGE_M = 20037508.342789244


def envelope(at: Tile, margin: float = 0.0) -> ColumnElement[Any]:
    """Bounds of the tile in EPSG:3857, widened by `margin` tile widths."""
    edge = _WORLD_EDGE_M
    world = func.ST_MakeEnvelope(-edge, -edge, edge, edge, 3857, type_=NullType())
    return func.ST_TileEnvelope(at.z, at.x, at.y, world, margin, type_=NullType())


def tile(selection: Selection, at: Tile, deepest_level: int | None = None) -> Statement:
    """One row: `body`, the bytes of the tile, and `features`, how many it found.

    The selection's box is not used; the tile is the box. `deepest_level` is the highest rank of area that this
    zoom shows, for a layer that has levels.
    """
    layer = selection.layer
    fields = layer.fields_for(selection.audience)
    shape = selection.geometry()
    found = (
        select(layer.key.label("id"), shape.label("shape"), *(field.column.label(field.name) for field in fields))
        .select_from(layer.rows)
        .where(shape.op("&&")(func.ST_Transform(envelope(at, BUFFER / EXTENT), 4326)), *selection.where())
        .limit(MOST_FEATURES + 1)
    )
    if deepest_level is not None and layer.level_rank is not None:
        found = found.where(layer.level_rank <= deepest_level)
    rows = found.cte("found")
    names = ["id", *(field.name for field in fields)]
    mercator = func.ST_Transform(rows.c.shape, 3857, type_=NullType())

    def drawn(name: str, geometry: ColumnElement[Any], buffer: int) -> ScalarSelect[bytes]:
        geom = func.ST_AsMVTGeom(geometry, envelope(at), EXTENT, buffer, literal(value=True), type_=NullType())
        inner = select(*(rows.c[each] for each in names), geom.label("geom")).subquery()
        mvt = func.ST_AsMVT(inner.table_valued(), name, EXTENT, "geom", "id", type_=LargeBinary)
        return (
            select(func.coalesce(mvt, b"")).select_from(inner).where(inner.c.geom.is_not(None)).scalar_subquery()
        )

    body: ColumnElement[bytes] = drawn(layer.id, mercator, BUFFER)
    if layer.label:
        # One point a feature, and only in the tile that holds it, so that no label stands twice.
        spot = func.ST_PointOnSurface(mercator, type_=NullType())
        body = body.op("||")(drawn(f"{layer.id.removesuffix('s')}_labels", spot, 0))
    count = select(func.count()).select_from(rows).scalar_subquery()
    return Statement.of(select(body.label("body"), count.label("features")))
