"""The desk where records are judged: each check takes one field of all and notes what is wrong with each."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layers.records.findings import Findings, Mask
from layers.records.personal import excerpt
from layers.records.sheet import Sheet
from layers.records.times import Moments, instants

AHEAD = timedelta(minutes=5)
"""How far the clock of a source may run before ours; beyond it a time lies in the future."""

_TURN = 360

LonLat = NDArray[np.float64]

_EARLIEST = np.datetime64("1900-01-01", "us")
_EDGES = ("0001-", "9999-")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")


@dataclass(frozen=True)
class Ground:
    """What records are held against: where, in which datum and zone, and when.

    extent : west, south, east, north in lon-lat degrees; a place outside it is a mistake.
    to_lonlat : takes float64[n, 2] in `datum` to lon-lat degrees.
    """

    city: str
    extent: tuple[float, float, float, float]
    zone: ZoneInfo
    now: datetime
    datum: str
    to_lonlat: Callable[[LonLat], LonLat]


@dataclass(frozen=True)
class Desk:
    """The n records of a sheet on their way through the checks; `findings` and `notes` fill up."""

    sheet: Sheet
    ground: Ground
    findings: Findings
    notes: dict[str, int] = field(default_factory=dict)

    def text(self, name: str, *, required: bool = False) -> pa.StringArray:
        """A text field."""
        found = self.sheet.text(name)
        if required:
            self.findings.add(np.asarray(found.is_null()), f"{name} is missing")
        return found

    def choice(self, name: str, allowed: Sequence[str]) -> pa.StringArray:
        """A required field that is one of `allowed`; what is not becomes missing."""
        found = self.text(name, required=True)
        fits = pc.is_in(found, pa.array(allowed, pa.string()))
        unknown = np.asarray(pc.and_not(found.is_valid(), fits))
        self.findings.add(unknown, lambda i: f"{name} '{excerpt(found[i])}' is not known")
        return pc.if_else(fits, found, pa.scalar(None, pa.string()))

    def instant(self, name: str, *, required: bool = False, past: bool = False) -> pa.Array:
        """A time as timestamp[us, UTC].

        `past` : it may lie neither in the future nor before 1900, where spreadsheets keep their empty dates.
        """
        column = self.sheet.column(name)
        if pa.types.is_string(column.type):
            column = self.sheet.text(name)
        found = instants(column, self.ground.zone)
        if required:
            self.findings.add(np.asarray(column.is_null()), f"{name} is missing")
        self.findings.add(found.unreadable, lambda i: _no_time(name, column[i]))
        if past:
            latest = np.datetime64((self.ground.now + AHEAD).replace(tzinfo=None), "us")
            self.findings.add(found.at > latest, lambda i: f"{name} {found.at[i]}Z lies in the future")
            self.findings.add(found.at < _EARLIEST, lambda i: f"{name} {found.at[i]}Z lies before 1900")
        self.note("dst_gap", found.in_gap)
        self.note("dst_fold", found.in_fold)
        return stamps(found.at)

    def number(self, name: str) -> NDArray[np.float64]:
        """A required number; NaN where it did not pass."""
        values, unreadable = self.sheet.number(name)
        column = self.sheet.column(name)
        self.findings.add(np.asarray(column.is_null()), f"{name} is missing")
        self.findings.add(unreadable, lambda i: f"{name} '{excerpt(column[i])}' is not a number")
        wild = ~np.isfinite(values) & ~unreadable & np.asarray(column.is_valid())
        self.findings.add(wild, f"{name} is not a finite number")
        return np.where(np.isfinite(values), values, np.nan)

    def count(self, name: str) -> pa.Array:
        """A whole number of things, int64; missing where there is none."""
        numbers, unreadable = self.sheet.whole(name)
        words = self.sheet.column(name)
        self.findings.add(unreadable, lambda i: f"{name} '{excerpt(words[i])}' is not a whole number")
        self.findings.add(np.asarray(pc.less(numbers, 0).fill_null(False)), f"{name} is below zero")  # noqa: FBT003
        return numbers

    def truth(self, name: str) -> NDArray[np.bool_]:
        """A yes or no; no where it is missing."""
        values, unreadable = self.sheet.truth(name)
        self.findings.add(unreadable, f"{name} is neither true nor false")
        return values

    def order(self, name: str) -> pa.Array:
        """Which state of a record is the later one: a whole number as it is, a time as microseconds since 1970."""
        numbers, _ = self.sheet.whole(name)
        words = self.sheet.column(name)
        times = instants(words if not pa.types.is_string(words.type) else self.sheet.text(name), self.ground.zone)
        moments = pa.array(times.at.astype(np.int64), pa.int64(), mask=np.isnat(times.at))
        found = pc.coalesce(numbers, moments)
        self.findings.add(np.asarray(words.is_null()), f"{name} is missing")
        astray = np.asarray(pc.and_(words.is_valid(), found.is_null()))
        self.findings.add(astray, lambda i: f"{name} '{excerpt(words[i])}' is neither a whole number nor a time")
        return found

    def points(self) -> LonLat:
        """Places given by the fields lon and lat: float64[n, 2], lon-lat degrees; NaN where they did not pass."""
        return self.pinned(np.column_stack([self.number("lon"), self.number("lat")]))

    def pinned(self, xy: LonLat) -> LonLat:
        """Points in the ground's datum as lon-lat degrees inside its extent; NaN where they are not."""
        here = np.isfinite(xy).all(axis=1)
        lonlat = np.full_like(xy, np.nan)
        lonlat[here] = self.ground.to_lonlat(xy[here])
        lonlat[self.inside(lonlat[here], np.flatnonzero(here))] = np.nan
        return lonlat

    def inside(self, lonlat: LonLat, owner: NDArray[np.int64]) -> Mask:
        """Hold each of float64[m, 2], of record `owner`, against the extent: bool[n], true where one fails."""
        ground = self.ground
        image = np.isfinite(lonlat).all(axis=1)
        lost = np.zeros(self.sheet.count, np.bool_)
        lost[owner[~image]] = True
        self.findings.add(lost, f"coordinate has no place on earth in {ground.datum}")
        west, south, east, north = ground.extent
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        out = image & ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        first = np.full(self.sheet.count, -1)
        first[owner[out][::-1]] = np.flatnonzero(out)[::-1]

        def reason(index: int) -> str:
            x, y = lonlat[first[index]].tolist()
            swapped = west <= y <= east and south <= x <= north
            hint = "; lon and lat look swapped" if swapped else ""
            return f"coordinate {_degrees(x)}, {_degrees(y)} lies outside the extent of {ground.city}{hint}"

        self.findings.add(first >= 0, reason)
        return lost | (first >= 0)

    def validity(self) -> tuple[pa.Array, pa.Array]:
        """The fields valid_from and valid_to; either may be missing."""
        start, end = self.instant("valid_from"), self.instant("valid_to")
        empty = np.asarray(pc.greater_equal(start, end).fill_null(False))  # noqa: FBT003
        self.findings.add(empty, "valid_from is not before valid_to")
        return start, end

    def note(self, what: str, where: Mask) -> None:
        """Count what was done to records."""
        self.notes[what] = self.notes.get(what, 0) + int(np.count_nonzero(where))


def _degrees(value: float) -> str:
    # What is far from any degree may be any number, as where columns are out of place.
    return f"{value:.5f}" if abs(value) <= _TURN else excerpt(f"{value:.0f}")


def _no_time(name: str, value: object) -> str:
    hint = "; it looks like a spreadsheet's serial number" if _SERIAL.fullmatch(str(value)) else ""
    if str(value).startswith(_EDGES):
        hint = "; times lie from 0001-01-02 to 9999-12-29"
    return f"{name} '{excerpt(value)}' is not an ISO 8601 time{hint}"


def stamps(moments: Moments) -> pa.Array:
    """datetime64[us] in UTC as a column; NaT is missing."""
    return pa.array(moments.astype(np.int64), pa.int64(), mask=np.isnat(moments)).cast(pa.timestamp("us", "UTC"))


def numbers(values: NDArray[np.float64]) -> pa.Array:
    """float64 as a column; NaN is missing."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))
