"""Cases as service requests: the filters of Open311 GeoReport v2, over the one store of cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import BigInteger, ColumnElement, Text, and_, any_, exists, func, literal, not_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime

from layers.cases import merged
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.schema.casebook import case_file, case_photo

MOST = 1000
"""Requests of one page."""

MOST_SPAN = timedelta(days=90)

_SLACK = timedelta(seconds=1)  # some clients ask a second more, to miss nothing that lies on the edge
_INSTANT = DateTime(timezone=True)


@dataclass(frozen=True)
class Between:
    """A closed span of time, as the standard has them; none where a side is open."""

    since: datetime | None
    until: datetime | None

    @classmethod
    def capped(cls, since: datetime | None, until: datetime | None, now: datetime, parameter: str) -> Self:
        """At most 90 days; what is not given is as far from the other end, or the last 90 days.

        Raises
        ------
        BadValue : it ends before it begins, or lasts longer.
        """
        try:
            until = until or (since + MOST_SPAN if since else now)
            since = since or until - MOST_SPAN
        except OverflowError as exc:
            raise BadValue(f"{parameter}: there are no 90 days beside it", parameter=parameter) from exc
        if until < since:
            raise BadValue(f"{parameter}: the span ends before it begins", parameter=parameter)
        if until - since > MOST_SPAN + _SLACK:
            raise BadValue(f"{parameter}: the span is longer than 90 days; ask in parts", parameter=parameter)
        return cls(since, until)


@dataclass(frozen=True)
class Wanted:
    """What is asked for; what is none does not restrict it, and `ids` leave all else aside.

    with_texts : true places, texts and answers as well; only for those who may read them.
    with_sensitive : false leaves cases of sensitive categories out.
    """

    ids: Sequence[int] | None = None
    categories: Sequence[str] | None = None
    is_open: bool | None = None
    reported: Between | None = None
    updated: Between | None = None
    with_texts: bool = False
    with_sensitive: bool = False


def page(wanted: Wanted, limit: int, offset: int = 0) -> Statement:
    """One page, latest reported first.

    Rows: case_id, workflow, category, state, is_open, reported_at, updated_at, entered_at, due_at, unit,
    merged_into (none also where whoever asks may not see that one), lon and lat (of the base cell's centre; true
    ones with texts), and with texts report, answers and photo (whether there is one). A case that is merged into
    another is not open.
    """
    table = case_file.c
    place = table.geom if wanted.with_texts else table.spot
    columns = [
        table[name]
        for name in (
            "case_id", "workflow", "category", "state", "reported_at", "entered_at", "due_at", "unit",
        )
    ]  # fmt: skip
    photo = exists().where(case_photo.c.case_id == table.case_id).label("photo")
    texts = [table.report, table.answers, photo] if wanted.with_texts else []
    statement = select(
        *columns,
        merged.main(with_sensitive=wanted.with_sensitive).label("merged_into"),
        _open().label("is_open"),
        _updated().label("updated_at"),
        func.ST_X(place).label("lon"),
        func.ST_Y(place).label("lat"),
        *texts,
    ).where(*_conditions(wanted))
    ordered = statement.order_by(table.reported_at.desc(), table.case_id.desc())
    return Statement.of(ordered.limit(limit).offset(offset))


def steps(case_ids: Sequence[int]) -> Statement:
    """The histories of cases, oldest first: case_id, move, at, state, reason; for those who may read texts."""
    return Statement(
        """select case_id, move, at, state, text as reason from onemap.case_step
        left join onemap.ledger_text using (seq) where case_id = any(%(ids)s) order by case_id, version""",
        {"ids": list(case_ids)},
    )


def _open() -> ColumnElement[bool]:
    return and_(case_file.c.is_open, case_file.c.merged_into.is_(None))


def _updated() -> ColumnElement[datetime]:
    return func.greatest(case_file.c.changed_at, case_file.c.regrouped_at)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    table = case_file.c
    found: list[ColumnElement[bool]] = []
    if not wanted.with_sensitive:
        found.append(merged.shown())
    if wanted.ids is not None:
        return [*found, table.case_id == any_(literal(list(wanted.ids), ARRAY(BigInteger)))]
    if wanted.categories is not None:
        found.append(table.category == any_(literal(list(wanted.categories), ARRAY(Text))))
    if wanted.is_open is not None:
        found.append(_open() if wanted.is_open else not_(_open()))
    for column, between in ((table.reported_at, wanted.reported), (_updated(), wanted.updated)):
        if between is not None and between.since is not None:
            found.append(column >= literal(between.since, _INSTANT))
        if between is not None and between.until is not None:
            found.append(column <= literal(between.until, _INSTANT))
    return found
