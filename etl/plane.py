"""What shapes in lon-lat degrees measure on the ground."""

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

Shapes = NDArray[np.object_]

LEAST_AREA_M2 = 1.0
"""A polygon of less is a slip of the hand: no area, lot or building is smaller."""

LEAST_WIDTH_M = 0.1
"""A polygon that is narrower on average is the same border drawn twice: files keep six decimals of a degree."""

_EQUATOR_M = 6_378_137.0
_ECCENTRICITY2 = 0.006_694_379_990_141_317  # WGS 84


def metres_per_degree(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of one degree east and one degree north on the ellipsoid: float64[n, 2]."""
    phi = np.radians(latitude)
    flat = 1 - _ECCENTRICITY2 * np.sin(phi) ** 2
    east = _EQUATOR_M * np.cos(phi) / np.sqrt(flat)
    north = _EQUATOR_M * (1 - _ECCENTRICITY2) / flat**1.5
    return np.radians(np.column_stack([east, north]))


def square_metres(shapes: Shapes) -> NDArray[np.float64]:
    """Area of each of n polygons on the ellipsoid of WGS 84, in m2.

    Measured in a projection that keeps areas. Edges are taken as straight there and not in lon-lat, which makes a
    difference of less than 0.1 % to a triangle of 10 km, and in proportion less to a smaller one.
    """
    corners = shapely.get_coordinates(shapes)
    plane = np.column_stack(_equal_area().transform(*corners.T))
    return np.asarray(shapely.area(shapely.set_coordinates(shapes.copy(), plane)))


def slivers(shapes: Shapes) -> NDArray[np.bool_]:
    """Which of n polygons are slivers: below LEAST_AREA_M2, or below LEAST_WIDTH_M as 2 x area / perimeter."""
    _, south, _, north = shapely.bounds(shapes).T
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    scale = metres_per_degree((south + north) / 2)
    plane = shapely.set_coordinates(shapes.copy(), corners * scale[owner])
    area, around = np.asarray(shapely.area(plane)), np.asarray(shapely.length(plane))
    return (area < LEAST_AREA_M2) | (2 * area < LEAST_WIDTH_M * around)


@lru_cache(maxsize=1)
def _equal_area() -> Transformer:
    return Transformer.from_crs("EPSG:4326", "+proj=cea +ellps=WGS84", always_xy=True)
