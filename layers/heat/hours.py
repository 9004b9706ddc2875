"""Hours of the day and days of the week, as a set of half-open slices of time.

A window narrowed to "weekdays, 7 to 9" is a list of ordinary windows. Hours are those of the city's wall time:
when its clocks jump over two o'clock that hour has no seconds, and when they are set back it counts twice.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import BadValue
from layers.core.span import Span

HOURS_A_DAY = 24
DAYS_A_WEEK = 7

_HOUR = 3600
_DAY = HOURS_A_DAY * _HOUR
_WEEK = DAYS_A_WEEK * _DAY
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = 4 * _DAY  # the first Monday after the epoch, which was a Thursday
_RANGE = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?", re.ASCII)


def parse_hours(text: str) -> frozenset[int]:
    """Hours 0-23 of a text such as `7-9,22-2`: from 7:00 to 9:00 and from 22:00 to 2:00; `7` alone is that hour.

    Raises
    ------
    BadValue : unreadable, not on the clock, or a range that ends where it starts.
    """
    found: set[int] = set()
    for start, end in _ranges(text, "hours"):
        stop = start + 1 if end is None else end
        if start >= HOURS_A_DAY or stop > HOURS_A_DAY:
            raise BadValue(f"hours: '{text[:40]}' is not within 0 and {HOURS_A_DAY}", parameter="hours")
        if start == stop:
            raise BadValue(f"hours: '{start}-{stop}' has no hours", parameter="hours")
        found.update(hour % HOURS_A_DAY for hour in range(start, stop + HOURS_A_DAY * (stop < start)))
    return frozenset(found)


def parse_weekdays(text: str) -> frozenset[int]:
    """ISO weekdays 1 (Monday) to 7 of a text such as `1-5,7`, ends included; `6-1` goes over the end of the week.

    Raises
    ------
    BadValue : unreadable, or no day of the week.
    """
    found: set[int] = set()
    for first, end in _ranges(text, "weekdays"):
        last = first if end is None else end
        if not (1 <= first <= DAYS_A_WEEK and 1 <= last <= DAYS_A_WEEK):
            raise BadValue(f"weekdays: '{text[:40]}' is not within 1 and {DAYS_A_WEEK}", parameter="weekdays")
        found.update((day - 1) % DAYS_A_WEEK + 1 for day in range(first, last + 1 + DAYS_A_WEEK * (last < first)))
    return frozenset(found)


def _ranges(text: str, parameter: str) -> list[tuple[int, int | None]]:
    """Comma-separated numbers and ranges of numbers."""
    found = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise BadValue(f"{parameter}: '{part[:40]}' is neither a number nor a range", parameter=parameter)
        found.append((int(match[1]), None if match[2] is None else int(match[2])))
    return found


def slices(
    span: Span, zone: ZoneInfo, hours: frozenset[int] | None, weekdays: frozenset[int] | None
) -> NDArray[np.int64]:
    """Parts of `span` whose wall time in `zone` is in one of `hours` on one of `weekdays`; None means any.

    Parameters
    ----------
    span : its ends are taken down to whole seconds.
    hours : 0-23.  weekdays : 1 (Monday) to 7.

    Returns
    -------
    int64[n, 2], unix seconds, each row from its first up to, but without, its second; ascending, apart from
    one another.
    """
    start, end = ((instant - _EPOCH) // _SECOND for instant in (span.start, span.end))
    if hours is None and weekdays is None:
        return np.array([[start, end]], dtype=np.int64)
    pattern = _pattern(hours, weekdays)
    found = [np.empty((0, 2), np.int64)]
    for since, until, offset in _offsets(start, end, zone):
        first = (since + offset - _MONDAY) // _WEEK
        last = (until + offset - _MONDAY) // _WEEK
        monday = np.arange(first, last + 1) * _WEEK + _MONDAY - offset
        part = (monday[:, None, None] + pattern).reshape(-1, 2).clip(since, until)
        found.append(part[part[:, 0] < part[:, 1]])
    apart = np.concatenate(found)
    gap = apart[1:, 0] > apart[:-1, 1]
    return np.column_stack([np.r_[apart[:1, 0], apart[1:, 0][gap]], np.r_[apart[:-1, 1][gap], apart[-1:, 1]]])


def _pattern(hours: frozenset[int] | None, weekdays: frozenset[int] | None) -> NDArray[np.int64]:
    """Seconds since Monday's midnight between which a week is wanted: int64[n, 2]."""
    wanted = np.zeros((DAYS_A_WEEK, HOURS_A_DAY), dtype=np.int64)
    days = np.arange(DAYS_A_WEEK) if weekdays is None else np.array(sorted(weekdays), np.int64) - 1
    wanted[np.ix_(days, np.arange(HOURS_A_DAY) if hours is None else np.array(sorted(hours), np.int64))] = 1
    step = np.diff(wanted.ravel(), prepend=0, append=0)
    return np.column_stack([np.flatnonzero(step == 1), np.flatnonzero(step == -1)]) * _HOUR


def _offsets(start: int, end: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Pieces of `start`..`end` that have one offset from UTC each: from, until, offset, all in seconds.

    The zone is asked once a day (no clock was ever set twice within three), and between two answers that differ
    the second of the change is found by halving.
    """

    def offset(second: int) -> timedelta:
        return datetime.fromtimestamp(second, zone).utcoffset() or timedelta()

    since, current = start, offset(start)
    for day in range(start, end, _DAY):
        before, after = day, min(day + _DAY, end)
        if offset(after) == current:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(middle) == current else (before, middle)
        yield since, after, current // _SECOND
        since, current = after, offset(after)
    yield since, end, current // _SECOND
