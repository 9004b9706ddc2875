"""Which cells can hold incidents of a heat layer, as everybody can tell from the map."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg.rows import DictRow
from psycopg.types.range import Range

from layers.catalog.city import City
from layers.core.statement import Statement
from layers.geo import hexgrid

# The city is no zone type: its bit is -1.
_SHAPES = """
select -1 as bit, valid, ST_AsBinary(geom) as shape
from onemap.area_version join onemap.area using (area_id) where level_rank = 0
union all
select zone.bit, version.valid, ST_AsBinary(version.influence)
from onemap.risk_area_version version join onemap.risk_area using (risk_area_id)
  join onemap.zone_type zone on zone.code = risk_area.zone_type"""


class Ground(NamedTuple):
    """Cells of one resolution: that touch the city, that each zone type touches, and that zones cover together."""

    city: NDArray[np.uint64]
    zones: Sequence[NDArray[np.uint64]]
    covered: NDArray[np.uint64]


class Grounds:
    """The city's outline and the influence of its risk areas through time, as cells of resolution `res`."""

    def __init__(self, rows: Sequence[DictRow], types: int, res: int) -> None:
        self._types = types
        self._bit = np.array([row["bit"] for row in rows], dtype=np.int64)
        self._valid: list[Range[datetime]] = [row["valid"] for row in rows]
        self._shape = shapely.from_wkb([row["shape"] for row in rows])
        self._touched = hexgrid.touched([row["shape"] for row in rows], res)
        self._known: dict[tuple[int, ...], Ground] = {}

    @classmethod
    def read(cls, connection: psycopg.Connection[DictRow], city: City, res: int) -> Self:
        """As the database knows them."""
        return cls(connection.execute(_SHAPES, binary=True).fetchall(), len(city.zone_types), res)

    def during(self, span: Range[datetime]) -> Ground:
        """What is valid at any time within the span."""
        at = tuple(i for i, valid in enumerate(self._valid) if _overlap(valid, span))
        if at not in self._known:  # months mostly have the same
            city, *zones = (
                _together([self._touched[i] for i in at if self._bit[i] == bit]) for bit in range(-1, self._types)
            )
            shapes = self._shape[[i for i in at if self._bit[i] >= 0]]
            self._known[at] = Ground(city, zones, _covered(_together(zones), shapes))
        return self._known[at]


def _overlap(a: Range[datetime], b: Range[datetime]) -> bool:
    return _starts_before(a, b.upper) and _starts_before(b, a.upper)


def _starts_before(span: Range[datetime], end: datetime | None) -> bool:
    return span.lower is None or end is None or span.lower < end


def _together(cells: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    return np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *cells]))


def _covered(cells: NDArray[np.uint64], shapes: NDArray[np.object_]) -> NDArray[np.uint64]:
    """Cells of which all corners lie in a shape: those that the shapes cover, and some with a hole between."""
    corners, owner = shapely.get_coordinates(hexgrid.outline(cells), return_index=True)
    inside = np.zeros(owner.size, dtype=bool)
    inside[shapely.STRtree(shapes).query(shapely.points(corners), predicate="intersects")[0]] = True
    bare = np.bincount(owner, ~inside, minlength=cells.size) > 0
    return cells[~bare]


def outline(at: datetime) -> Statement:
    """The city's outline, to which what is merged is cut: `shape` as WKB; no row in an empty city."""
    return Statement(
        """select ST_AsBinary(geom) as shape from onemap.area_version join onemap.area using (area_id)
        where level_rank = 0 and valid @> %(at)s::timestamptz order by code limit 1""",
        {"at": at},
    )
