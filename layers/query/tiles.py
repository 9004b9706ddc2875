"""Features of a layer as one Mapbox vector tile.

From the zoom `whole` of its layer on, a tile has all of its features as they are. Below it shapes are simplified,
and points that share a square of `SQUARE` units are one: the first by the layer's rank stands for all, with their
number in its property `count`. A tile that draws fewer features than it has says so in a source-layer of its own.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Label,
    LargeBinary,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType

from layers.catalog.layer import COUNT, KEYS, RANKS, Field, Layer
from layers.core.audience import Audience, Role
from layers.core.statement import Statement
from layers.geo.tiles import Tile
from layers.query.interval import Interval
from layers.query.likely import likely
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

MOST_LEVELS = 32_767
"""Above the rank of any level of areas."""

_KEPT = 512
_SOME = datetime(2000, 1, 1, tzinfo=UTC)

_EDGES = ("west", "south", "east", "north")
_BOX: ColumnElement[Any] = func.ST_MakeEnvelope(
    *(bindparam(name, 0.0, Double) for name in _EDGES), 4326, type_=NullType()
)
"""The tile with its margin."""

_SIDE: ColumnElement[float] = bindparam("side", 1.0, Double)
"""Units around the globe at the zoom of the tile."""

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
    layer, interval = selection.layer, selection.interval
    names = tuple(field.name for field in layer.tile_fields(selection.audience, at.z, chosen))
    ends = None if interval is None else (interval.start is None, interval.end is None)
    asked = _asked(layer, selection.audience.role, names, ends, whole=at.z >= layer.zoom.whole)
    times = interval or Interval(selection.at, selection.at)
    box = at.widened((1 if layer.shape == "point" else BUFFER) / EXTENT)
    given = {
        "now": selection.at,
        "start": times.start,
        "end": times.end,
        "deepest": MOST_LEVELS if deepest_level is None else deepest_level,
        "west": box.west,
        "south": box.south,
        "east": box.east,
        "north": box.north,
        "side": float(EXTENT << at.z),
        "left": float(at.x * EXTENT),
        "top": float(at.y * EXTENT),
        "z": at.z,
        "x": at.x,
        "y": at.y,
    }
    return asked.about(given)


@lru_cache(maxsize=_KEPT)
def _asked(
    layer: Layer,
    role: Role,
    names: tuple[str, ...],
    ends: tuple[bool, bool] | None,
    *,
    whole: bool,
) -> Statement:
    """The question for any tile and time; to write it out takes as long as PostGIS takes to answer it."""
    start, end = (None if is_open else _SOME for is_open in ends or (False, False))
    selection = Selection(layer, Audience(role), _SOME, None if ends is None else Interval(start, end))
    fields = layer.tile_fields(selection.audience, 0, names)
    made = (_points if layer.shape == "point" else _shapes)(selection, fields, whole=whole).cte("made")
    middle = func.ST_MakePoint(EXTENT / 2, EXTENT / 2, type_=NullType())
    told = select(made.c.features, made.c.drawn, middle.label("geom")).where(made.c.drawn < made.c.features)
    summary = select(_mvt(told.subquery("told"), SUMMARY)).scalar_subquery()
    return selection.statement(
        select(made.c.body.op("||")(summary).label("body"), made.c.features, made.c.drawn, made.c.too_many)
    )


def _points(selection: Selection, fields: Fields, *, whole: bool) -> Made:
    layer, shape = selection.layer, selection.geometry()
    x, y = _units(shape)
    rank: ColumnElement[Any] = literal(0) if layer.rank is None else layer.rank
    # Rank and key in one number, whose greatest is found without a sort.
    first = cast(func.least(rank, RANKS - 1), BigInteger) * KEYS + layer.key
    near = (
        select(x, y, *([layer.key.label("id"), *map(_property, fields)] if whole else [first.label("_first")]))
        .select_from(layer.rows)
        .where(shape.op("&&", is_comparison=True)(_BOX), *selection.where())
        .offset(0)  # a fence, or each place would be worked out once for each time that it is named
        .subquery("near")
    )
    most = MOST_FEATURES if whole else MOST_MERGED
    found = select(near).where(likely(_inside(near))).limit(most + 1).subquery("found")
    if whole:
        drawn = select(*_carried(found, fields), _spot(found)).subquery("drawn")
        features: ColumnElement[int] = func.count()
    else:
        square = found.c["_x"] // SQUARE * (EXTENT // SQUARE) + found.c["_y"] // SQUARE
        chosen = (
            select((func.max(found.c["_first"], type_=BigInteger) % KEYS).label("id"), func.count().label(COUNT))
            .group_by(square)
            .order_by(square)  # so that the same points are the same bytes
            .subquery("chosen")
        )
        drawn = (
            select(
                chosen.c.id,
                *map(_property, fields),
                chosen.c[COUNT],
                func.ST_MakePoint(x.element, y.element, type_=NullType()).label("geom"),
            )
            .select_from(chosen.join(layer.rows, layer.key == chosen.c.id))
            .where(*(selection.where() if layer.valid is not None else ()))  # of a key's versions the one found
            .subquery("drawn")
        )
        features = cast(func.coalesce(func.sum(drawn.c[COUNT]), 0), BigInteger)
    return select(
        _mvt(drawn, layer.id, "id").label("body"),
        features.label("features"),
        func.count().label("drawn"),
        (features > most).label("too_many"),
    ).select_from(drawn)


def _shapes(selection: Selection, fields: Fields, *, whole: bool) -> Made:
    layer, shape = selection.layer, selection.geometry()
    outline = shape
    if not whole:
        # By one unit, so that neighbours do not part by more than can be seen.
        outline = func.ST_Simplify(shape, 360.0 / _SIDE, literal(value=True), type_=NullType())
    mercator = func.ST_Transform(outline, 3857, type_=NullType())
    frame = func.ST_TileEnvelope(*(bindparam(name, 0, Integer) for name in "zxy"), type_=NullType())
    clipped = func.ST_AsMVTGeom(mercator, frame, EXTENT, BUFFER, literal(value=True), type_=NullType())
    found = (
        select(layer.key.label("id"), *map(_property, fields), shape.label("_shape"), clipped.label("geom"))
        .select_from(layer.rows)
        .where(shape.op("&&", is_comparison=True)(_BOX), *selection.where())
        .limit(MOST_FEATURES + 1)
    )
    if layer.level_rank is not None:
        found = found.where(layer.level_rank <= bindparam("deepest", 0, Integer))
    rows = found.cte("found")  # is named several times, and so worked out once
    drawn = select(*_carried(rows, fields), rows.c.geom).where(rows.c.geom.is_not(None)).subquery("drawn")
    body: ColumnElement[bytes] = select(_mvt(drawn, layer.id, "id")).scalar_subquery()
    if layer.label:
        body = body.op("||")(select(_labels(rows, fields, layer.label_id)).scalar_subquery())
    # What is too small for the units of this zoom is in the tile all the same.
    touching = or_(rows.c.geom.is_not(None), func.ST_Intersects(rows.c["_shape"], _BOX))
    return select(
        body.label("body"),
        func.count().filter(touching).label("features"),
        func.count(rows.c.geom).label("drawn"),
        (func.count() > MOST_FEATURES).label("too_many"),
    ).select_from(rows)


def _labels(rows: FromClause, fields: Fields, name: str) -> ColumnElement[bytes]:
    """One point a feature, and only in the tile that holds it, so that no label stands twice."""
    x, y = _units(func.ST_PointOnSurface(rows.c["_shape"], type_=NullType()))
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


def _units(spot: ColumnElement[Any]) -> tuple[Label[int], Label[int]]:
    """Column and row of a point as counted from the tile's corner: `_x`, `_y`.

    Plain arithmetic takes half the time of transforming and clipping, and gives a point on an edge to one tile.
    The angle is counted from the south pole, as PostgreSQL refuses the radians of a latitude too near to 0.
    """
    across = (func.ST_X(spot, type_=Double) + 180.0) / 360.0
    half = func.radians(func.ST_Y(spot, type_=Double) + 90.0, type_=Double) / 2.0
    down = (1.0 - func.ln(func.tan(half), type_=Double) / func.pi(type_=Double)) / 2.0
    return (
        cast(func.floor(across * _SIDE) - bindparam("left", 0.0, Double), Integer).label("_x"),
        cast(func.floor(down * _SIDE) - bindparam("top", 0.0, Double), Integer).label("_y"),
    )


def _inside(rows: FromClause) -> ColumnElement[bool]:
    return and_(rows.c["_x"].between(0, EXTENT - 1), rows.c["_y"].between(0, EXTENT - 1))


def _spot(rows: FromClause) -> ColumnElement[Any]:
    return func.ST_MakePoint(rows.c["_x"], rows.c["_y"], type_=NullType()).label("geom")
