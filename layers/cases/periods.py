"""The periods of a measure: half-open spans of local days, and when what is owed in each is due."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from layers.cases.worktime import WorkTime
from layers.core.errors import BadValue

MOST = 1_500
"""Periods of one measure: four years of days."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MONTHS = 12
_LONGEST_REST = 30
"""Days; a longer rest does not put a term off any further."""


class Every(StrEnum):
    """How often a measure is owed."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Period:
    """One period, counted from 1: it begins at `start_at`, and what is owed in it is late from `due_at` on."""

    number: int
    start_at: datetime
    due_at: datetime


def periods(every: Every, first: date, last: date, work: WorkTime) -> list[Period]:
    """The periods from the `first` to the `last` local day, both included; the last one may be cut short.

    A period ends with its last day. Where no work is done on that, it is due with the next working day, so that
    two may run at once; a daily one is due with its own day, whatever that is.

    Raises
    ------
    BadValue : `last` is before `first`, or there are more than MOST.
    """
    if last < first:
        raise BadValue("last_day: it is before first_day", parameter="last_day")
    found = []
    for number, start in enumerate(_starts(every, first, last), 1):
        if number > MOST:
            raise BadValue(f"last_day: that makes more than {MOST:,} periods", parameter="last_day")
        end = min(_next(every, first, number, last) - _DAY, last)
        due = end if every is Every.DAILY else _worked(end, work)
        found.append(Period(number, _midnight(start, work), _midnight(due + _DAY, work)))
    return found


def _starts(every: Every, first: date, last: date) -> Iterator[date]:
    start, number = first, 0
    while start <= last:
        yield start
        number += 1
        start = _next(every, first, number, last)


def _next(every: Every, first: date, number: int, last: date) -> date:
    """The day on which period `number` + 1 begins."""
    match every:
        case Every.ONCE:
            return last + _DAY
        case Every.DAILY:
            return first + number * _DAY
        case Every.WEEKLY:
            return first + number * _WEEK
        case Every.MONTHLY:
            years, month = divmod(first.month - 1 + number, _MONTHS)
            year, month = first.year + years, month + 1
            return date(year, month, min(first.day, monthrange(year, month)[1]))


def _worked(day: date, work: WorkTime) -> date:
    days = (day + ahead * _DAY for ahead in range(_LONGEST_REST))
    return next((each for each in days if work.works(each)), day)


def _midnight(day: date, work: WorkTime) -> datetime:
    return datetime.combine(day, time(), work.city.zone).astimezone(UTC)
