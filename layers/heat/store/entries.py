"""Dense entries: the pairs of base cell and finest area that any incident of the city stands in.

An area's mask is exact then, also where an area's border cuts a cell. Numbers are handed out once: what is added
later comes after what there is.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatStoreError
from layers.heat.store.kernels import MOST_ENTRIES, number_pairs

UNKNOWN = -1

_ROOM = 1 << 17


@dataclass(frozen=True, eq=False)
class Entries:
    """Pairs by number; `cell` is uint64[n], `area` int64[n] with 0 for no area, no pair stands twice."""

    cell: NDArray[np.uint64]
    area: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """No pairs yet."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.int64))

    @classmethod
    def of(cls, cell: NDArray[np.uint64], area: NDArray[np.int64]) -> Self:
        """The distinct pairs among those given, by cell and then by area. Raises as `numbered` does."""
        return cls.numbered(cell, area)[0]

    @classmethod
    def numbered(cls, cell: NDArray[np.uint64], area: NDArray[np.int64]) -> tuple[Self, NDArray[np.int64]]:
        """The distinct pairs among those given, by cell and then by area, and the number of each.

        Raises
        ------
        HeatStoreError : more than a store can number.
        """
        number = np.empty(len(cell), np.int32)
        known, room = -1, _ROOM
        while known < 0:
            cells, areas = np.empty(room, np.uint64), np.empty(room, np.int64)
            known = number_pairs(cell, area, np.full(4 * room, -1, np.int32), cells, areas, number)
            room *= 4
        if known > MOST_ENTRIES:
            raise HeatStoreError(f"more than {MOST_ENTRIES} pairs of cell and area", pairs=known)
        order = np.lexsort((areas[:known], cells[:known]))
        place = np.empty(known, np.int64)
        place[order] = np.arange(known)
        return cls(cells[order], areas[order]), place[number]

    def __len__(self) -> int:
        return len(self.cell)

    @cached_property
    def _cells(self) -> NDArray[np.uint64]:
        return np.unique(self.cell)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """The distinct areas, ascending."""
        return np.unique(self.area)

    @cached_property
    def area_rank(self) -> NDArray[np.int64]:
        """int64[n], place of each entry's area in `areas`."""
        return np.searchsorted(self.areas, self.area)

    @cached_property
    def _ordered(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A number for each pair, made of the places of its cell and its area, ascending; and whose it is."""
        code = np.searchsorted(self._cells, self.cell) * len(self.areas) + self.area_rank
        order = np.argsort(code)
        return code[order], order

    def find(self, cell: NDArray[np.uint64], area: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of each pair; UNKNOWN where it has none."""
        if len(self) == 0:
            return np.full(len(cell), UNKNOWN)
        c, known_cell = _place(self._cells, cell)
        a, known_area = _place(self.areas, area)
        code, order = self._ordered
        at, known_pair = _place(code, c * len(self.areas) + a)
        return np.where(known_cell & known_area & known_pair, order[at], UNKNOWN)

    def with_new(self, cell: NDArray[np.uint64], area: NDArray[np.int64]) -> Self:
        """These and, after them, those of the given pairs that are not among them.

        Raises
        ------
        HeatStoreError : more than a store can number.
        """
        unknown = self.find(cell, area) == UNKNOWN
        if not unknown.any():
            return self
        new = Entries.of(cell[unknown], area[unknown])
        if len(self) + len(new) > MOST_ENTRIES:
            raise HeatStoreError(f"more than {MOST_ENTRIES} pairs of cell and area", pairs=len(self) + len(new))
        return type(self)(np.concatenate([self.cell, new.cell]), np.concatenate([self.area, new.area]))


def _place(among: NDArray[np.generic], value: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Place of each value in the ascending, non-empty `among`, and whether it stands there."""
    at = np.minimum(np.searchsorted(among, value), len(among) - 1)
    return at, np.asarray(among[at] == value)
