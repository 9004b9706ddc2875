"""From dense entries to the cells of one resolution: which entry lies in which cell, and which cell lies where."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat.store.entries import Entries
from layers.heat.store.kernels import Values, gather

_M_PER_DEGREE = 110_000.0
_NEARLY_POLE = 89.9
_SHAPES = 64  # boxes, and polygons; a byte a cell each; the tiles of one screen are some 30


@dataclass(frozen=True, eq=False)
class Rollup:
    """Cells of one resolution that any entry lies in; roll-up is by id.

    cell : uint64[m], ascending.  rank : int32[entries], place of each entry's cell in `cell`.
    """

    cell: NDArray[np.uint64]
    rank: NDArray[np.int32]

    @classmethod
    def of(cls, base: NDArray[np.uint64], res: int) -> "Rollup":
        """Roll base cells, one an entry, up to `res`."""
        cell, rank = np.unique(hexgrid.parent(base, res), return_inverse=True)
        return cls(cell, rank.astype(np.int32))

    def sums(self, by_entry: Values, kept: NDArray[np.bool_]) -> Values:
        """Sums of the kept entries by cell, in the order of `cell`, of the type given."""
        sums = cast("Values", np.zeros(len(self.cell), by_entry.dtype))
        gather(by_entry, self.rank, kept, sums)
        return sums

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """float64[m, 2], lon-lat degrees."""
        return hexgrid.centre(self.cell)

    @cached_property
    def touching(self) -> Callable[[Bbox], NDArray[np.bool_]]:
        """Which cells touch a box; kept for the boxes asked for last, as screens ask for theirs over and over."""
        return lru_cache(_SHAPES)(partial(touching, self.cell, centre=self.centre))

    @cached_property
    def within(self) -> Callable[[shapely.Geometry], NDArray[np.bool_]]:
        """Which cells have their centre in a polygon; kept for the polygons asked for last."""
        return lru_cache(_SHAPES)(partial(_within, self.centre))


def touching(cell: NDArray[np.uint64], bbox: Bbox, centre: NDArray[np.float64] | None = None) -> NDArray[np.bool_]:
    """Which cells touch the box; only those with their centre close outside of it are looked at closely."""
    found = np.zeros(len(cell), bool)
    lon, lat = (hexgrid.centre(cell) if centre is None else centre).T
    # The way from a cell's centre to its farthest corner is 0.62 of its area's root.
    reach = float(np.sqrt(hexgrid.area_m2(cell[:1]).max(initial=0.0))) * 2 / _M_PER_DEGREE
    for west, south, east, north in bbox.parts():
        level = np.flatnonzero((south - reach <= lat) & (lat <= north + reach))
        away = np.abs((lon[level] - (west + east) / 2 + 540) % 360 - 180) - (east - west) / 2
        within = (away <= 0) & (south <= lat[level]) & (lat[level] <= north)
        found[level[within]] = True
        aside = reach / np.cos(np.radians(min(max(abs(south), abs(north)) + reach, _NEARLY_POLE)))
        near = level[(away <= aside) & ~within]
        found[near] |= shapely.intersects(hexgrid.outline(cell[near]), shapely.box(west, south, east, north))
    return found


def _within(centre: NDArray[np.float64], polygon: shapely.Geometry) -> NDArray[np.bool_]:
    """Which points, float64[n, 2] in lon-lat degrees, lie inside a polygon."""
    west, south, east, north = shapely.bounds(polygon)
    lon, lat = centre.T
    found: NDArray[np.bool_] = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
    shapely.prepare(polygon)
    found[found] = shapely.contains_xy(polygon, centre[found])
    return found


@dataclass(frozen=True, eq=False)
class Rollups:
    """The roll-ups of one set of entries, each made when it is first asked for."""

    entries: Entries
    _made: dict[int, Rollup] = field(default_factory=dict)

    def at(self, res: int) -> Rollup:
        """To cells of `res`, which is not finer than the entries'."""
        found = self._made.get(res)
        if found is None:
            found = self._made[res] = Rollup.of(self.entries.cell, res)
        return found

    @cached_property
    def base_res(self) -> int:
        """Resolution of the entries' own cells; the finest there is while there are no entries."""
        cell = self.entries.cell[:1]
        return int(hexgrid.resolution(cell)[0]) if len(cell) else hexgrid.FINEST

    @property
    def base(self) -> Rollup:
        """To the entries' own cells: one may lie in several areas."""
        return self.at(self.base_res)

    @cached_property
    def everything(self) -> NDArray[np.bool_]:
        """A mask that keeps every entry."""
        return np.ones(len(self.entries), bool)
