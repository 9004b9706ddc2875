"""The one door to H3.

Cells are uint64 here, bigint in SQL and hex text on the wire (they exceed 2^53, so a JSON number would lose bits).
Roll-up is always by id: a parent does not contain its children exactly, so one rule is used everywhere.
Bulk work goes to h3ronpy, which imports no frame library and agrees with h3-py bit for bit.
"""

from collections.abc import Sequence

import h3
import numpy as np
import shapely
from h3ronpy import ContainmentMode, cells_area_m2, cells_to_string
from h3ronpy.vector import (
    cells_to_coordinates,
    cells_to_wkb_polygons,
    coordinates_to_cells,
    geometry_to_cells,
)
from numpy.typing import NDArray

from layers.geo.bbox import Bbox

FINEST = 15

_RES_SHIFT = np.uint64(52)
_RES_MASK = np.uint64(15 << 52)


def index(lonlat: NDArray[np.float64], res: int) -> NDArray[np.uint64]:
    """Cell of each point; `lonlat` is float64[n, 2] in degrees, `res` 0-15."""
    latitude = np.ascontiguousarray(lonlat[:, 1])
    longitude = np.ascontiguousarray(lonlat[:, 0])
    return np.asarray(coordinates_to_cells(latitude, longitude, res), dtype=np.uint64)


def at(lon: float, lat: float, res: int) -> int:
    """Cell of one point in degrees."""
    return int(h3.str_to_int(h3.latlng_to_cell(lat, lon, res)))


def parent(cells: NDArray[np.uint64], res: int) -> NDArray[np.uint64]:
    """Ancestor of each cell at `res`, which is not finer than any of them; by bits, as in SQL."""
    unused = np.uint64((1 << (3 * (FINEST - res))) - 1)
    return (cells & ~_RES_MASK) | (np.uint64(res) << _RES_SHIFT) | unused


def resolution(cells: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Resolution of each cell, 0-15."""
    return ((cells & _RES_MASK) >> _RES_SHIFT).astype(np.uint8)


def centre(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Centre of each cell: float64[n, 2], lon-lat degrees."""
    batch = cells_to_coordinates(cells)
    return np.column_stack([np.asarray(batch["lng"]), np.asarray(batch["lat"])])


def children_range(cell: int, res: int) -> tuple[int, int]:
    """Lowest and highest id among the descendants of `cell` at `res`: they are one contiguous range of ids."""
    own = (cell >> 52) & 15
    low = high = (cell & ~(15 << 52)) | (res << 52)
    for finer in range(own + 1, res + 1):
        shift = 3 * (FINEST - finer)
        low &= ~(7 << shift)
        high = (high & ~(7 << shift)) | (6 << shift)
    return low, high


def outline_wkb(cells: NDArray[np.uint64]) -> list[bytes]:
    """Outline of each cell as WKB, lon-lat degrees, in the order given."""
    return [bytes(wkb) for wkb in cells_to_wkb_polygons(cells).to_pylist()]


def outline(cells: NDArray[np.uint64]) -> NDArray[np.object_]:
    """Outline of each cell as a shapely polygon, lon-lat degrees."""
    return shapely.from_wkb(outline_wkb(cells))


def area_m2(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """True area of each cell in square metres; the published averages are 40 % wrong in places."""
    return np.asarray(cells_area_m2(cells), dtype=np.float64)


def cover(bbox: Bbox, res: int) -> NDArray[np.uint64]:
    """Every cell at `res` that touches `bbox`, sorted."""
    boxes = [shapely.box(*part) for part in bbox.parts()]
    found = [
        np.asarray(geometry_to_cells(box, res, ContainmentMode.IntersectsBoundary), dtype=np.uint64)
        for box in boxes
    ]
    return np.unique(np.concatenate(found))


def to_text(cells: Sequence[int] | NDArray[np.uint64]) -> list[str]:
    """Hex text of each cell, as on the wire."""
    texts: list[str] = cells_to_string(np.asarray(cells, dtype=np.uint64)).to_pylist()
    return texts
