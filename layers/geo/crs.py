"""Coordinate reference systems that answers may be in and boxes may be given in, by their OGC URIs.

Inside, everything is lon-lat. A system's own axis order counts outside: EPSG:4326 is latitude first, EPSG:4547
northing first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from layers.core.errors import BadValue
from layers.geo.bbox import Bbox, sides

_EPSG = "http://www.opengis.net/def/crs/EPSG/0"
_FARTHEST_M = 20_037_508.35  # half the equator: no coordinate in metres lies beyond
_EDGE_POINTS = 101
_MARGIN = 1e-6  # of a degree: an edge that bends between its points stays inside of its bounds


@dataclass(frozen=True)
class Crs:
    """One system: its URI, its number at EPSG, whether north comes first, and decimals that are 0.1 m or less."""

    uri: str
    srid: int
    north_first: bool
    decimals: int

    @property
    def geographic(self) -> bool:
        """Whether it is lon-lat degrees but for the order; CGCS2000 differs from WGS 84 by centimetres at most."""
        return self.srid in (4326, 4490)

    def lonlat(self, corners: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lon-lat degrees of corners with x to the east; float64[n, 2] both, infinite where there are none."""
        if self.geographic:
            return corners
        return np.column_stack(_to_lonlat(self.srid).transform(corners[:, 0], corners[:, 1]))

    @classmethod
    def named(cls, uri: str, parameter: str) -> "Crs":
        """The system of that URI.

        Raises
        ------
        BadValue : none of those offered.
        """
        found = BY_URI.get(uri)
        if found is None:
            raise BadValue(f"{parameter}: '{uri[:80]}' is not offered", parameter=parameter, offered=list(BY_URI))
        return found


CRS84 = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326, north_first=False, decimals=6)

BY_URI = {
    crs.uri: crs
    for crs in (
        CRS84,
        Crs(f"{_EPSG}/4326", 4326, north_first=True, decimals=6),
        Crs(f"{_EPSG}/3857", 3857, north_first=False, decimals=2),
        Crs(f"{_EPSG}/4490", 4490, north_first=True, decimals=6),
        Crs(f"{_EPSG}/4547", 4547, north_first=True, decimals=2),
    )
}


@dataclass(frozen=True)
class Frame:
    """A rectangle in the metres of a projected system, x to the east, and a lon-lat box that holds all of it."""

    crs: Crs
    left: float
    bottom: float
    right: float
    top: float
    around: Bbox

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in metres."""
        return self.left, self.bottom, self.right, self.top


def box(found: Sequence[float], crs: Crs, parameter: str = "bbox") -> Bbox | Frame:
    """A box of four numbers, or of six with heights, which are not used, in the axis order of `crs`.

    Raises
    ------
    BadValue : neither four nor six, reversed, or outside of where the system holds.
    """
    left, bottom, right, top = sides(found, parameter)
    if crs.north_first:
        left, bottom, right, top = bottom, left, top, right
    if crs.geographic:
        return Bbox.of(left, bottom, right, top, parameter)
    if left > right or bottom > top:
        raise BadValue(f"{parameter}: a side of it is on the wrong side of the other", parameter=parameter)
    bounds = (math.inf, math.inf, math.inf, math.inf)
    if max(abs(left), abs(right), abs(bottom), abs(top)) <= _FARTHEST_M:
        bounds = _to_lonlat(crs.srid).transform_bounds(left, bottom, right, top, densify_pts=_EDGE_POINTS)
    if not all(math.isfinite(bound) for bound in bounds):
        raise BadValue(f"{parameter}: outside of where {crs.uri} holds", parameter=parameter)
    west, south, east, north = bounds
    around = Bbox(
        max(west - _MARGIN, -180.0),
        max(south - _MARGIN, -90.0),
        min(east + _MARGIN, 180.0),
        min(north + _MARGIN, 90.0),
    )
    return Frame(crs, left, bottom, right, top, around)


@cache
def offered(extent: Bbox) -> tuple[Crs, ...]:
    """The systems that hold for all corners of `extent`."""
    x = (extent.west, extent.west, extent.east, extent.east)
    y = (extent.south, extent.north, extent.south, extent.north)
    return tuple(
        crs
        for crs in BY_URI.values()
        if np.isfinite(_to_lonlat(crs.srid).transform(x, y, direction="INVERSE")).all()
    )


@cache
def _to_lonlat(srid: int) -> Transformer:
    return Transformer.from_crs(srid, 4326, always_xy=True)
