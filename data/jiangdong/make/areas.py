"""The invented outlines: three towns, 35 villages and communities with their real names, six grids each.

Each H3 cell of the district goes to a town by a bent line between the towns, in it to a village and in that to a
grid, by nearest centres. Villages are small near the seat of their town and wide in the hills.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from data.jiangdong.make.land import Coordinates, Noise, degrees, district, metric, seat
from data.partition import Labels, Shapes, feature, settle, smooth
from layers.geo import hexgrid
from layers.geo.bbox import Bbox

HERE = Path(__file__).parents[1]
RES = 10
GRIDS = 6
# Where one town ends and the next begins, degrees north; the line is bent.
_NORTH, _SOUTH = 23.712, 23.583
_CHENGDONG, _LINJIANG, _GUZHU = "441602006000", "441621109000", "441621108000"
_DISTRICT = ("JD", "江东新区", "Jiangdong New Area")
# Households of a grid where houses stand close, and where they stand far apart.
_DENSE, _SPARSE = 420, 60


@dataclass(frozen=True)
class Village:
    """A village or community as the statistics list it."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    town_code: str
    town_zh: str
    town_en: str


@dataclass(frozen=True)
class Land:
    """The partition of the district: metric polygons by code, and which grid is whose."""

    villages: list[Village]
    grids: dict[str, shapely.Polygon]
    owner: dict[str, Village]

    def shape(self, village: Village) -> shapely.Polygon:
        """Metric outline of a village."""
        return shapely.coverage_union_all([self.grids[code] for code, own in self.owner.items() if own is village])


def listed() -> list[Village]:
    """All 35 in the order of their codes, which runs in the order of the list."""
    with (HERE / "villages.csv").open(encoding="utf-8") as file:
        return [Village(**row) for row in csv.DictReader(file)]


def centres(xy: Coordinates, weight: NDArray[np.float64], count: int, seed: int) -> Coordinates:
    """Centres of `count` compact groups of metric points, the closer the greater the weight (Lloyd 1982)."""
    rng = np.random.default_rng(seed)
    found = xy[rng.choice(len(xy), 1, p=weight / weight.sum())]
    while len(found) < count:  # each far from those before it
        away = np.min(np.hypot(*(xy[:, None] - found).T), axis=0) ** 2 * weight
        found = np.vstack([found, xy[rng.choice(len(xy), p=away / away.sum())]])
    for _ in range(60):
        own = nearest(xy, found)
        sums = np.column_stack([np.bincount(own, weight * axis, count) for axis in xy.T])
        found = sums / np.bincount(own, weight, count)[:, None]
    return found


def nearest(xy: Coordinates, points: Coordinates) -> Labels:
    """For each metric point the number of the nearest of `points`."""
    return np.argmin(np.hypot(*(xy[:, None] - points).T), axis=0).astype(np.intp)


def _villages_of(town: str, villages: list[Village], xy: Coordinates, numbers: list[int]) -> Labels:
    """For each metric point of a town the number of its village; communities lie around the seat."""
    away = np.hypot(*(xy - seat(town)).T)
    weight = 1 + 25 * np.exp(-((away / 1800) ** 2))
    middle = centres(xy, weight, len(numbers), int(town[:9]) % 1000)
    by_distance = np.argsort(np.hypot(*(middle - seat(town)).T))
    communities = [number for number in numbers if villages[number].kind == "community"]
    others = [number for number in numbers if villages[number].kind != "community"]
    rest = by_distance[len(communities) :]
    rest = rest[np.argsort(-middle[rest, 1])]  # from north to south
    named = np.empty(len(numbers), np.intp)
    named[by_distance[: len(communities)]] = communities
    named[rest] = others
    return named[nearest(xy, middle)]


def partition() -> Land:
    """Every grid of the district."""
    villages = listed()
    outline = district()
    bounds = shapely.bounds(shapely.transform(shapely.box(*outline.bounds), degrees))
    cells = hexgrid.cover(Bbox(*bounds), RES)
    middle = metric(hexgrid.centre(cells))
    inside = shapely.contains_xy(outline, middle)
    cells, middle = cells[inside], middle[inside]
    points = shapely.points(middle)
    # H3 gives the corner of three cells with a different last bit to each; rounding makes it one point.
    hexagons = shapely.transform(hexgrid.outline(cells), lambda xy: np.round(xy, 6))
    bent = Noise.bent(23, middle, 3500, 420)

    north = degrees(bent)[:, 1]
    towns = np.where(north > _NORTH, _CHENGDONG, np.where(north > _SOUTH, _LINJIANG, _GUZHU))
    labels = np.empty(len(cells), np.intp)
    for town in (_CHENGDONG, _LINJIANG, _GUZHU):
        mine = towns == town
        numbers = [number for number, village in enumerate(villages) if village.town_code == town]
        labels[mine] = _villages_of(town, villages, bent[mine], numbers)
    labels = settle(hexagons, points, labels)

    grids = np.empty(len(cells), np.intp)
    for number in range(len(villages)):
        mine = np.flatnonzero(labels == number)
        parts = nearest(bent[mine], centres(bent[mine], np.ones(len(mine)), GRIDS, number))
        grids[mine] = number * GRIDS + settle(hexagons[mine], points[mine], parts)
    shapes = [shapely.coverage_union_all(hexagons[grids == number]) for number in range(len(villages) * GRIDS)]
    return _numbered(villages, smooth(shapely.transform(np.array(shapes), metric)))


def _numbered(villages: list[Village], shapes: Shapes) -> Land:
    """Sequence numbers run west to east along rows of a kilometre, and the rows from north to south."""
    grids, owner = {}, {}
    for number, village in enumerate(villages):
        own = shapes[number * GRIDS : (number + 1) * GRIDS]
        xy = shapely.get_coordinates(shapely.centroid(own))
        for sequence, at in enumerate(np.lexsort([xy[:, 0], -np.floor(xy[:, 1] / 1000)]), start=1):
            code = f"{village.code}{sequence:03d}"
            grids[code], owner[code] = own[at], village
    return Land(villages, grids, owner)


def households(shape: shapely.Polygon, town: str) -> int:
    """Households of a grid: many near the town's seat, few in the hills."""
    xy = shapely.get_coordinates(shapely.centroid(shape))[0]
    near = float(np.exp(-((np.hypot(*(xy - seat(town))) / 2500) ** 2)))
    return round(_SPARSE + (_DENSE - _SPARSE) * near)


def lonlat(shape: shapely.Geometry) -> shapely.Geometry:
    """A metric shape in degrees, as it is written."""
    return shapely.transform(shapely.transform(shape, degrees), lambda xy: np.round(xy, 6))


def features(land: Land) -> list[str]:
    """All areas as lines of GeoJSON, from the district down."""
    shapes = {code: lonlat(shape) for code, shape in land.grids.items()}
    count = {code: households(shape, land.owner[code].town_code) for code, shape in land.grids.items()}

    def line(level: str, name: tuple[str, str, str], official: str, parent: str, codes: list[str]) -> str:
        code, zh, en = name
        properties: dict[str, object] = {
            "level": level, "code": code, "official_code": official or None, "name_zh": zh, "name_en": en,
            "parent_code": parent or None, "households": sum(count[each] for each in codes), "synthetic": True,
        }  # fmt: skip
        return feature(properties, shapely.coverage_union_all([shapes[each] for each in codes]))

    lines = [line("district", _DISTRICT, "", "", list(shapes))]
    for town in dict.fromkeys(village.town_code for village in land.villages):
        own = [code for code, village in land.owner.items() if village.town_code == town]
        first = land.owner[own[0]]
        lines.append(line("town", (town, first.town_zh, first.town_en), town, _DISTRICT[0], own))
    for village in land.villages:
        own = [code for code, owner in land.owner.items() if owner is village]
        name = (village.code, village.name_zh, village.name_en)
        lines.append(line("village", name, village.code, village.town_code, own))
    for code, village in land.owner.items():
        number = int(code[-3:])
        name = (code, f"{village.name_zh}第{number}网格", f"{village.name_en} grid {number}")
        lines.append(line("grid", name, "", village.code, [code]))
    return lines
