"""Checks of whole columns: each gives the typed values and notes every reason against every row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from etl.datum import LonLat, to_lonlat
from etl.fields import Fields, plain
from etl.findings import Findings, Mask, mask
from etl.keys import digests
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.times import Moments, instants
from layers.catalog.city import City

AHEAD = timedelta(minutes=5)
"""How far the clock of a source may run before ours; beyond it a time lies in the future."""

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Checked:
    """What the checks made of n rows.

    table : n rows, typed, with the `content_hash` of each; a value that did not pass is missing.
    findings : the reasons against each row.
    notes : what was done to rows beyond reading them, counted.
    """

    table: pa.Table
    findings: Findings
    notes: dict[str, int]


@dataclass(frozen=True)
class Checker:
    """The n rows of one file on their way through the checks; `findings` and `notes` fill up."""

    raw: RawFrame
    source: Source
    city: City
    now: datetime
    findings: Findings
    notes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: RawFrame, source: Source, city: City, now: datetime) -> "Checker":
        """Start with what no database can hold: a NUL character in any text."""
        findings = Findings(len(raw))
        for name in raw.table.column_names:
            column = plain(raw.table.column(name))
            if pa.types.is_string(column.type):
                holds = np.asarray(pc.match_substring(column, "\0").fill_null(False))  # noqa: FBT003
                findings.add(holds, f"column '{name}' holds a NUL character")
        return cls(raw, source, city, now, findings)

    @property
    def fields(self) -> Fields:
        """The rows by target field."""
        return Fields(self.raw, self.source)

    def done(self, columns: dict[str, pa.Array]) -> Checked:
        """The result, from the typed columns."""
        hashed = columns | {"content_hash": digests(list(columns.values()))}
        return Checked(pa.table(hashed), self.findings, {k: v for k, v in self.notes.items() if v})

    def text(self, name: str, *, required: bool = False) -> pa.StringArray:
        """A text field."""
        found = self.fields.text(name)
        if required:
            self.findings.add(np.asarray(found.is_null()), f"{name} is missing")
        return found

    def choice(self, name: str, allowed: Sequence[str]) -> pa.StringArray:
        """A required field that is one of `allowed`; what is not becomes missing."""
        found = self.text(name, required=True)
        fits = pc.is_in(found, pa.array(allowed, pa.string()))
        unknown = np.asarray(pc.and_not(found.is_valid(), fits))
        self.findings.add(unknown, lambda i: f"{name} '{mask(found[i])}' is not known")
        return pc.if_else(fits, found, pa.scalar(None, pa.string()))

    def instant(self, name: str, *, required: bool = False, past: bool = False) -> pa.Array:
        """A time as timestamp[us, UTC]; `past`: it may not lie in the future."""
        column = self.fields.column(name)
        if pa.types.is_string(column.type):
            column = self.fields.text(name)
        found = instants(column, self.source.zone(self.city))
        if required:
            self.findings.add(np.asarray(column.is_null()), f"{name} is missing")
        self.findings.add(found.unreadable, lambda i: f"{name} '{mask(column[i])}' is not an ISO 8601 time")
        if past:
            latest = np.datetime64((self.now + AHEAD).replace(tzinfo=None), "us")
            self.findings.add(found.at > latest, lambda i: f"{name} {found.at[i]}Z lies in the future")
        self.note("dst_gap", found.in_gap)
        self.note("dst_fold", found.in_fold)
        return stamps(found.at)

    def number(self, name: str) -> NDArray[np.float64]:
        """A required number; NaN where it did not pass."""
        values, unreadable = self.fields.number(name)
        column = self.fields.column(name)
        self.findings.add(np.asarray(column.is_null()), f"{name} is missing")
        self.findings.add(unreadable, lambda i: f"{name} '{mask(column[i])}' is not a number")
        wild = ~np.isfinite(values) & ~unreadable & np.asarray(column.is_valid())
        self.findings.add(wild, f"{name} is not a finite number")
        return np.where(np.isfinite(values), values, np.nan)

    def truth(self, name: str) -> NDArray[np.bool_]:
        """A yes or no; no where it is missing."""
        values, unreadable = self.fields.truth(name)
        self.findings.add(unreadable, f"{name} is neither true nor false")
        return values

    def points(self) -> LonLat:
        """Places as float64[n, 2], lon-lat degrees inside the city's extent; NaN where they did not pass."""
        if self.source.has_points:
            xy = np.column_stack([self.number("lon"), self.number("lat")])
        else:
            shapes = self.shapes({shapely.GeometryType.POINT})
            xy = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
        here = np.isfinite(xy).all(axis=1)
        lonlat = np.full_like(xy, np.nan)
        lonlat[here] = to_lonlat(self.source.datum)(xy[here])
        self._inside(lonlat[here], np.flatnonzero(here))
        lonlat[~self.findings.good] = np.nan
        return lonlat

    def shapes(self, kinds: set[shapely.GeometryType]) -> Shapes:
        """Geometries of the file as they are, flat; none where there is none or it is of another kind."""
        found = np.asarray(shapely.force_2d(self.raw.shapes), np.object_)
        kind = np.asarray(shapely.get_type_id(found))
        self.findings.add(kind < 0, "geometry is missing")
        fits = np.isin(kind, [int(k) for k in kinds])
        self.findings.add(
            (kind >= 0) & ~fits, lambda i: f"geometry is a {shapely.GeometryType(int(kind[i])).name.lower()}"
        )
        empty = fits & shapely.is_empty(found)
        self.findings.add(empty, "geometry is empty")
        corners, owner = shapely.get_coordinates(found, return_index=True)
        wild = np.zeros(len(found), np.bool_)
        wild[owner[~np.isfinite(corners).all(axis=1)]] = True
        self.findings.add(wild, "geometry has a coordinate that is not finite")
        found[~fits | empty | wild] = None
        return found

    def placed(self, shapes: Shapes) -> Shapes:
        """Geometries in lon-lat degrees, with every corner inside the city's extent; none where it is not."""
        here = np.flatnonzero(shapely.get_type_id(shapes) >= 0)
        corners, owner = shapely.get_coordinates(shapes[here], return_index=True)
        lonlat = to_lonlat(self.source.datum)(corners)
        outside = self._inside(lonlat, here[owner])
        moved = shapes.copy()
        moved[here] = shapely.set_coordinates(moved[here], lonlat)
        moved[outside] = None
        return moved

    def validity(self) -> tuple[pa.Array, pa.Array]:
        """The fields valid_from and valid_to; either may be missing."""
        start, end = self.instant("valid_from"), self.instant("valid_to")
        empty = np.asarray(pc.greater_equal(start, end).fill_null(False))  # noqa: FBT003
        self.findings.add(empty, "valid_from is not before valid_to")
        return start, end

    def note(self, what: str, where: Mask) -> None:
        """Count what was done to rows."""
        self.notes[what] = self.notes.get(what, 0) + int(np.count_nonzero(where))

    def _inside(self, lonlat: LonLat, owner: NDArray[np.int64]) -> Mask:
        """Hold each of float64[m, 2], of row `owner`, against the extent; bool[n], true where a row fails."""
        count = len(self.raw)
        image = np.isfinite(lonlat).all(axis=1)
        lost = np.zeros(count, np.bool_)
        lost[owner[~image]] = True
        self.findings.add(lost, f"coordinate has no place on earth in {self.source.datum}")
        west, south, east, north = self.city.extent
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        out = image & ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        first = np.full(count, -1)
        first[owner[out][::-1]] = np.flatnonzero(out)[::-1]

        def reason(index: int) -> str:
            x, y = lonlat[first[index]].tolist()
            swapped = west <= y <= east and south <= x <= north
            hint = "; lon and lat look swapped" if swapped else ""
            return f"coordinate {x:.5f}, {y:.5f} lies outside the extent of {self.city.code}{hint}"

        self.findings.add(first >= 0, reason)
        return lost | (first >= 0)


def stamps(moments: Moments) -> pa.Array:
    """datetime64[us] in UTC as a column; NaT is missing."""
    return pa.array(moments.astype(np.int64), pa.int64(), mask=np.isnat(moments)).cast(pa.timestamp("us", "UTC"))


def numbers(values: NDArray[np.float64]) -> pa.Array:
    """float64 as a column; NaN is missing."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def ewkb(shapes: Shapes) -> pa.Array:
    """Geometries in EPSG:4326 as a column of EWKB; none is missing."""
    return pa.array(shapely.to_wkb(shapely.set_srid(shapes, 4326), include_srid=True), pa.binary())
