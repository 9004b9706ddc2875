"""The one door to H3.

Cells are uint64 here, bigint in SQL and hex text on the wire (they exceed 2^53, so a JSON number would lose bits).
Roll-up is always by id: a parent does not contain its children exactly, so one rule is used everywhere.
Bulk work goes to h3ronpy, which imports no frame library and agrees with h3-py bit for bit.
"""

from collections.abc import Sequence

import h3
import numpy as np
import pyarrow as pa
import shapely
from h3ronpy import ContainmentMode, cells_area_m2, cells_to_string, grid_disk_distances
from h3ronpy.vector import (
    cells_to_coordinates,
    cells_to_wkb_polygons,
    coordinates_to_cells,
    geometry_to_cells,
    wkb_to_cells,
)
from numpy.typing import NDArray

from layers.geo.bbox import Bbox

FINEST = 15
HALF_TURN = 180.0

_RES_SHIFT = np.uint64(52)
_RES_MASK = np.uint64(15 << 52)
_GLOBE = shapely.box(-180, -90, 180, 90)


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
    """Outline of each cell as a shapely polygon, lon-lat degrees.

    Across the antimeridian it is cut in two (RFC 7946, 3.1.9), and around a pole it reaches up to it.
    """
    shapes = shapely.from_wkb(outline_wkb(cells))
    west, _, east, _ = shapely.bounds(shapes).T
    for i in np.flatnonzero(east - west > HALF_TURN):
        shapes[i] = _cut(shapely.get_coordinates(shapes[i]))
    return shapes


def _cut(ring: NDArray[np.float64]) -> shapely.Geometry:
    """Closed ring of float64[n, 2] whose longitudes jump by a turn, as polygons within -180..180."""
    turn = 2 * HALF_TURN
    ring = np.column_stack([np.unwrap(ring[:, 0], period=turn), ring[:, 1]])
    if abs(ring[-1, 0] - ring[0, 0]) > HALF_TURN:
        pole = np.copysign(90.0, ring[0, 1])
        ring = np.vstack([ring, [[ring[-1, 0], pole], [ring[0, 0], pole]]])
    else:
        ring = ring[:-1]  # the turns that were added may keep its end from being its start to the last bit
    shifted = [shapely.polygons(ring + np.array([by, 0.0])) for by in (-turn, 0.0, turn)]
    return shapely.union_all(shapely.intersection(shifted, _GLOBE))


def disk(cells: NDArray[np.uint64], k: int) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint32]]:
    """All cells within `k` steps of each cell, itself too.

    Returns
    -------
    place : int64[m], ascending: position in `cells` of the cell in the middle.
    near : uint64[m], the cell near it; fewer where a pentagon takes up room.
    steps : uint32[m], how many steps lie between, 0 to `k`.
    """
    near, steps = pa.record_batch(grid_disk_distances(cells, k)).columns
    place = np.repeat(np.arange(cells.size), np.diff(np.asarray(near.offsets)))
    return place, np.asarray(near.flatten()), np.asarray(steps.flatten())


def area_m2(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """True area of each cell in square metres; the published averages are 40 % wrong in places."""
    return np.asarray(cells_area_m2(cells), dtype=np.float64)


def cover(bbox: Bbox, res: int) -> NDArray[np.uint64]:
    """Every cell at `res` that touches `bbox`, sorted."""
    # An edge of more than half a turn would be taken for the short way round.
    boxes = [
        shapely.box(lon, south, min(lon + HALF_TURN, east), north)
        for west, south, east, north in bbox.parts()
        for lon in ((west, west + HALF_TURN) if east - west > HALF_TURN else (west,))
    ]
    found = [
        np.asarray(geometry_to_cells(box, res, ContainmentMode.IntersectsBoundary), dtype=np.uint64)
        for box in boxes
    ]
    return np.unique(np.concatenate(found))


def touched(shapes: list[bytes], res: int) -> list[NDArray[np.uint64]]:
    """The cells at `res` that each shape touches; `shapes` are WKB in lon-lat degrees."""
    found = wkb_to_cells(shapes, res, ContainmentMode.IntersectsBoundary)
    return [np.array(cells, dtype=np.uint64) for cells in found.to_pylist()]


def inside(shape: bytes, res: int) -> NDArray[np.uint64]:
    """The cells at `res` whose centre lies in a shape, WKB in lon-lat degrees."""
    found = wkb_to_cells([shape], res, ContainmentMode.ContainsCentroid)
    return np.array(found.to_pylist()[0], dtype=np.uint64)


def middle(shape: bytes, res: int) -> NDArray[np.uint64]:
    """The one cell at `res` that holds a point within a shape, WKB in lon-lat degrees."""
    return index(shapely.get_coordinates(shapely.point_on_surface(shapely.from_wkb(shape))), res)


def to_text(cells: Sequence[int] | NDArray[np.uint64]) -> list[str]:
    """Hex text of each cell, as on the wire."""
    texts: list[str] = cells_to_string(np.asarray(cells, dtype=np.uint64)).to_pylist()
    return texts
