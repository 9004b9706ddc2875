"""From dense entries to the cells of an answer: which entry lies in which cell, and which cell lies where."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Self, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.core.audience import SENSITIVE_RES
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat.store.entries import Entries
from layers.heat.store.kernels import BLOCK_BITS, Places, Values, gather

Areas = frozenset[int] | None

_M_PER_DEGREE = 110_000.0
_NEARLY_POLE = 89.9
_KEPT = 64  # selections, of some 17 bytes an entry that counts; the tiles of one screen are some 30


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

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """float64[m, 2], lon-lat degrees."""
        return hexgrid.centre(self.cell)


@dataclass(frozen=True, eq=False)
class Selection:
    """The entries that count in an answer, and the cells that they count in.

    entry : int32[n], ascending.
    whole : bool[n], whether all of the cell of SENSITIVE_RES around the entry is inside of the mask.
    rank : int32[n], place of each entry's cell in `cell`.
    cell : uint64[m], ascending.
    blocks : of the entries.
    """

    entry: NDArray[np.int32]
    whole: NDArray[np.bool_]
    rank: NDArray[np.int32]
    cell: NDArray[np.uint64]
    blocks: Places

    @classmethod
    def of(cls, kept: NDArray[np.bool_], whole: NDArray[np.bool_], rolled: Rollup) -> Self:
        """Those that are kept, of all entries."""
        entry = np.flatnonzero(kept)
        rank = rolled.rank[entry]
        held = np.zeros(len(rolled.cell), bool)
        held[rank] = True
        place = np.cumsum(held, dtype=np.int32) - 1
        blocks = np.unique(entry >> BLOCK_BITS)
        return cls(entry.astype(np.int32), whole[entry], place[rank], rolled.cell[held], blocks)

    def sums(self, plain: Values, hidden: Values | None) -> Values:
        """Sums by cell of what is told by entry.

        hidden : what may only be counted in whole cells of SENSITIVE_RES, so that no mask cuts smaller pieces out
            of them; none where there is nothing to hide.
        """
        sums = cast("Values", np.zeros(len(self.cell), plain.dtype))
        gather(plain, self.entry, self.rank, sums)
        if hidden is not None:
            gather(hidden, self.entry[self.whole], self.rank[self.whole], sums)
        return sums


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

    @cached_property
    def selection(self) -> Callable[[int, Areas, shapely.Geometry | None, Bbox | None], Selection]:
        """What counts in an answer of a resolution, areas, polygon and box; kept for those asked for last.

        As screens ask for theirs over and over. Of areas, entries that stand in one of them; of a polygon, those
        whose base cell has its centre inside; of a box, those whose cell of the resolution touches it.
        """
        return lru_cache(_KEPT)(self._select)

    def _select(self, res: int, areas: Areas, polygon: shapely.Geometry | None, bbox: Bbox | None) -> Selection:
        kept = np.ones(len(self.entries), bool)
        if areas is not None:
            kept &= np.isin(self.entries.areas, list(areas))[self.entries.area_rank]
        if polygon is not None:
            base = self.at(self.base_res)
            kept &= _within(base.centre, polygon)[base.rank]
        whole = self._whole(kept)
        rolled = self.at(res)
        if bbox is not None:
            kept &= touching(rolled.cell, bbox, rolled.centre)[rolled.rank]
        if kept.all() and (areas, polygon, bbox) != (None, None, None):
            return self.selection(res, None, None, None)
        return Selection.of(kept, whole, rolled)

    def _whole(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The entries of those cells of SENSITIVE_RES of which every entry is kept."""
        coarse = self.at(min(SENSITIVE_RES, self.base_res))
        cut = np.zeros(len(coarse.cell), bool)
        cut[coarse.rank[~kept]] = True
        return ~cut[coarse.rank]
