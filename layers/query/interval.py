"""The OGC `datetime` parameter: a closed interval, unlike the half-open spans of the heat engine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from layers.core.errors import BadValue
from layers.core.span import parse_instant

_ENDS = 2


@dataclass(frozen=True)
class Interval:
    """From `start` to `end`, both included; none means open."""

    start: datetime | None
    end: datetime | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an instant, or `start/end` in which one end may be `..` or empty.

        Raises
        ------
        BadValue : unreadable, or reversed.
        """
        ends = text.split("/")
        if len(ends) > _ENDS:
            raise BadValue(f"datetime: '{text[:60]}' is no instant and no interval", parameter="datetime")
        read = [
            None if end in ("", "..") and len(ends) == _ENDS else parse_instant(end, "datetime") for end in ends
        ]
        start, end = read[0], read[-1]
        if start is not None and end is not None and start > end:
            raise BadValue("datetime: the interval ends before it starts", parameter="datetime")
        return cls(start, end)
