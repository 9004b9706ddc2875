"""Tiles of the Web Mercator quadtree, and the rule that gives each zoom its H3 resolution."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import NotFound
from layers.geo.bbox import Bbox

DEEPEST = 24
_HIGHEST = 89.9  # degrees; the map ends at 85.05


@dataclass(frozen=True)
class Tile:
    """Column `x` from the west, row `y` from the north, at zoom `z`."""

    z: int
    x: int
    y: int

    @classmethod
    def at(cls, z: int, x: int, y: int) -> Self:
        """Check that the tile exists.

        Raises
        ------
        NotFound : outside the quadtree.
        """
        if not (0 <= z <= DEEPEST and 0 <= x < 1 << z and 0 <= y < 1 << z):
            raise NotFound(f"there is no tile {z}/{x}/{y}", tile=f"{z}/{x}/{y}")
        return cls(z, x, y)

    @property
    def bbox(self) -> Bbox:
        """Bounds in lon-lat degrees."""
        return self.widened(0)

    def widened(self, margin: float) -> Bbox:
        """Bounds in lon-lat degrees, `margin` widths of the tile wider on each side, as far as the globe goes."""
        side = 1 << self.z

        def longitude(column: float) -> float:
            return max(-180.0, min(180.0, column / side * 360 - 180))

        def latitude(row: float) -> float:
            return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / side))))

        return Bbox(
            longitude(self.x - margin),
            latitude(self.y + 1 + margin),
            longitude(self.x + 1 + margin),
            latitude(self.y - margin),
        )

    def units(self, lonlat: NDArray[np.float64], extent: int) -> NDArray[np.float64]:
        """Places float64[n, 2] in degrees, as counted from the tile's north-west corner with `extent` to a side.

        The second number grows southwards. The poles, which are infinitely far away, are put just beyond the map.
        """
        longitude, latitude = lonlat[:, 0], np.radians(np.clip(lonlat[:, 1], -_HIGHEST, _HIGHEST))
        across = (longitude + 180) / 360
        down = (1 - np.arcsinh(np.tan(latitude)) / math.pi) / 2
        return (np.column_stack([across, down]) * (1 << self.z) - [self.x, self.y]) * extent


@dataclass(frozen=True)
class Limits:
    """The columns and rows of one zoom that a box touches, all ends included."""

    z: int
    first_x: int
    last_x: int
    first_y: int
    last_y: int

    @classmethod
    def of(cls, box: Bbox, z: int) -> Self:
        """Around a box that does not cross the antimeridian."""
        corners = np.array([[box.west, box.north], [box.east, box.south]])
        places = np.clip(np.floor(Tile(0, 0, 0).units(corners, 1 << z)), 0, (1 << z) - 1).astype(int).tolist()
        (first_x, first_y), (last_x, last_y) = places
        return cls(z, first_x, last_x, first_y, last_y)

    def __contains__(self, at: Tile) -> bool:
        """Whether a tile of this zoom is one of them."""
        return self.first_x <= at.x <= self.last_x and self.first_y <= at.y <= self.last_y


def heat_resolution(z: int, finest: int) -> int:
    """H3 resolution whose cell edge is some 7 to 14 pixels at zoom `z`, no finer than `finest`.

    A zoom doubles the map and a resolution divides the edge by sqrt(7), so a resolution lasts 1.4 zooms; at
    zoom 9.25 and middle latitudes an edge of resolution 7 has 10 pixels.
    """
    return max(0, min(finest, round(7 + (z - 9.25) / math.log2(math.sqrt(7)))))
