"""Outlines of heat cells, also where one answer mixes resolutions."""

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.geo import hexgrid


def outlines(cell: NDArray[np.uint64]) -> NDArray[np.object_]:
    """Polygon of each cell in lon-lat degrees, without the finer cells of the same answer that lie inside it.

    `cell` is sorted, which puts coarse before fine; so what remains of a merged cell does not cover its own
    published descendants.
    """
    shapes = hexgrid.outline(cell)
    res = hexgrid.resolution(cell)
    if cell.size == 0 or res[0] == res[-1]:
        return shapes
    for i in np.flatnonzero(res < res[-1]):
        finer = cell[res > res[i]]
        below = finer[hexgrid.parent(finer, int(res[i])) == cell[i]]
        if below.size:
            cut = shapely.union_all(shapes[np.searchsorted(cell, below)])
            shapes[i] = shapely.difference(shapes[i], cut)
    return shapes
