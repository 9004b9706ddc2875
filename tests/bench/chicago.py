"""Real incidents of Chicago, 2001 to 2018, where the files of one year each are at hand; their beats serve as areas.

What patrols found is not told, so all of it counts as reported.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from layers.geo import hexgrid
from layers.heat.store.events import Events, Plane

RES, BOX = 10, (-87.95, 41.6, -87.5, 42.05)
ZONE = "America/Chicago"
LOOP, BEAT_DEG = (-87.63, 41.88), (0.012, 0.009)  # half the sides of 2 x 2 km


class Chicago:
    """The events of all yearly files in a folder: a `Town`, with one part a year."""

    def __init__(self, folder: Path) -> None:
        tables = [_rows(path) for path in sorted(folder.glob("incidents_*.parquet"))]
        self.time_zone = ZONE
        self._names = sorted(set().union(*(pc.unique(table["category"]).to_pylist() for table in tables)))
        self.codes = [f"c{number:02}" for number in range(len(self._names))]
        self.weight = np.random.default_rng(4).integers(1, 51, len(self.codes))
        self.planes = [Plane(code, patrol=False) for code in self.codes]
        self._parts = [self._events(table) for table in tables]
        self.count = sum(map(len, self._parts))
        self.start = int(self._parts[0].t.min())
        self.end = int(self._parts[-1].t.max()) + 1
        self.district = tuple(range(111, 115))
        cells = np.unique(np.concatenate([part.cell for part in self._parts]))
        self.box = (*np.subtract(LOOP, BEAT_DEG), *np.add(LOOP, BEAT_DEG))
        self.beat = cells[(np.abs(hexgrid.centre(cells) - LOOP) < BEAT_DEG).all(axis=1)]

    def _events(self, table: pa.Table) -> Events:
        cell = hexgrid.index(np.column_stack([table["lon"].to_numpy(), table["lat"].to_numpy()]), RES)
        plane = pc.index_in(table["category"], pa.array(self._names)).to_numpy()
        return Events(
            table["t"].to_numpy(),
            cell,
            table["beat"].to_numpy(),
            plane.astype(np.int16),
            np.zeros(len(cell), np.uint32),
        )

    def parts(self) -> Iterator[Events]:
        """The years."""
        return iter(self._parts)


def _rows(path: Path) -> pa.Table:
    """Rows with a place in the city: seconds since 1970, category, beat as a number, longitude and latitude."""
    table = pq.read_table(path, columns=["occurred_at", "category", "beat", "lon", "lat"])
    west, south, east, north = BOX
    lon, lat = pc.field("lon"), pc.field("lat")
    table = table.filter((lon > west) & (lon < east) & (lat > south) & (lat < north))
    local = table["occurred_at"].cast(pa.timestamp("s"))
    instant = pc.assume_timezone(local, ZONE, ambiguous="earliest", nonexistent="earliest")
    return pa.table({
        "t": instant.cast(pa.int64()),
        "category": table["category"].cast(pa.string()),
        "beat": pc.fill_null(table["beat"].cast(pa.string()).cast(pa.int64()), 0),
        "lon": table["lon"],
        "lat": table["lat"],
    })  # fmt: skip
