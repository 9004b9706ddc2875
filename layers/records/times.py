"""From what a file calls a time to an instant in UTC.

A time with an offset is taken as it is. A time without one is local time of the source's zone, by this rule:
in the gap when clocks go forward it moves forward by the gap's length, and in the fold when they go back it is the
first of the two, still on summer time. Both are counted. This is the reading that PEP 495 calls fold=0.

Year, month and day come in this order; beside ISO 8601 a spreadsheet's `2025/1/2 8:30` is read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Moments = NDArray[np.datetime64]

_ISO = (
    r"^(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)"
    r"(?:[T ](?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<offset>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$"
)
# What Python's datetime holds, with a day to spare for any zone.
_FIRST, _LAST = np.datetime64("0001-01-02", "us"), np.datetime64("9999-12-30", "us")
_DAY = np.timedelta64(1, "D")
_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Instants:
    """n times: `at` datetime64[us] in UTC, NaT where missing or unreadable; the masks are bool[n]."""

    at: Moments
    unreadable: NDArray[np.bool_]
    in_gap: NDArray[np.bool_]
    in_fold: NDArray[np.bool_]


def instants(column: pa.Array, zone: ZoneInfo) -> Instants:
    """Read a column of timestamps or of ISO 8601 texts."""
    count = len(column)
    missing = np.asarray(column.is_null())
    if pa.types.is_timestamp(column.type):
        moments = np.asarray(column.cast(pa.int64()).fill_null(0)).astype("datetime64[us]")
        moments[missing] = _NEVER
        local = np.full(count, column.type.tz is None)
    elif pa.types.is_string(column.type):
        moments, local = _parse(column)
    else:
        moments, local = np.full(count, _NEVER), np.zeros(count, np.bool_)
    with np.errstate(invalid="ignore"):
        moments[~((moments >= _FIRST) & (moments <= _LAST))] = _NEVER
    local = local & ~np.isnat(moments)
    in_gap, in_fold = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    shift, in_gap[local], in_fold[local] = _offsets(moments[local], zone)
    at = moments.copy()
    at[local] -= shift
    return Instants(at, np.isnat(at) & ~missing, in_gap, in_fold)


def _parse(texts: pa.StringArray) -> tuple[Moments, NDArray[np.bool_]]:
    """Wall times as written, NaT where unreadable, and a mask of those without an offset, which stay local."""
    found = pc.extract_regex(texts, _ISO)
    missing = np.asarray(found.is_null())

    def part(name: str) -> NDArray[np.int64]:
        digits = pc.struct_field(found, name)
        return np.asarray(pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int64()).fill_null(0))

    month, day = part("month"), part("day")
    months = (part("year") - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]").astype(np.int64) == months)  # noqa: PLR2004
    fraction = pc.utf8_rpad(pc.struct_field(found, "fraction"), 9, "0")
    micros = np.asarray(pc.utf8_slice_codeunits(fraction, 0, 6).cast(pa.int64()).fill_null(0))
    seconds = (part("hour") * 60 + part("minute")) * 60 + part("second")
    wall = days.astype("datetime64[us]") + seconds.astype("timedelta64[s]") + micros.astype("timedelta64[us]")
    offset = pc.struct_field(found, "offset").dictionary_encode()
    minutes = np.array([_minutes(written) for written in offset.dictionary.to_pylist()] or [0], np.int64)
    which = np.asarray(offset.indices.fill_null(0))
    wall -= minutes[which].astype("timedelta64[m]")
    wall[missing | ~real] = _NEVER
    return wall, np.asarray(pc.equal(pc.struct_field(found, "offset"), "").fill_null(False))  # noqa: FBT003


def _minutes(offset: str) -> int:
    if offset in {"", "Z"}:
        return 0
    size = int(offset[1:3]) * 60 + int(offset[-2:])
    return -size if offset[0] == "-" else size


def _offsets(
    local: Moments, zone: ZoneInfo
) -> tuple[NDArray[np.timedelta64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Offset from UTC of each local time, and the masks of gap and fold.

    Clocks change on a few days a year, and never twice in one: where the offset at both ends of a day is the same,
    it holds for the whole day. Only times on the other days are looked up one by one.
    """
    days = local.astype("datetime64[D]")
    every, which = np.unique(days, return_inverse=True)
    starts = _look_up(every.astype("datetime64[us]"), zone, 0)
    steady = starts == _look_up((every + _DAY).astype("datetime64[us]"), zone, 0)
    offsets, later = starts[which], starts[which]
    moving = ~steady[which]
    offsets[moving] = _look_up(local[moving], zone, 0)
    later[moving] = _look_up(local[moving], zone, 1)
    return offsets, offsets < later, offsets > later


def _look_up(local: Moments, zone: ZoneInfo, fold: int) -> NDArray[np.timedelta64]:
    times: list[datetime] = local.tolist()
    found = [zone.utcoffset(time.replace(fold=fold)) or timedelta() for time in times]
    return np.array(found, "timedelta64[us]")
