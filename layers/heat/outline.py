"""Outlines of heat cells, also where one answer mixes resolutions."""

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat.public import FINEST_RES


def outlines(cell: NDArray[np.uint64], city: shapely.Geometry | None = None) -> NDArray[np.object_]:
    """Polygon of each cell in lon-lat degrees, without the finer cells of the same answer that lie inside it.

    `cell` is sorted, which puts coarse before fine; so what remains of a merged cell does not cover its own
    published descendants. Merged cells reach far beyond a city: with its outline given they are cut to it.
    """
    shapes = hexgrid.outline(cell)
    res = hexgrid.resolution(cell)
    if city is not None:
        _cut(shapes, np.flatnonzero(res < FINEST_RES), city)
    if cell.size == 0 or res[0] == res[-1]:
        return shapes
    for i in np.flatnonzero(res < res[-1]):
        finer = cell[res > res[i]]
        below = finer[hexgrid.parent(finer, int(res[i])) == cell[i]]
        if below.size:
            cut = shapely.union_all(shapes[np.searchsorted(cell, below)])
            shapes[i] = shapely.difference(shapes[i], cut)
    return shapes


def _cut(shapes: NDArray[np.object_], merged: NDArray[np.intp], city: shapely.Geometry) -> None:
    """Cut the merged ones of `shapes` to the city, in place; one that lies outside altogether stays whole."""
    shapely.prepare(city)
    merged = merged[~shapely.contains_properly(city, shapes[merged]) & shapely.intersects(city, shapes[merged])]
    shapes[merged] = shapely.intersection(shapes[merged], city)
