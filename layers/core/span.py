"""A span of time: half-open, aware, UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

from layers.core.errors import BadValue


def parse_instant(text: str, parameter: str) -> datetime:
    """Read an RFC 3339 instant with its offset.

    Raises
    ------
    BadValue : unreadable, without an offset, or outside the years that PostgreSQL and Python share.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise BadValue(
                f"{parameter}: '{text[:40]}' has no offset; write it like 2026-01-31T00:00:00Z",
                parameter=parameter,
            )
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise BadValue(f"{parameter}: '{text[:40]}' is not an RFC 3339 instant", parameter=parameter) from exc


@dataclass(frozen=True)
class Span:
    """From `start` up to, but without, `end`."""

    start: datetime
    end: datetime

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read `from` and `to`.

        Raises
        ------
        BadValue : unreadable, or `from` not before `to`.
        """
        span = cls(parse_instant(start, "from"), parse_instant(end, "to"))
        if span.start >= span.end:
            raise BadValue(f"from: {start} is not before to: {end}", parameter="from")
        return span

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def before(self) -> "Span":
        """The span of the same length that ends where this one starts.

        Raises
        ------
        BadValue : it would reach before the first year.
        """
        try:
            return Span(self.start - self.length, self.start)
        except OverflowError as exc:
            raise BadValue("from: there is no period that long before it", parameter="from") from exc

    def split(self, parts: int) -> list["Span"]:
        """Spans of equal length, to the second, that follow one another; no more of them than it has seconds."""
        seconds = self.length // timedelta(seconds=1)
        bounds = [self.start + timedelta(seconds=seconds * i // parts) for i in range(parts)]
        return [Span(start, end) for start, end in pairwise([*bounds, self.end])]
