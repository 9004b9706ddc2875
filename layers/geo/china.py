"""GCJ-02 and BD-09, the offset datums of Chinese web maps, to and from WGS 84.

Every array is float64[n, 2], lon-lat in degrees; NaN stays NaN. CGCS2000 (EPSG:4490) counts as WGS 84 here: they
differ by decimetres at most.

The formula has no border. Whether a point is in GCJ-02 is a fact about its source, so the caller decides by what
the source declares, never by where the point lies: a box around China also holds its neighbours, and tears the map
apart along its edges.

The inverse is exact, but it is that of the public formula: services that issue such coordinates may add noise of
about a metre, which nobody can take out.

Source: no standard publishes the formula; the form and constants are those that open libraries agree on, and the
tests hold them to pairs that those libraries publish.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from layers.geo.bbox import Bbox

LonLat = NDArray[np.float64]

ROUGH_BOX = Bbox(72.004, 0.8293, 137.8347, 55.8271)
"""All of China and much of its neighbours: beyond it nobody uses these datums."""

_PIVOT = 105.0, 35.0
_EQUATOR_M, _ECCENTRICITY2 = 6_378_245.0, 0.00669342162296594323  # Krasovsky 1940

_BD_OFFSET = 0.0065, 0.006
_BD_WAVE = np.pi * 3000 / 180

# The offset changes by less than 3 % of the way, so that a round takes two digits off the error.
_ROUNDS = 10
_SOLVED_DEG = 1e-11


def wgs84_to_gcj02(lonlat: LonLat) -> LonLat:
    """WGS 84 to GCJ-02, which lies 20 to 700 m away in China, some 410 m in the middle."""
    x, y = (lonlat - np.array(_PIVOT)).T
    both = 0.1 * x * y + _waves(x, (20, 6), (20, 2))
    bend = 0.1 * np.sqrt(np.abs(x))
    east_m = 300 + x + 2 * y + 0.1 * x**2 + bend + both
    east_m += _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    north_m = -100 + 2 * x + 3 * y + 0.2 * y**2 + 2 * bend + both
    north_m += _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    phi = np.radians(lonlat[:, 1])
    flat = 1 - _ECCENTRICITY2 * np.sin(phi) ** 2
    east = east_m / (_EQUATOR_M / np.sqrt(flat) * np.cos(phi))
    north = north_m / (_EQUATOR_M * (1 - _ECCENTRICITY2) / flat**1.5)
    offset: LonLat = np.degrees(np.column_stack([east, north]))
    return lonlat + offset


def gcj02_to_bd09(lonlat: LonLat) -> LonLat:
    """GCJ-02 to BD-09, which lies 770 to 980 m away in China."""
    x, y = lonlat.T
    radius = np.hypot(x, y) + 2e-5 * np.sin(_BD_WAVE * y)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(_BD_WAVE * x)
    east, north = _BD_OFFSET
    return np.column_stack([radius * np.cos(angle) + east, radius * np.sin(angle) + north])


def wgs84_to_bd09(lonlat: LonLat) -> LonLat:
    """WGS 84 to BD-09, which lies 0.7 to 1.5 km away in China."""
    return gcj02_to_bd09(wgs84_to_gcj02(lonlat))


def gcj02_to_wgs84(lonlat: LonLat) -> LonLat:
    """GCJ-02 to WGS 84, within 1e-9 degrees; a finite point that is the image of none becomes infinite."""
    return _solve(wgs84_to_gcj02, lonlat)


def bd09_to_wgs84(lonlat: LonLat) -> LonLat:
    """BD-09 to WGS 84, within 1e-9 degrees; a finite point that is the image of none becomes infinite."""
    return _solve(wgs84_to_bd09, lonlat)


def _waves(t: NDArray[np.float64], *waves: tuple[float, float]) -> NDArray[np.float64]:
    """Sum of sines of `t` in degrees, each of an amplitude in 2/3 m and of half turns a degree."""
    return sum((2 / 3 * metres * np.sin(np.pi * turns * t) for metres, turns in waves), np.zeros_like(t))


def _solve(forward: Callable[[LonLat], LonLat], image: LonLat) -> LonLat:
    """The points that `forward` takes to `image`, by fixed-point iteration."""
    found, step = image, image
    with np.errstate(all="ignore"):  # far from the earth the formula runs away, and is refused below
        for _ in range(_ROUNDS):
            step = image - forward(found)
            found = found + step
            if not (np.abs(step) > _SOLVED_DEG).any():
                break
        lost = ~(np.abs(step) <= _SOLVED_DEG).all(axis=1) & ~np.isnan(image).any(axis=1)
    found[lost] = np.inf
    return found
