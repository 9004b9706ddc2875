"""The desk of one file: what every check of a file's rows needs beyond the checks of records themselves."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from etl.datum import to_lonlat
from etl.fields import sheet
from etl.keys import digests
from etl.ledger import Entry
from etl.readers.base import RawFrame
from etl.spec import Source
from layers.catalog.city import City
from layers.records.desk import Desk, Ground, LonLat
from layers.records.findings import Findings
from layers.records.sheet import plain

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Checked:
    """What the checks made of n rows.

    table : n rows, typed, with the `content_hash` of each; a value that did not pass is missing.
    findings : the reasons against each row.
    notes : what was done to rows beyond reading them, counted.
    entries : what the ledger keeps of that.
    masked : how many spans were masked, by column and kind.
    """

    table: pa.Table
    findings: Findings
    notes: dict[str, int]
    entries: list[Entry]
    masked: Counter[tuple[str, str]]


@dataclass(frozen=True)
class Checker(Desk):
    """The n rows of one file, or of a part of it, on their way through the checks."""

    raw: RawFrame = field(kw_only=True)
    source: Source = field(kw_only=True)
    city: City = field(kw_only=True)
    entries: list[Entry] = field(default_factory=list)
    masked: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, raw: RawFrame, source: Source, city: City, now: datetime) -> Self:
        """Start with what no database can hold: a NUL character in any text; U+FFFD stands in for it.

        Raises
        ------
        UnknownDatum : the source's datum is none.
        """
        findings = Findings(len(raw))
        table = raw.table
        for place, name in enumerate(table.column_names):
            column = plain(table.column(name))
            if pa.types.is_string(column.type):
                holds = np.asarray(pc.match_substring(column, "\0").fill_null(False))  # noqa: FBT003
                findings.add(holds, f"column '{name}' holds a NUL character")
                if holds.any():
                    column = pc.replace_substring(column, "\0", "\N{REPLACEMENT CHARACTER}")
                    table = table.set_column(place, name, column)
        raw = replace(raw, table=table)
        west, south, east, north = city.extent
        ground = Ground(
            city.code, (west, south, east, north), source.zone(city), now, source.datum, to_lonlat(source.datum)
        )
        return cls(sheet(raw, source), ground, findings, raw=raw, source=source, city=city)

    def done(self, columns: dict[str, pa.Array], said: pa.Array | None = None) -> Checked:
        """The result, from the typed columns; `said`, where given, stands before each content hash."""
        content = digests(list(columns.values()))
        if said is not None:
            content = pc.binary_join_element_wise(said, content, b"")
        hashed = columns | {"content_hash": content}
        notes = {what: count for what, count in self.notes.items() if count}
        return Checked(pa.table(hashed), self.findings, notes, self.entries, self.masked)

    def record(self, entry: Entry) -> None:
        """Keep what was repaired or found."""
        self.entries.append(entry)

    def points(self) -> LonLat:
        """Places as float64[n, 2], lon-lat degrees inside the city's extent; NaN where they did not pass."""
        if self.source.has_points:
            return super().points()
        shapes = self.shapes({shapely.GeometryType.POINT})
        return self.pinned(np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)]))

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
        lonlat = self.ground.to_lonlat(corners)
        outside = self.inside(lonlat, here[owner])
        found = shapes.copy()
        found[here] = shapely.set_coordinates(found[here], lonlat)
        found[outside] = None
        return found


def ewkb(shapes: Shapes) -> pa.Array:
    """Geometries in EPSG:4326 as a column of EWKB; none is missing."""
    return pa.array(shapely.to_wkb(shapely.set_srid(shapes, 4326), include_srid=True), pa.binary())
