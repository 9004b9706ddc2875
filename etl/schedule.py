"""Cron lines: when a source is due, in the local time of its city."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

_FIELDS = 5


def is_cron_line(line: str) -> bool:
    """Whether `line` is minute, hour, day of month, month and day of week."""
    return len(line.split()) == _FIELDS and croniter.is_valid(line)


def last_due(line: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The last time before `now` that `line` names, in UTC.

    A local time that a spring night skips comes when the clock has been put forward; one that an autumn night has
    twice comes twice.
    """
    found: datetime = croniter(line, now.astimezone(zone)).get_prev(datetime)
    return found.astimezone(UTC)
