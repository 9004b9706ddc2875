"""The invented roads: avenues between the seats, roads between villages, lanes to the grids, streets in the towns.

Drawn with straight lines that meet where they cross, and then bent all at once, so that every joint stays one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from data.jiangdong.make.areas import Land, lonlat
from data.jiangdong.make.land import SEATS, Coordinates, Noise, seat
from data.partition import feature

# From the widest to the narrowest; where two lie on each other the wider one counts.
CLASSES = ("primary", "secondary", "tertiary", "residential", "track")
_NAMES = {
    "primary": ("江东大道", "Jiangdong Avenue"),
    "secondary": ("东环路", "Donghuan Road"),
}
_BLOCK_M = 170.0
# Where streets are: town, metres east and north of its seat, radius in metres, angle.
_BUILT = [
    ("441602006000", (0, 0), 1100, 0.2),
    ("441602006000", (2300, -1300), 1000, 0.1),
    ("441621109000", (0, 0), 1100, 0.5),
    ("441621109000", (2400, 500), 1000, 0.05),
    ("441621109000", (1800, -2500), 700, 0.4),
    ("441621108000", (0, 0), 1000, 0.8),
]
_STEP_M = 80.0


@dataclass(frozen=True)
class Road:
    """One piece of road between two joints, metric."""

    road_class: str
    line: shapely.LineString


def _beside(xy: Coordinates) -> list[tuple[int, int]]:
    """Pairs of points with no third one between them: the circle over both is empty (Gabriel and Sokal 1969)."""
    away = np.hypot(*(xy[:, None] - xy[None]).T) ** 2
    pairs = []
    for i in range(len(xy)):
        for j in range(i + 1, len(xy)):
            others = np.delete(np.arange(len(xy)), [i, j])
            if (away[i, others] + away[j, others] >= away[i, j]).all():
                pairs.append((i, j))
    return pairs


def _streets(middle: Coordinates, radius_m: float, angle: float) -> list[shapely.LineString]:
    """A round lattice of streets."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    lines = []
    for step in np.arange(-radius_m, radius_m + 1, _BLOCK_M):
        reach = np.sqrt(max(0.0, radius_m**2 - step**2))
        lines += [
            shapely.LineString(np.array(ends) @ turn + middle)
            for ends in ([[step, -reach], [step, reach]], [[-reach, step], [reach, step]])
            if reach > _BLOCK_M
        ]
    return lines


def _drawn(land: Land) -> list[tuple[int, shapely.LineString]]:
    """Straight lines, each with the rank of its class."""
    middles = np.array(
        [shapely.get_coordinates(shapely.point_on_surface(land.shape(village)))[0] for village in land.villages]
    )
    towns = np.array([village.town_code for village in land.villages])
    lines: list[tuple[int, shapely.LineString]] = []
    along = np.array([seat(town) for town in SEATS])
    along = np.vstack([along[0] + np.array([800, 5200]), along, along[-1] + np.array([500, -4300])])
    lines += [(0, shapely.LineString(pair)) for pair in pairwise(along)]
    for i, j in _beside(middles):
        lines.append((1 if towns[i] != towns[j] else 2, shapely.LineString(middles[[i, j]])))
    for town, away, radius_m, angle in _BUILT:
        middle = seat(town) + np.array(away)
        near = middles[np.argmin(np.hypot(*(middles - middle).T))]
        lines += [(1, shapely.LineString([middle, near]))] if (middle != near).any() else []
        lines += [(3, line) for line in _streets(middle, radius_m, angle)]
    for village, middle in zip(land.villages, middles, strict=True):
        own = [shape for code, shape in land.grids.items() if land.owner[code] is village]
        spots = np.vstack([middle, shapely.get_coordinates(shapely.point_on_surface(own))])
        rank = 3 if village.kind == "community" else 4
        lines += [(rank, shapely.LineString(spots[[i, j]])) for i, j in _beside(spots)]
    return lines


def _joined(pieces: list[Road]) -> list[Road]:
    """The pieces that hang together with most others, in their order."""
    ends: dict[tuple[float, float], int] = {}
    root: list[int] = []

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    joints = []
    for piece in pieces:
        pair = []
        for end in (piece.line.coords[0], piece.line.coords[-1]):
            if end not in ends:
                ends[end] = len(root)
                root.append(len(root))
            pair.append(ends[end])
        root[find(pair[0])] = find(pair[1])
        joints.append(pair[0])
    owner = np.array([find(joint) for joint in joints])
    largest = np.bincount(owner).argmax()
    return [piece for piece, own in zip(pieces, owner, strict=True) if own == largest]


def network(land: Land) -> list[Road]:
    """All roads, one piece from joint to joint."""
    drawn = _drawn(land)
    lines = np.array([line for _, line in drawn])
    ranks = np.array([rank for rank, _ in drawn])
    whole = shapely.union_all(lines, grid_size=0.01)
    district = shapely.coverage_union_all(list(land.grids.values()))
    inner = shapely.buffer(district, -40)
    shapely.prepare(inner)
    tree = shapely.STRtree(lines)
    pieces = []
    for part in shapely.get_parts(whole):
        if part.length < 1 or not shapely.covers(inner, part):
            continue
        near = tree.query(part.centroid, predicate="dwithin", distance=0.5)
        pieces.append((ranks[near].min(), part))
    pieces.sort(key=lambda piece: (piece[0], piece[1].coords[0], piece[1].coords[-1]))
    bent = []
    for rank, part in pieces:
        xy = shapely.get_coordinates(shapely.segmentize(part, _STEP_M))
        line = lonlat(shapely.LineString(Noise.bent(41, xy, 900, 35)))
        bent.append(Road(CLASSES[rank], line))
    return _joined(bent)


def features(roads: list[Road]) -> list[str]:
    """Lines of GeoJSON; their numbers are their order."""
    lines = []
    for number, road in enumerate(roads, start=1):
        zh, en = _NAMES.get(road.road_class, (None, None))
        properties: dict[str, object] = {
            "road": number, "class": road.road_class, "name_zh": zh, "name_en": en, "synthetic": True,
        }  # fmt: skip
        lines.append(feature(properties, road.line))
    return lines
