"""Times in a filter: instants, intervals, and how one lies to another as CQL2 names it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, literal, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Text

from layers.core.errors import BadValue
from layers.core.span import parse_instant

_INSTANT = TIMESTAMP(timezone=True)


@dataclass(frozen=True)
class During:
    """A time from `start` to `end`, both included; an instant is one whose ends are the same."""

    start: ColumnElement[Any]
    end: ColumnElement[Any]


RELATIONS: dict[str, Callable[[During, During], ColumnElement[bool]]] = {
    "t_after": lambda a, b: a.start > b.end,
    "t_before": lambda a, b: a.end < b.start,
    "t_contains": lambda a, b: and_(a.start < b.start, a.end > b.end),
    "t_disjoint": lambda a, b: or_(a.end < b.start, a.start > b.end),
    "t_during": lambda a, b: and_(a.start > b.start, a.end < b.end),
    "t_equals": lambda a, b: and_(a.start == b.start, a.end == b.end),
    "t_finishedBy": lambda a, b: and_(a.start < b.start, a.end == b.end),
    "t_finishes": lambda a, b: and_(a.start > b.start, a.end == b.end),
    "t_intersects": lambda a, b: and_(a.start <= b.end, a.end >= b.start),
    "t_meets": lambda a, b: a.end == b.start,
    "t_metBy": lambda a, b: a.start == b.end,
    "t_overlappedBy": lambda a, b: and_(a.start > b.start, a.start < b.end, a.end > b.end),
    "t_overlaps": lambda a, b: and_(a.start < b.start, a.end > b.start, a.end < b.end),
    "t_startedBy": lambda a, b: and_(a.start == b.start, a.end > b.end),
    "t_starts": lambda a, b: and_(a.start == b.start, a.end < b.end),
}


def is_instant(node: Any) -> bool:
    """Whether a node of a tree is a time that stands there itself."""
    return isinstance(node, dict) and ("timestamp" in node or "date" in node)


def instant(node: dict[str, Any], parameter: str, *, last: bool = False) -> datetime:
    """A time that stands in a tree; of a date its first moment in UTC, or its last.

    Raises
    ------
    BadValue : no time.
    """
    text = node.get("timestamp", node.get("date"))
    if not isinstance(text, str):
        raise BadValue(f"{parameter}: a time has to be a text", parameter=parameter)
    if "timestamp" in node:
        return parse_instant(text, parameter)
    try:
        begins = datetime.combine(date.fromisoformat(text), time(), UTC)
        return begins + timedelta(days=1, microseconds=-1) if last else begins
    except (ValueError, OverflowError) as exc:
        raise BadValue(f"{parameter}: '{text[:40]}' is no date", parameter=parameter) from exc


def bound(at: datetime) -> ColumnElement[Any]:
    """A time as SQL."""
    return literal(at, _INSTANT)


def endless(*, last: bool) -> ColumnElement[Any]:
    """The open end of an interval, before or after all time."""
    return cast(literal("infinity" if last else "-infinity", Text), _INSTANT)
