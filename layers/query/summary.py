"""Key figures of an area in a span of time."""

from calendar import isleap
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, func, literal, select
from sqlalchemy.types import DateTime

from layers.catalog.subtree import inside
from layers.core.errors import BadValue
from layers.core.span import Span
from layers.core.statement import Statement
from layers.schema.tables import incident, layer_version

_INSTANT = DateTime(timezone=True)
_LEAP_DAY = (2, 29)


@dataclass(frozen=True)
class Figures:
    """What the summary is about; `area_id` none means the whole city."""

    span: Span
    area_id: int | None = None


def _within(span: Span, area_id: int | None) -> list[ColumnElement[bool]]:
    conditions = [
        incident.c.occurred_at >= literal(span.start, _INSTANT),
        incident.c.occurred_at < literal(span.end, _INSTANT),
    ]
    return conditions if area_id is None else [*conditions, inside(incident.c.area_id, area_id)]


def mix(figures: Figures) -> Statement:
    """Counts by category and zone mask: category, zones, count."""
    return Statement.of(
        select(incident.c.category, incident.c.zones, func.count().label("count"))
        .where(*_within(figures.span, figures.area_id))
        .group_by(incident.c.category, incident.c.zones)
    )


def total(figures: Figures) -> Statement:
    """How many incidents: one value."""
    return Statement.of(select(func.count()).where(*_within(figures.span, figures.area_id)))


def year_before(span: Span) -> Span:
    """The same dates of the year before; 29 February counts as the 28th."""

    def back(at: datetime) -> datetime:
        day = 28 if (at.month, at.day) == _LEAP_DAY and not isleap(at.year - 1) else at.day
        return at.replace(year=at.year - 1, day=day)

    try:
        return Span(back(span.start), back(span.end))
    except ValueError as exc:
        raise BadValue("from: there is no year before it", parameter="from") from exc


def open_items(at: datetime, area_id: int | None) -> Statement:
    """One row: `open` and `overdue` as they stand at `at`."""
    return Statement(
        """with recursive below (area_id) as (
          select %(area_id)s::bigint
          union
          select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
        )
        select count(*) as open, count(*) filter (where due_at < %(at)s) as overdue from onemap.open_item
        where %(area_id)s::bigint is null or area_id in (select area_id from below)""",
        {"at": at, "area_id": area_id},
    )


def freshness() -> Statement:
    """One row about the incidents: `newest_at`, and the layer's `version` and `changed_at`."""
    version: FromClause = layer_version
    state = select(version.c.version, version.c.changed_at).where(version.c.layer == "incidents").subquery()
    newest = select(func.max(incident.c.occurred_at).label("newest_at")).subquery()
    return Statement.of(
        select(newest.c.newest_at, state.c.version, state.c.changed_at).select_from(
            newest.outerjoin(state, literal(value=True))
        )
    )
