"""Households by cell: an area's are spread evenly over the base cells that it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat.store.kernels import Values

PER = 1000


@dataclass(frozen=True, eq=False)
class Homes:
    """Base cells, uint64[n] ascending, and the households of each, float64[n]."""

    cell: NDArray[np.uint64]
    households: NDArray[np.float64]

    @classmethod
    def of(cls, areas: Sequence[tuple[bytes, int]], res: int) -> Self:
        """From areas that do not overlap: outline as WKB, and households. A cell is covered where its centre is.

        An area that covers no centre has its households in the cell of its middle.
        """
        cells: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        shares: list[NDArray[np.float64]] = [np.empty(0)]
        for shape, households in areas:
            covered = hexgrid.inside(shape, res)
            if len(covered) == 0:
                covered = hexgrid.middle(shape, res)
            cells.append(covered)
            shares.append(np.full(len(covered), households / len(covered)))
        cell, place = np.unique(np.concatenate(cells), return_inverse=True)
        lived_in = np.bincount(place, np.concatenate(shares), minlength=len(cell))
        return cls(cell, lived_in.astype(np.float64))

    def rate(self, cell: NDArray[np.uint64], value: Values) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
        """Value per 1000 households of cells of one resolution; cells without any household are left out."""
        if len(cell) == 0:
            return cell, np.empty(0)
        above, place = np.unique(
            hexgrid.parent(self.cell, int(hexgrid.resolution(cell[:1])[0])), return_inverse=True
        )
        households = np.bincount(place, self.households, minlength=len(above))
        at = np.minimum(np.searchsorted(above, cell), len(above) - 1)
        lived_in = (above[at] == cell) & (households[at] > 0)
        return cell[lived_in], PER * value[lived_in] / households[at[lived_in]]
