"""What is made of heat cells: rates, top cells, differences and coarser resolutions.

Cells come as uint64[n], ascending and distinct, with a value each.
"""

import numpy as np
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat.store.kernels import Values

Heat = tuple[NDArray[np.uint64], Values]


def per_km2(cell: NDArray[np.uint64], value: Values) -> NDArray[np.float64]:
    """Value per square kilometre of each cell's own area, float64[n]."""
    return value / (hexgrid.area_m2(cell) / 1e6)


def top(cell: NDArray[np.uint64], value: Values, n: int) -> Heat:
    """The `n` cells of greatest value, greatest first; of equal ones the lowest id first."""
    order = np.lexsort((cell, -value))[:n]
    return cell[order], value[order]


def difference(new: Heat, old: Heat) -> Heat:
    """Cells of either, ascending, with `new` minus `old`; those where nothing changed are left out."""
    cell, place = np.unique(np.concatenate([new[0], old[0]]), return_inverse=True)
    value = np.zeros(cell.size, np.result_type(new[1], old[1]))
    value[place[: new[0].size]] += new[1]
    value[place[new[0].size :]] -= old[1]
    changed = value != 0
    return cell[changed], value[changed]


def roll_up(cell: NDArray[np.uint64], value: Values, res: int) -> Heat:
    """Sums by ancestor at `res`, ascending; all cells are of one resolution, and `res` is not finer."""
    above = hexgrid.parent(cell, res)  # ascending too: an ancestor is the upper bits of its cell
    first = np.flatnonzero(np.diff(above, prepend=~above[:1]))
    return above[first], np.add.reduceat(value, first)
