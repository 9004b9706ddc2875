"""A selection as a table of typed columns: the key, the fields, and the geometry at the end of each row."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import (
    REAL,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    NullType,
    SmallInteger,
    Text,
)

from layers.catalog.layer import Field
from layers.core.errors import ShapeMismatch
from layers.core.statement import Statement
from layers.geo.crs import Crs
from layers.query.features import View, in_crs, ringed
from layers.query.order import Order
from layers.query.selection import Selection
from layers.query.table import Column, Kind, Table

Form = Literal["geojson", "wkt", "wkb"]


def table(selection: Selection, view: View) -> Table:
    """What the rows of a selection will be."""
    layer = selection.layer
    fields = view.fields(layer, selection.audience)
    columns = (Column("id", "int64"), *(Column(field.name, _kind(field.column)) for field in fields))
    return Table(layer.id, columns, layer.shape, view.crs)


def rows(
    selection: Selection, view: View, form: Form, order: Order, limit: int, after: str | None = None
) -> Statement:
    """The first `limit` rows of the table in an order, or those that begin after the place `after`.

    Behind the geometry stand the values of what it is sorted by.
    """
    layer = selection.layer
    statement = (
        select(
            layer.key.label("id"),
            *(_column(field, form) for field in view.fields(layer, selection.audience)),
            _geometry(selection, view.crs, form).label("geometry"),
            *(by.what.column.label(f"_{i}") for i, by in enumerate(order.by)),
        )
        .select_from(layer.rows)
        .where(*selection.where())
        .order_by(*order.clauses(layer.key))
        .limit(limit)
    )
    return selection.statement(statement if after is None else statement.where(order.after(after, layer.key)))


def _geometry(selection: Selection, crs: Crs, form: Form) -> ColumnElement[Any]:
    """Texts have the axes in the order of the system; in files x is to the east, whatever the system says."""
    shape = ringed(selection)
    match form:
        case "wkb":
            if not crs.geographic:
                shape = func.ST_Transform(shape, crs.srid, type_=NullType())
            return func.ST_AsBinary(shape, "NDR", type_=LargeBinary)
        case "wkt":
            return func.ST_AsText(in_crs(shape, crs), crs.decimals, type_=Text)
        case "geojson":
            return func.ST_AsGeoJSON(in_crs(shape, crs), crs.decimals, 0, type_=Text)


def _column(field: Field, form: Form) -> ColumnElement[Any]:
    """JSON is text everywhere; instants are where the file is, written as in GeoJSON."""
    column: ColumnElement[Any] = field.column
    match column.type:
        case JSONB():
            column = cast(column, Text)
        case DateTime() if form != "wkb":
            column = func.btrim(cast(func.to_json(func.timezone("UTC", column)), Text), '"', type_=Text) + "Z"
    return column.label(field.name)


_KINDS: tuple[tuple[type, Kind], ...] = (
    (SmallInteger, "int16"),
    (BigInteger, "int64"),
    (Integer, "int32"),
    (REAL, "float32"),
    (Float, "float64"),
    (Boolean, "bool"),
    (DateTime, "instant"),
    (Text, "text"),
    (JSONB, "json"),
)


def _kind(column: ColumnElement[Any]) -> Kind:
    for kind, name in _KINDS:
        if isinstance(column.type, kind):
            return name
    raise ShapeMismatch(f"a column of {column.type} has no place in a table", column=str(column))
