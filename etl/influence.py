"""How far a place reaches: its geometry widened by metres on the ground."""

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.plane import metres_per_degree
from etl.repair import multi


def widen(shapes: NDArray[np.object_], metres: NDArray[np.float64]) -> NDArray[np.object_]:
    """Widen each of n geometries in lon-lat degrees by its own float64[n] metres, to MultiPolygon.

    Each is measured in a plane that touches the ellipsoid at its own middle; within 10 km of there a distance is
    wrong by less than 0.2 % at latitudes up to 60 degrees. Without metres a point or line covers nothing: none.
    """
    west, south, east, north = shapely.bounds(shapes).T
    middle = np.column_stack([(west + east) / 2, (south + north) / 2])
    scale = metres_per_degree(middle[:, 1])
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    plane = shapely.set_coordinates(shapes.copy(), (corners - middle[owner]) * scale[owner])
    wide = shapely.buffer(plane, metres, quad_segs=16)
    corners, owner = shapely.get_coordinates(wide, return_index=True)
    return multi(shapely.set_coordinates(wide, corners / scale[owner] + middle[owner]))
