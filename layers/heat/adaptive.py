"""Cells of mixed resolution: what is too little to be told is merged up the tree until it may be.

The rules and their reasons stand in public.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat import guard


@dataclass(frozen=True)
class Cells:
    """Cells of mixed resolution, coarse before fine, each with its count."""

    cell: NDArray[np.uint64]
    count: NDArray[np.int64]


@dataclass(frozen=True)
class Whole:
    """Published counts that others are a part of: int64[n], and how many finest cells can hold that part.

    `cells` is 0 where the published cell is itself of the finest resolution.
    """

    count: NDArray[np.int64]
    cells: NDArray[np.int64]

    def at(self, i: int) -> tuple[int, int]:
        """Count and cells of one of them."""
        return int(self.count[i]), int(self.cells[i])


@dataclass(frozen=True)
class Grain:
    """The least that is told, and the resolutions of the cells that it may be told of."""

    k: int
    finest: int
    coarsest: int


def adaptive(cell: NDArray[np.uint64], count: NDArray[np.int64], grain: Grain, of: Whole | None = None) -> Cells:
    """Merge cells up the tree until each may be told, with counts not yet rounded.

    Parameters
    ----------
    cell : uint64[n], distinct, of the resolutions of `grain`.
    count : int64[n], >= 0, in the order of `cell`.
    grain : what is enough, and how fine and coarse.
    of : published counts that `count` are a part of; none if they are a part of nothing published.
    """
    told: list[tuple[int, int]] = []
    resolution = hexgrid.resolution(cell)
    rest: list[_Rest] = []
    for res in range(grain.finest, grain.coarsest - 1, -1):
        for i in np.flatnonzero(resolution == res).tolist():
            own, may_be_told = _own(int(cell[i]), int(count[i]), grain.k, of.at(i) if of else None)
            if may_be_told:
                told.append((own.cell, own.count))
            else:
                rest.append(own)
        parents = hexgrid.parent(np.array([each.cell for each in rest], dtype=np.uint64), res)
        siblings: dict[int, list[_Rest]] = {}
        for parent, each in zip(parents.tolist(), rest, strict=True):
            siblings.setdefault(parent, []).append(each)
        rest = []
        for parent, parts in siblings.items():
            merged, may_be_told = _merge(parent, parts, grain.k)
            if may_be_told:
                told.append((merged.cell, merged.count))
            else:
                rest.append(merged)
    cells, place = np.unique(np.array([each for each, _ in told], dtype=np.uint64), return_inverse=True)
    return Cells(cells, summed(place, np.array([n for _, n in told], dtype=np.int64), cells.size))


@dataclass(frozen=True)
class _Rest:
    """Count of a cell that is not told yet, and the part that it is, from `start` on."""

    cell: int
    count: int
    start: int
    part: guard.Part


def _own(cell: int, count: int, k: int, of: tuple[int, int] | None) -> tuple[_Rest, bool]:
    """A count as it is given, and whether it may be told."""
    whole, cells = of or (None, 0)
    if whole is not None and cells:
        told, part = guard.several(cells, whole, k)
        return _Rest(cell, count, 0, part), bool(told >> count & 1)
    start, part = guard.part(count, whole, k)
    return _Rest(cell, count, start, part), count >= k and (whole is None or whole == count or whole - count >= k)


def _merge(cell: int, parts: list[_Rest], k: int) -> tuple[_Rest, bool]:
    """The sum of the parts of one cell, and whether it may be told."""
    count, start = sum(each.count for each in parts), sum(each.start for each in parts)
    if len(parts) == 1:
        return _Rest(cell, count, start, parts[0].part), False
    # In one order, as the same parts come again and again.
    told, part = guard.merge(tuple(sorted((each.part for each in parts), key=hash)), max(0, k - start))
    return _Rest(cell, count, start, part), bool(told >> count - start & 1)


def homes(fine: NDArray[np.uint64], published: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Place in `published`, which is sorted, of each cell's finest ancestor in it; and which cells have one."""
    home = np.zeros(fine.size, dtype=np.uint64)
    for res in np.unique(hexgrid.resolution(published)).tolist():
        ancestor = hexgrid.parent(fine, res)
        home = np.where(np.isin(ancestor, published), ancestor, home)
    return np.searchsorted(published, home[home > 0]), home > 0


def summed(place: NDArray[np.intp], count: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Sum of the counts at each of `size` places: int64[size]."""
    return np.bincount(place, count, minlength=size).astype(np.int64)
