"""The invented ground: a river in the west, the outline of the district, and noise that bends what is straight.

Only the seats of two towns are real (GeoNames); the seat of the third is set where its name says.
"""

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

Coordinates = NDArray[np.float64]

# Longitude, latitude.
SEATS = {
    "441602006000": (114.7260, 23.7330),
    "441621109000": (114.69397, 23.65125),
    "441621108000": (114.70569, 23.51572),
}
_RIVER = [
    (114.716, 23.810), (114.705, 23.775), (114.709, 23.740), (114.694, 23.705), (114.688, 23.672),
    (114.680, 23.645), (114.697, 23.612), (114.688, 23.580), (114.700, 23.548), (114.691, 23.516),
    (114.706, 23.488), (114.700, 23.455),
]  # fmt: skip
_EAST = [
    (114.735, 23.455), (114.782, 23.470), (114.815, 23.505), (114.806, 23.545), (114.838, 23.590),
    (114.845, 23.640), (114.822, 23.690), (114.836, 23.735), (114.800, 23.780), (114.760, 23.800),
]  # fmt: skip
RIVER_WIDTH_M = 260.0


def _projection(source: int, target: int) -> Callable[[Coordinates], Coordinates]:
    transform = Transformer.from_crs(source, target, always_xy=True).transform
    return lambda xy: np.column_stack(transform(xy[:, 0], xy[:, 1]))


metric = _projection(4490, 4547)  # CGCS2000, 3-degree zone of 114 E, metres
degrees = _projection(4547, 4490)


def curve(corners: Coordinates, rounds: int = 4) -> Coordinates:
    """A smooth line from the first corner to the last: each round cuts the corners (Chaikin 1974)."""
    for _ in range(rounds):
        near, far = corners[:-1] * 0.75 + corners[1:] * 0.25, corners[:-1] * 0.25 + corners[1:] * 0.75
        corners = np.vstack([corners[:1], np.stack([near, far], axis=1).reshape(-1, 2), corners[-1:]])
    return corners


class Noise:
    """Smooth noise over the plane, about -1 to 1: sums of waves whose lengths fall from `longest_m`."""

    def __init__(self, seed: int, longest_m: float, octaves: int = 4) -> None:
        rng = np.random.default_rng(seed)
        count = 5 * octaves
        angle = rng.uniform(0, 2 * np.pi, count)
        octave = np.repeat(np.arange(octaves), 5)
        number = 2 * np.pi / (longest_m / 1.9**octave * rng.uniform(0.7, 1.3, count))
        self.waves = np.stack([np.cos(angle) * number, np.sin(angle) * number])
        self.phase = rng.uniform(0, 2 * np.pi, count)
        self.height = 0.55**octave / 3.2

    def __call__(self, xy: Coordinates) -> NDArray[np.float64]:
        """Height at metric points."""
        heights: NDArray[np.float64] = np.sin(xy @ self.waves + self.phase) @ self.height
        return heights

    @classmethod
    def bent(cls, seed: int, xy: Coordinates, longest_m: float, reach_m: float) -> Coordinates:
        """Metric points, each moved by up to about `reach_m`, neighbours alike."""
        east, north = cls(seed, longest_m), cls(seed + 1, longest_m)
        return xy + reach_m * np.column_stack([east(xy), north(xy)])


def river() -> shapely.LineString:
    """The middle of the river, metric, from north to south."""
    return shapely.LineString(curve(metric(np.array(_RIVER))))


def district() -> shapely.Polygon:
    """The district in metric coordinates: from the river's east bank to hills that nobody has surveyed."""
    middle = shapely.get_coordinates(river())
    hills = curve(metric(np.array([_RIVER[-1], *_EAST, _RIVER[0]])))[1:-1]
    hills = Noise.bent(11, shapely.get_coordinates(shapely.segmentize(shapely.LineString(hills), 150)), 5000, 450)
    whole = shapely.make_valid(shapely.Polygon(np.vstack([middle, hills])))
    land = shapely.difference(whole, shapely.buffer(river(), RIVER_WIDTH_M / 2))
    parts = shapely.get_parts(land)
    return shapely.Polygon(shapely.get_exterior_ring(parts[np.argmax(shapely.area(parts))]))


def seat(town: str) -> Coordinates:
    """Metric point of a town's seat, float64[2]."""
    return metric(np.array([SEATS[town]]))[0]
