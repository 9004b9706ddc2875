"""Features of a layer as rows: an id, the geometry as GeoJSON text, and the fields that the audience may read."""

from sqlalchemy import func, select
from sqlalchemy.types import Text

from layers.core.statement import Statement
from layers.query.selection import Selection

DECIMALS = 6  # of a degree: 0.1 m


def items(selection: Selection, limit: int, after: int | None = None) -> Statement:
    """One page in the order of ids, beginning after the id `after`; one row more tells that a page follows."""
    layer = selection.layer
    statement = (
        select(
            layer.key.label("id"),
            func.ST_AsGeoJSON(selection.geometry(), DECIMALS, type_=Text).label("geometry"),
            *(field.column.label(field.name) for field in layer.fields_for(selection.audience)),
        )
        .select_from(layer.rows)
        .where(*selection.where())
        .order_by(layer.key)
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(layer.key > after)
    return Statement.of(statement)


def item(selection: Selection, feature_id: int) -> Statement:
    """One feature by its id; no row where there is none, or none for this audience."""
    layer = selection.layer
    return Statement.of(
        select(
            layer.key.label("id"),
            func.ST_AsGeoJSON(selection.geometry(), DECIMALS, type_=Text).label("geometry"),
            *(field.column.label(field.name) for field in layer.fields_for(selection.audience)),
        )
        .select_from(layer.rows)
        .where(layer.key == feature_id, *selection.where())
        .limit(1)
    )


def extent(selection: Selection) -> Statement:
    """First and last moment of the layer, null where it has none: `first`, `last`."""
    layer = selection.layer
    if layer.moment is None:
        return Statement("select null::timestamptz as first, null::timestamptz as last")
    return Statement.of(
        select(func.min(layer.moment).label("first"), func.max(layer.moment).label("last"))
        .select_from(layer.rows)
        .where(*selection.where())
    )
