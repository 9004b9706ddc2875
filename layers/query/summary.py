"""Key figures of an area that no heat store has: what is open, what is newest, and the span a year before."""

from calendar import isleap
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.types import DateTime

from layers.catalog.subtree import inside
from layers.core.errors import BadValue
from layers.core.span import Span
from layers.core.statement import Statement
from layers.schema.tables import category, incident, open_item
from layers.schema.tables import layer_version as versions

_INSTANT = DateTime(timezone=True)
_LEAP_DAY = (2, 29)


def year_before(span: Span) -> Span:
    """The same dates of the year before; 29 February counts as the 28th."""

    def back(at: datetime) -> datetime:
        day = 28 if (at.month, at.day) == _LEAP_DAY and not isleap(at.year - 1) else at.day
        return at.replace(year=at.year - 1, day=day)

    try:
        return Span(back(span.start), back(span.end))
    except ValueError as exc:
        raise BadValue("from: there is no year before it", parameter="from") from exc


def open_items(at: datetime, area_id: int | None, *, with_sensitive: bool) -> Statement:
    """One row: `open` and `overdue` as they stand at `at`, of the area and all below it; none means the city."""
    statement = select(
        func.count().label("open"),
        func.count().filter(func.onemap.is_over(open_item.c.due_at, literal(at, _INSTANT))).label("overdue"),
    ).select_from(open_item)
    if area_id is not None:
        statement = statement.where(inside(open_item.c.area_id, area_id))
    if not with_sensitive:
        statement = statement.where(_plain(open_item.c.category))
    return Statement.of(statement)


def newest(*, with_sensitive: bool) -> Statement:
    """When the newest incident happened: one value. That of a sensitive one would tell of a single event."""
    statement = select(func.max(incident.c.occurred_at))
    return Statement.of(statement if with_sensitive else statement.where(_plain(incident.c.category)))


def _plain(code: ColumnElement[str]) -> ColumnElement[bool]:
    return code.not_in(select(category.c.code).where(category.c.sensitive))


def layer_version(layer: str) -> Statement:
    """Version of a layer: one value, none before its first load."""
    return Statement.of(select(versions.c.version).where(versions.c.layer == layer))
