"""Exact heat by one SQL statement over the incidents."""

from sqlalchemy import BigInteger, Integer, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime, Text

from layers.catalog.subtree import inside
from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.heat.question import Question
from layers.schema.tables import category, incident

_INSTANT = DateTime(timezone=True)


def cells(question: Question) -> Statement:
    """Rows `cell` (bigint) and `value` (bigint), only cells that have any, in the order of ids."""
    cell = func.onemap.cell_parent(incident.c.cell, question.res, type_=BigInteger)
    value = func.count() if question.weight == "count" else cast(func.sum(incident.c.severity), BigInteger)
    statement = (
        select(cell.label("cell"), value.label("value"))
        .where(
            incident.c.occurred_at >= literal(question.span.start, _INSTANT),
            incident.c.occurred_at < literal(question.span.end, _INSTANT),
        )
        .group_by(cell)
        .having(value > 0)
        .order_by(cell)
    )
    if question.zone_bit is not None:
        statement = statement.where(incident.c.zones.op("&", return_type=Integer)(1 << question.zone_bit) != 0)
    if question.categories is not None:
        statement = statement.where(incident.c.category == any_(literal(list(question.categories), ARRAY(Text))))
    if not question.with_sensitive:
        hidden = select(category.c.code).where(category.c.sensitive)
        statement = statement.where(incident.c.category.not_in(hidden))
    if question.bbox is not None:
        # By cell, never by point: a cell on the edge of the box keeps its whole count.
        touched = hexgrid.cover(question.bbox, question.res).astype("int64").tolist()
        statement = statement.where(cell == any_(literal(touched, ARRAY(BigInteger))))
    if question.area_id is not None:
        statement = statement.where(inside(incident.c.area_id, question.area_id))
    return Statement.of(statement)
