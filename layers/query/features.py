"""Features of a layer as rows: `id`, and `feature`, the whole GeoJSON feature as text.

The database writes the text: a page then costs the server a third of what it would to make a feature of each row,
and there are more processes of the database than of the server.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import DateTime, NullType, Text

from layers.catalog.layer import Field, Layer
from layers.core.audience import Audience
from layers.core.statement import Statement
from layers.geo.crs import CRS84, Crs
from layers.query.order import Order
from layers.query.selection import Selection

MOST_COUNTED = 1_000_000
"""So many features are counted, which takes a tenth of a second; nobody is told how many more there are."""

MOST_MATCHED = 10_000
"""The same where a question leaves some out: counting more than those would take longer than the page itself."""

DECIMALS = CRS84.decimals

_NO_CRS = 0
_BY_KEY = Order()


@dataclass(frozen=True)
class View:
    """How features are told: in which system, and which of their properties; none means all."""

    crs: Crs = CRS84
    properties: Collection[str] | None = None

    def fields(self, layer: Layer, audience: Audience) -> tuple[Field, ...]:
        """The fields told to `audience`. Raises as `Layer.fields_for` does."""
        return layer.fields_for(audience, self.properties)


_WHOLE = View()


def items(
    selection: Selection, limit: int, after: str | None = None, *, order: Order = _BY_KEY, view: View = _WHOLE
) -> Statement:
    """One page in an order, beginning after the place `after`; one row more tells that a page follows.

    Beside `id` and `feature` a row has the values of what it is sorted by: `_0`, `_1` ...
    """
    layer = selection.layer
    sorted_by = (by.what.column.label(f"_{i}") for i, by in enumerate(order.by))
    statement = (
        _told(selection, view, *sorted_by)
        .where(*selection.where())
        .order_by(*order.clauses(layer.key))
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(order.after(after, layer.key))
    return selection.statement(statement)


def item(selection: Selection, feature_id: int, *, view: View = _WHOLE) -> Statement:
    """One feature by its id; no row where there is none, or none for this audience."""
    return selection.statement(
        _told(selection, view).where(selection.layer.key == feature_id, *selection.where()).limit(1)
    )


def matched(selection: Selection, most: int) -> Statement:
    """How many features there are, up to one more than `most`: one value."""
    found = select(selection.layer.key).select_from(selection.layer.rows).where(*selection.where())
    return selection.statement(select(func.count()).select_from(found.limit(most + 1).subquery()))


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
        case JSONB():
            return cast(field.column, Text)
        case _:
            return cast(func.to_json(field.column), Text)
