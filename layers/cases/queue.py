"""The queue of cases: which ones a desk asks for, soonest due first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, and_, cast, func, literal, null, or_, select, true
from sqlalchemy.types import DateTime, SmallInteger

from layers.cases import merged
from layers.catalog.subtree import inside
from layers.core.errors import BadValue
from layers.core.span import parse_instant
from layers.core.statement import Statement
from layers.schema.casebook import case_file
from layers.schema.tables import area, level

MOST = 1000
MOST_COUNTED = 10_000
MOST_AREAS = 50

_INSTANT = DateTime(timezone=True)
_NEVER = "never"
_DIGITS = 18


@dataclass(frozen=True)
class Place:
    """The last case of a page: when it is due, none where it never is, and its number."""

    due_at: datetime | None
    case_id: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text that `str` gives.

        Raises
        ------
        BadValue : it is none.
        """
        due, _, number = text.rpartition("~")
        if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
            raise BadValue(f"after: '{text[:60]}' is no place in the queue", parameter="after")
        return cls(None if due == _NEVER else parse_instant(due, "after"), int(number))

    def __str__(self) -> str:
        return f"{self.due_at.isoformat() if self.due_at else _NEVER}~{self.case_id}"


@dataclass(frozen=True)
class Filter:
    """What of the queue is asked for; what is none does not restrict it.

    late : over its term at `at`.  area_id : the area and all below it.
    with_sensitive : false leaves cases of sensitive categories out, for those who may not see their points; and so
    what is merged into one that they do not see, which is that one.
    with_ratings : false leaves out what was said of each when it had ended.
    """

    at: datetime
    state: str | None = None
    is_open: bool | None = None
    late: bool | None = None
    category: str | None = None
    unit: str | None = None
    area_id: int | None = None
    workflow: str | None = None
    with_sensitive: bool = False
    with_ratings: bool = False

    def where(self) -> list[ColumnElement[bool]]:
        """All conditions, each with its values bound."""
        table = case_file.c
        found = [
            column == given
            for column, given in (
                (table.state, self.state),
                (table.is_open, self.is_open),
                (table.category, self.category),
                (table.unit, self.unit),
                (table.workflow, self.workflow),
            )
            if given is not None
        ]
        if self.late is not None:
            over = func.coalesce(
                and_(table.is_open, func.onemap.is_over(table.due_at, literal(self.at, _INSTANT))), False
            )
            found.append(over == self.late)
        if self.area_id is not None:
            found.append(inside(table.area_id, self.area_id))
        if not self.with_sensitive:
            found.append(merged.shown())
        return found


def page(wanted: Filter, limit: int, after: Place | None = None) -> Statement:
    """One page, soonest due first and those without a term last; one row more tells that a page follows.

    What is merged into another case does not queue beside it.

    Rows hold what every audience that may read incidents may read: case_id, workflow, incident_id, category,
    severity, origin, reported_at, area (code), area_zh and area_en (its names), state, is_open, version,
    changed_at, unit, bounces, rating, due_at, warn_at, red_at, merged_into (none also where whoever asks may not
    see that one), and lon and lat of the base cell's centre.
    """
    table = case_file.c
    statement = _shown(wanted).where(_beyond(after), table.merged_into.is_(None))
    return Statement.of(statement.order_by(table.due_at.asc().nulls_last(), table.case_id).limit(limit + 1))


def count(wanted: Filter) -> Statement:
    """One value: how many cases queue, counted no further than one beyond MOST_COUNTED."""
    unmerged = case_file.c.merged_into.is_(None)
    found = select(literal(1)).select_from(case_file).where(*wanted.where(), unmerged)
    return Statement.of(select(func.count()).select_from(found.limit(MOST_COUNTED + 1).subquery()))


def units(wanted: Filter) -> Statement:
    """The offices that cases of the filter were dispatched to, by name, one a row: unit."""
    told = select(case_file.c.unit).where(case_file.c.unit.is_not(None), *wanted.where()).distinct()
    return Statement.of(told.order_by(case_file.c.unit).limit(MOST))


def areas(text: str) -> Statement:
    """Areas whose name holds the text or whose code begins with it, from the top of the tree down.

    Rows: area_id, level, code, zh, en; at most MOST_AREAS.
    """
    names = [area.c.name_zh.label("zh"), area.c.name_en.label("en")]
    found = select(area.c.area_id, level.c.code.label("level"), area.c.code, *names)
    rows = found.select_from(area.join(level, level.c.rank == area.c.level_rank))
    known = or_(
        area.c.code.istartswith(text, autoescape=True),
        *(name.icontains(text, autoescape=True) for name in (area.c.name_zh, area.c.name_en)),
    )
    return Statement.of(rows.where(known).order_by(area.c.level_rank, area.c.code).limit(MOST_AREAS))


def one(case_id: int, wanted: Filter) -> Statement:
    """The row of one case, if the filter lets it through."""
    return Statement.of(_shown(wanted).where(case_file.c.case_id == case_id))


def _shown(wanted: Filter) -> Select[Any]:
    table = case_file.c
    columns = [
        table[name]
        for name in (
            "case_id", "workflow", "incident_id", "category", "severity", "origin", "reported_at", "state",
            "is_open", "version", "changed_at", "unit", "bounces", "due_at", "warn_at", "red_at",
        )
    ]  # fmt: skip
    own = [merged.main(with_sensitive=wanted.with_sensitive).label("merged_into")]
    rating = table.rating if wanted.with_ratings else cast(null(), SmallInteger)
    spot = [func.ST_X(table.spot).label("lon"), func.ST_Y(table.spot).label("lat")]
    rows = case_file.outerjoin(area, area.c.area_id == table.area_id)
    tag = [area.c.code.label("area"), area.c.name_zh.label("area_zh"), area.c.name_en.label("area_en")]
    return select(*columns, *own, rating.label("rating"), *tag, *spot).select_from(rows).where(*wanted.where())


def _beyond(after: Place | None) -> ColumnElement[bool]:
    table = case_file.c
    if after is None:
        return true()
    later = table.case_id > after.case_id
    if after.due_at is None:
        return and_(table.due_at.is_(None), later)
    due: Any = literal(after.due_at, _INSTANT)
    return or_(table.due_at > due, and_(table.due_at == due, later), table.due_at.is_(None))
