"""Working time: when a term that is given in hours or days of work ends, and how much of it is spent.

Three units, as city management counts them (GB/T 30428.8): urgent hours run day and night, working hours only
while the city works, and of working days the first is the one after the start and the last ends when work does
(Civil Code of China, articles 201 and 203). A pause puts the end off by the time of its unit that it takes away,
of working days by working hours: never by more than it lasted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from itertools import accumulate, islice, takewhile
from typing import Self

import holidays

from layers.catalog.city import City
from layers.core.errors import BadCity
from layers.core.span import Span

_DAY = timedelta(days=1)
_ANY_YEAR = 2026
_LONGEST_REST = 400
"""Days; a city that does not work for so long never does."""


class Unit(StrEnum):
    """What a term is counted in."""

    URGENT_HOUR = "urgent_hour"
    WORKING_HOUR = "working_hour"
    WORKING_DAY = "working_day"


@dataclass(frozen=True)
class Term:
    """An amount of time to work in; whole units, at least one."""

    amount: int
    unit: Unit


@dataclass(frozen=True)
class WorkTime:
    """A city's working days and hours; dates and hours are local, instants aware.

    hours : opening and closing times of a working day, ascending.
    rest, work : dates that are against the week's rule.
    """

    city: City
    hours: tuple[tuple[time, time], ...]
    rest: frozenset[date]
    work: frozenset[date]

    @classmethod
    def of(cls, city: City) -> Self:
        """From the city's calendar.

        Raises
        ------
        BadCity : hours that cannot be read or that overlap, dates that are none, a week without a working day, or
            a country or part of it whose public holidays nobody knows.
        """
        calendar = city.calendar
        hours = tuple(_opening(text) for text in calendar.hours)
        flat = [moment for pair in hours for moment in pair]
        if not flat or flat != sorted(set(flat)):
            raise BadCity("calendar.hours: spans like 08:30-16:30 that follow each other", key="calendar.hours")
        if not calendar.working_days:
            raise BadCity("calendar.working_days: a week has no working day", key="calendar.working_days")
        if calendar.country is not None:
            try:
                _public_days(calendar.country, calendar.subdivision, _ANY_YEAR)
            except NotImplementedError as exc:
                raise BadCity(f"calendar.country: {exc}", key="calendar.country") from exc
        dates = {name: _dates(name, getattr(calendar, name)) for name in ("holidays", "make_up_days")}
        return cls(city, hours, dates["holidays"], dates["make_up_days"])

    def works(self, day: date) -> bool:
        """Whether work is done on a day: the city's own dates come first, then the country's, then the week."""
        if day in self.work or day in self.rest:
            return day in self.work
        country = self.city.calendar.country
        if country is not None:
            known = _public_days(country, self.city.calendar.subdivision, day.year)
            if day in known.weekend_workdays:
                return True
            if day in known:
                return False
        return day.isoweekday() in self.city.calendar.working_days

    def due(self, start: datetime, term: Term, pauses: Sequence[Span] = ()) -> datetime:
        """When the term ends that begins at `start` and stands still during the pauses.

        Raises
        ------
        BadCity : the city never works.
        """
        if term.unit is not Unit.WORKING_DAY:
            return _end(self._running(start, term.unit, pauses), timedelta(hours=term.amount))
        first = self._day_after(start)
        days = islice(self._worked(first), term.amount)
        return _end(self._running(first, Unit.WORKING_HOUR, pauses), sum(days, timedelta()))

    def spent(self, start: datetime, end: datetime, unit: Unit, pauses: Sequence[Span] = ()) -> float:
        """How much is spent at `end` of a term that began at `start`: hours, or whole working days."""
        if unit is not Unit.WORKING_DAY:
            return _until(self._running(start, unit, pauses), end) / timedelta(hours=1)
        first = self._day_after(start)
        spent = _until(self._running(first, Unit.WORKING_HOUR, pauses), end)
        return float(sum(1 for _ in takewhile(lambda worked: worked <= spent, accumulate(self._worked(first)))))

    def opening(self, start: datetime, end: datetime) -> list[Span]:
        """The spans from `start` to `end` in which work is done."""
        spans = takewhile(lambda span: span.start < end, self._open(start))
        return [Span(span.start, min(span.end, end)) for span in spans]

    def _running(self, start: datetime, unit: Unit, pauses: Sequence[Span]) -> Iterator[Span]:
        """The spans in which the clock runs, from `start` on, without end."""
        spans = self._around_the_clock(start) if unit is Unit.URGENT_HOUR else self._open(start)
        for span in spans:
            yield from _without(span, pauses)

    @staticmethod
    def _around_the_clock(start: datetime) -> Iterator[Span]:
        while True:
            yield Span(start, start + _DAY)
            start += _DAY

    def _open(self, start: datetime) -> Iterator[Span]:
        for day in self._days(start):
            for opens, closes in self.hours:
                begun, ended = max(start, self._at(day, opens)), self._at(day, closes)
                if begun < ended:
                    yield Span(begun, ended)

    def _day_after(self, start: datetime) -> datetime:
        """When the local day after that of `start` begins."""
        return self._at(start.astimezone(self.city.zone).date() + _DAY, time())

    def _worked(self, first: datetime) -> Iterator[timedelta]:
        """How long is worked on each working day from that of `first` on."""
        for day in self._days(first):
            yield sum((self._at(day, closes) - self._at(day, opens) for opens, closes in self.hours), timedelta())

    def _days(self, start: datetime) -> Iterator[date]:
        """The working days from that of `start` on."""
        day = start.astimezone(self.city.zone).date()
        rested = 0
        while rested < _LONGEST_REST:
            if self.works(day):
                rested = 0
                yield day
            else:
                rested += 1
            day += _DAY
        raise BadCity(f"calendar: {self.city.code} has no working day before {day}", key="calendar")

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.city.zone).astimezone(UTC)


def _opening(text: str) -> tuple[time, time]:
    try:
        opens, closes = map(time.fromisoformat, text.split("-"))
    except ValueError as exc:
        raise BadCity(f"calendar.hours: '{text}' is not like 08:30-16:30", key="calendar.hours") from exc
    return opens, closes


def _dates(name: str, texts: Sequence[str]) -> frozenset[date]:
    try:
        return frozenset(map(date.fromisoformat, texts))
    except ValueError as exc:
        raise BadCity(f"calendar.{name}: {exc}", key=f"calendar.{name}") from exc


def _end(spans: Iterable[Span], left: timedelta) -> datetime:
    """When so much of the spans, which never end, is over."""
    for span in spans:
        if span.length >= left:
            return span.start + left
        left -= span.length
    raise AssertionError


def _until(spans: Iterable[Span], end: datetime) -> timedelta:
    """How much of the spans is over at `end`."""
    begun = takewhile(lambda span: span.start < end, spans)
    return sum((min(span.end, end) - span.start for span in begun), timedelta())


def _without(span: Span, pauses: Sequence[Span]) -> Iterator[Span]:
    """What of a span lies in no pause."""
    at = span.start
    for pause in sorted(pauses, key=lambda each: each.start):
        if pause.end <= at or pause.start >= span.end:
            continue
        if pause.start > at:
            yield Span(at, pause.start)
        at = pause.end
        if at >= span.end:
            return
    yield Span(at, span.end)


@cache
def _public_days(country: str, subdivision: str | None, year: int) -> holidays.HolidayBase:
    """A country's holidays of a year, with the weekend days on which it works for them."""
    return holidays.country_holidays(country, subdiv=subdivision, years=year)
