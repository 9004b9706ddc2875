"""Features of a layer, each a whole GeoJSON feature as text: one of them, or a page.

The database writes the text: a page then costs the server a third of what it would to make a feature of each row,
and there are more processes of the database than of the server.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Boolean, DateTime, NullType, Text

from layers.catalog.layer import Field, Layer
from layers.core.audience import Audience, Role
from layers.core.statement import Statement
from layers.geo.crs import CRS84, Crs
from layers.query.interval import Interval
from layers.query.order import Order, key_of
from layers.query.selection import Selection

MOST_COUNTED = 1_000_000
"""So many features are counted, which takes a tenth of a second; nobody is told how many more there are."""

MOST_MATCHED = 10_000
"""The same where a question leaves some out: counting more than those would take longer than the page itself."""

DECIMALS = CRS84.decimals

_NO_CRS = 0
_BY_KEY = Order()
_KEPT = 512
_SOME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class View:
    """How features are told: in which system, and which of their properties; none means all."""

    crs: Crs = CRS84
    properties: tuple[str, ...] | None = None

    def fields(self, layer: Layer, audience: Audience) -> tuple[Field, ...]:
        """The fields told to `audience`. Raises as `Layer.fields_for` does."""
        return layer.fields_for(audience, self.properties)


_WHOLE = View()


def page(
    selection: Selection, limit: int, after: str | None = None, *, order: Order = _BY_KEY, view: View = _WHOLE
) -> Statement:
    """One page in an order, beginning after the place `after`, as one row: a row each would take twice as long.

    `features` are `returned` JSON objects with commas between, null where there are none. `matched`, for a first
    page, is how many there are in all, null where that is more than are counted. Where a page follows, `last` is
    the key of the last feature, and `_0`, `_1` ... are what it is sorted by; where none follows, `last` is null.
    """
    if selection.bbox is not None or selection.filters or order.by:
        return selection.statement(_page(selection, limit, after, order, view))
    interval = selection.interval
    ends = None if interval is None else (interval.start is None, interval.end is None)
    asked = _asked(selection.layer, selection.audience.role, view, ends, further=after is not None)
    times = interval or Interval(selection.at, selection.at)
    given = {
        "now": selection.at,
        "start": times.start,
        "end": times.end,
        "limit": limit,
        "most": _most(selection),
        "after": None if after is None else key_of(after),
    }
    return asked.about(given)


@lru_cache(maxsize=_KEPT)
def _asked(layer: Layer, role: Role, view: View, ends: tuple[bool, bool] | None, *, further: bool) -> Statement:
    """The question for any time and place; to write it out takes as long as all the rest of an answer."""
    start, end = (None if is_open else _SOME for is_open in ends or (False, False))
    selection = Selection(layer, Audience(role), _SOME, None if ends is None else Interval(start, end))
    return selection.statement(_page(selection, 1, "0" if further else None, _BY_KEY, view))


def _page(selection: Selection, limit: int, after: str | None, order: Order, view: View) -> Select[Any]:
    layer, most = selection.layer, bindparam("limit", limit, Integer)
    names = [f"_{i}" for i in range(len(order.by))]
    sorted_by = (by.what.column.label(name) for name, by in zip(names, order.by, strict=True))
    rows = (
        _told(selection, view, *sorted_by)
        .where(*selection.where())
        .order_by(*order.clauses(layer.key))
        .limit(most + 1)  # one more tells that a page follows
    )
    if after is not None:
        rows = rows.where(order.after(after, layer.key))
    found = rows.subquery("found")
    placed = select(found, func.row_number().over().label("_place")).subquery("placed")
    here, last = placed.c["_place"] <= most, placed.c["_place"] == most
    follows = func.count() > most

    def of_last(name: str) -> ColumnElement[Any]:
        value = func.array_agg(placed.c[name], type_=ARRAY(placed.c[name].type)).filter(last)[1]
        return case((follows, value))

    matched = case((follows, _counted(selection)), else_=func.count()) if after is None else null()
    text = func.string_agg(placed.c.feature, _text(","), type_=Text).filter(here)
    return select(
        text.label("features"),
        func.count().filter(here).label("returned"),
        matched.label("matched"),
        of_last("id").label("last"),
        *(of_last(name).label(name) for name in names),
    ).select_from(placed)


def _counted(selection: Selection) -> ColumnElement[int]:
    """How many there are, null where there are more than are counted."""
    most = bindparam("most", _most(selection), Integer)
    found = _keys(selection).limit(most + 1)
    if not selection.whole:
        # Rows lie in the order of their keys; those that an index on times names first lie anywhere.
        found = found.order_by(selection.layer.key)
    return func.nullif(select(func.count()).select_from(found.subquery()).scalar_subquery(), most + 1)


def _most(selection: Selection) -> int:
    return MOST_COUNTED if selection.whole else MOST_MATCHED


def item(selection: Selection, feature_id: int, *, view: View = _WHOLE) -> Statement:
    """One feature by its id; no row where there is none, or none for this audience."""
    return selection.statement(
        _told(selection, view).where(selection.layer.key == feature_id, *selection.where()).limit(1)
    )


def matched(selection: Selection, most: int) -> Statement:
    """How many features there are, up to one more than `most`: one value."""
    return selection.statement(select(func.count()).select_from(_keys(selection).limit(most + 1).subquery()))


def _keys(selection: Selection) -> Select[int]:
    return select(selection.layer.key).select_from(selection.layer.rows).where(*selection.where())


def extent(selection: Selection) -> Statement:
    """First and last moment of the layer, null where it has none: `first`, `last`."""
    layer = selection.layer
    if layer.moment is None:
        return Statement("select null::timestamptz as first, null::timestamptz as last")
    return selection.statement(
        select(func.min(layer.moment).label("first"), func.max(layer.moment).label("last"))
        .select_from(layer.rows)
        .where(*selection.where())
    )


def in_crs(geometry: ColumnElement[Any], crs: Crs) -> ColumnElement[Any]:
    """A lon-lat geometry in another system, its axes in that one's order."""
    if not crs.geographic:
        geometry = func.ST_Transform(geometry, crs.srid, type_=NullType())
    return func.ST_FlipCoordinates(geometry, type_=NullType()) if crs.north_first else geometry


def ringed(selection: Selection) -> ColumnElement[Any]:
    """The geometry that the audience sees, in lon-lat; outer rings run counterclockwise, as RFC 7946 has them."""
    shape: ColumnElement[Any] = selection.geometry()
    has_rings = selection.layer.shape in ("polygon", "any")
    return func.ST_ForcePolygonCCW(shape, type_=NullType()) if has_rings else shape


def _told(selection: Selection, view: View, *further: ColumnElement[Any]) -> Select[Any]:
    layer = selection.layer
    shape = func.ST_AsGeoJSON(in_crs(ringed(selection), view.crs), view.crs.decimals, _NO_CRS, type_=Text)
    pieces = [_HEAD, cast(layer.key, Text), _GEOMETRY, func.coalesce(shape, _NULL), _PROPERTIES]
    for number, field in enumerate(view.fields(layer, selection.audience)):
        pieces += [_text(f"{',' if number else ''}{json.dumps(field.name)}:"), func.coalesce(_json(field), _NULL)]
    feature = func.concat(*pieces, _TAIL, type_=Text)
    return select(layer.key.label("id"), feature.label("feature"), *further).select_from(layer.rows)


def _text(text: str) -> ColumnElement[str]:
    return literal(text, Text)


_HEAD, _GEOMETRY, _PROPERTIES, _TAIL, _NULL = map(
    _text, ('{"type":"Feature","id":', ',"geometry":', ',"properties":{', "}}", "null")
)


def _json(field: Field) -> ColumnElement[str]:
    """The field as JSON text; an instant in UTC, which to_json would leave without its Z."""
    match field.column.type:
        case DateTime():
            written = cast(func.to_json(func.timezone("UTC", field.column)), Text)
            return func.left(written, -1, type_=Text) + _text('Z"')
        case JSONB() | Integer() | Boolean():
            return cast(field.column, Text)  # is JSON already, and to_json takes three times as long
        case _:
            return cast(func.to_json(field.column), Text)
