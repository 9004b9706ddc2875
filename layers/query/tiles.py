"""Features of a layer as one Mapbox vector tile.

From the zoom `whole` of its layer on, a tile has all of its features as they are. Below it shapes are simplified,
and points that share a square of `SQUARE` units are one: the first by the layer's rank stands for all, with their
number in its property `count`. A tile that draws fewer features than it has says so in a source-layer of its own.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType

from layers.catalog.layer import COUNT, Field
from layers.core.statement import Statement
from layers.geo.tiles import Tile
from layers.query.selection import Selection

EXTENT = 4096
BUFFER = 64

SQUARE = 32
"""Units of the side of a square that shows one point: four pixels, as much as a point far off takes."""

MOST_FEATURES = 50_000
MOST_MERGED = 250_000
"""A tile of more features, or of more points that merge, is refused with a hint, never cut silently."""

SUMMARY = "summary"
"""Source-layer of one point: `features`, how many the tile has, and `drawn`, how many stand for them."""

Fields = tuple[Field, ...]
Made = Select[bytes, int, int, bool]


def tile(
    selection: Selection, at: Tile, deepest_level: int | None = None, chosen: Collection[str] | None = None
) -> Statement:
    """One row: `body`, the bytes of the tile, `features`, how many it has, `drawn` of them, and `too_many`.

    The selection's box is not used; the tile is the box. `deepest_level` is the highest rank of area that this
    zoom shows, for a layer that has levels. `chosen` names the properties, in place of those of the zoom.

    A point belongs to the one tile that holds it; a shape to each tile that it touches, with a margin.

    Raises
    ------
    BadValue : a chosen property that is not there.
    """
    fields = selection.layer.tile_fields(selection.audience, at.z, chosen)
    if selection.layer.shape == "point":
        made = _points(selection, at, fields).cte("made")
    else:
        made = _shapes(selection, at, fields, deepest_level).cte("made")
    middle = func.ST_MakePoint(EXTENT / 2, EXTENT / 2, type_=NullType())
    told = select(made.c.features, made.c.drawn, middle.label("geom")).where(made.c.drawn < made.c.features)
    summary = select(_mvt(told.subquery("told"), SUMMARY)).scalar_subquery()
    return Statement.of(
        select(made.c.body.op("||")(summary).label("body"), made.c.features, made.c.drawn, made.c.too_many)
    )


def _points(selection: Selection, at: Tile, fields: Fields) -> Made:
    layer, shape = selection.layer, selection.geometry()
    x, y = _units(shape, at)
    ranks = [column.label(f"_rank_{number}") for number, column in enumerate(layer.rank)]
    whole = at.z >= layer.zoom.whole
    most = MOST_FEATURES if whole else MOST_MERGED
    near = (
        select(layer.key.label("id"), x, y, *map(_property, fields), *([] if whole else ranks))
        .select_from(layer.rows)
        .where(_near(shape, at, 1), *selection.where())
        .offset(0)  # a fence, or each place would be worked out once for each time that it is named
        .subquery("near")
    )
    found = select(near).where(_inside(near)).limit(most + 1).subquery("found")
    if whole:
        drawn = select(*_carried(found, fields), _spot(found)).subquery("drawn")
        features: ColumnElement[int] = func.count()
    else:
        # One number a square, as a sort by one is faster than by two.
        square = found.c["_x"] // SQUARE * (EXTENT // SQUARE) + found.c["_y"] // SQUARE
        order = [*(found.c[rank.name].desc() for rank in ranks), found.c.id]
        ranked = select(
            found,
            func.row_number().over(partition_by=square, order_by=order).label("_turn"),
            func.count().over(partition_by=square).label(COUNT),
        ).subquery("ranked")
        first = select(*_carried(ranked, fields), ranked.c[COUNT], _spot(ranked)).where(ranked.c["_turn"] == 1)
        drawn = first.subquery("drawn")
        features = cast(func.coalesce(func.sum(drawn.c[COUNT]), 0), BigInteger)
    return select(
        _mvt(drawn, layer.id, "id").label("body"),
        features.label("features"),
        func.count().label("drawn"),
        (features > most).label("too_many"),
    ).select_from(drawn)


def _shapes(selection: Selection, at: Tile, fields: Fields, deepest_level: int | None) -> Made:
    layer, shape = selection.layer, selection.geometry()
    outline = shape
    if at.z < layer.zoom.whole:
        # By one unit, so that neighbours do not part by more than can be seen.
        outline = func.ST_Simplify(shape, 360 / (EXTENT << at.z), literal(value=True), type_=NullType())
    mercator = func.ST_Transform(outline, 3857, type_=NullType())
    frame = func.ST_TileEnvelope(at.z, at.x, at.y, type_=NullType())
    clipped = func.ST_AsMVTGeom(mercator, frame, EXTENT, BUFFER, literal(value=True), type_=NullType())
    found = (
        select(layer.key.label("id"), *map(_property, fields), shape.label("_shape"), clipped.label("geom"))
        .select_from(layer.rows)
        .where(_near(shape, at, BUFFER), *selection.where())
        .limit(MOST_FEATURES + 1)
    )
    if deepest_level is not None and layer.level_rank is not None:
        found = found.where(layer.level_rank <= deepest_level)
    rows = found.cte("found")  # is named several times, and so worked out once
    drawn = select(*_carried(rows, fields), rows.c.geom).where(rows.c.geom.is_not(None)).subquery("drawn")
    body: ColumnElement[bytes] = select(_mvt(drawn, layer.id, "id")).scalar_subquery()
    if layer.label:
        body = body.op("||")(select(_labels(rows, at, fields, layer.label_id)).scalar_subquery())
    # What is too small for the units of this zoom is in the tile all the same.
    touching = or_(rows.c.geom.is_not(None), func.ST_Intersects(rows.c["_shape"], _box(at, 0)))
    return select(
        body.label("body"),
        func.count().filter(touching).label("features"),
        func.count(rows.c.geom).label("drawn"),
        (func.count() > MOST_FEATURES).label("too_many"),
    ).select_from(rows)


def _labels(rows: FromClause, at: Tile, fields: Fields, name: str) -> ColumnElement[bytes]:
    """One point a feature, and only in the tile that holds it, so that no label stands twice."""
    x, y = _units(func.ST_PointOnSurface(rows.c["_shape"], type_=NullType()), at)
    spots = select(*_carried(rows, fields), x, y).where(rows.c.geom.is_not(None)).offset(0).subquery("spots")
    return _mvt(
        select(*_carried(spots, fields), _spot(spots)).where(_inside(spots)).subquery("labels"), name, "id"
    )


def _mvt(rows: Subquery, name: str, key: str | None = None) -> ColumnElement[bytes]:
    """The rows as one source-layer; no bytes where there are none."""
    named = [name, EXTENT, "geom"] if key is None else [name, EXTENT, "geom", key]
    return func.coalesce(func.ST_AsMVT(rows.table_valued(), *named, type_=LargeBinary), b"", type_=LargeBinary)


def _property(field: Field) -> ColumnElement[Any]:
    """The column of a field; a document stays one property, which PostGIS would take apart."""
    column = field.column
    return (cast(column, Text) if isinstance(column.type, JSONB) else column).label(field.name)


def _carried(rows: FromClause, fields: Fields) -> list[ColumnElement[Any]]:
    return [rows.c.id, *(rows.c[field.name] for field in fields)]


def _box(at: Tile, margin: float) -> ColumnElement[Any]:
    """Bounds of the tile, widened by `margin` units."""
    box = at.widened(margin / EXTENT)
    return func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326, type_=NullType())


def _near(shape: ColumnElement[Any], at: Tile, margin: float) -> ColumnElement[bool]:
    """Whether the box of a shape touches the tile; an index answers it."""
    return shape.op("&&", is_comparison=True)(_box(at, margin))


def _units(spot: ColumnElement[Any], at: Tile) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Column and row of a point as counted from the tile's corner: `_x`, `_y`.

    Plain arithmetic takes half the time of transforming and clipping, and gives a point on an edge to one tile.
    """
    side = float(EXTENT << at.z)
    across = (func.ST_X(spot, type_=Double) + 180.0) / 360.0
    down = (1.0 - func.asinh(func.tan(func.radians(func.ST_Y(spot))), type_=Double) / func.pi(type_=Double)) / 2.0
    return (
        cast(func.floor(across * side) - float(at.x * EXTENT), Integer).label("_x"),
        cast(func.floor(down * side) - float(at.y * EXTENT), Integer).label("_y"),
    )


def _inside(rows: FromClause) -> ColumnElement[bool]:
    return and_(rows.c["_x"].between(0, EXTENT - 1), rows.c["_y"].between(0, EXTENT - 1))


def _spot(rows: FromClause) -> ColumnElement[Any]:
    return func.ST_MakePoint(rows.c["_x"], rows.c["_y"], type_=NullType()).label("geom")
