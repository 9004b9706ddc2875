"""Outlines of heat cells, also where one answer mixes resolutions."""

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat.public import FINEST_RES

_AREAL = 2


def outlines(cell: NDArray[np.uint64], city: shapely.Geometry | None = None) -> NDArray[np.object_]:
    """Polygon of each cell in lon-lat degrees, without the finer cells of the same answer that lie inside it.

    `cell` is sorted, which puts coarse before fine; so what remains of a merged cell does not cover its own
    published descendants. Merged cells reach far beyond a city: with its outline given they are cut to it.
    """
    shapes = hexgrid.outline(cell)
    res = hexgrid.resolution(cell)
    if cell.size and res[0] != res[-1]:
        for i in np.flatnonzero(res < res[-1]):
            finer = cell[res > res[i]]
            below = finer[hexgrid.parent(finer, int(res[i])) == cell[i]]
            if below.size:
                cut = shapely.union_all(shapes[np.searchsorted(cell, below)])
                shapes[i] = shapely.difference(shapes[i], cut)
    if city is not None:
        merged = np.flatnonzero(res < FINEST_RES)
        shapes[merged] = _cut(shapes[merged], city)
    return shapes


def _cut(shapes: NDArray[np.object_], city: shapely.Geometry) -> NDArray[np.object_]:
    """Polygons cut to the city; one of which nothing would remain stays whole."""
    shapely.prepare(city)
    over = ~shapely.contains_properly(city, shapes)
    inside = shapely.intersection(shapes[over], city)
    # Where two edges only touch, lines and points are left beside the polygons.
    mixed = shapely.get_type_id(inside) == shapely.GeometryType.GEOMETRYCOLLECTION
    inside[mixed] = [_polygons(shape) for shape in inside[mixed]]
    whole = shapes.copy()
    whole[over] = np.where(shapely.area(inside) > 0, inside, shapes[over])
    return whole


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    areal: shapely.Geometry = shapely.multipolygons(parts[shapely.get_dimensions(parts) == _AREAL])
    return areal
