"""Derive Toronto's areas from the neighbourhood names that the incidents carry.

Run as `python -m data.toronto.build`; it writes areas.geojson beside itself.

No outline of a neighbourhood may be shipped, so each is drawn from the evidence in the file: every H3 cell takes
the name that most of its incidents carry, every empty cell inside the city the name of the nearest, and the cells
of one name become one polygon. Grid squares are then cut from the neighbourhoods, and neighbourhoods and city are
put together again from their grid areas, so that the three levels nest exactly. No chance is involved: the same
incidents give the same bytes.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from data.partition import Labels, Shapes, collection, feature, settle, smooth, spread
from layers.geo import hexgrid
from layers.geo.bbox import Bbox

HERE = Path(__file__).parent
CITY = "TOR"
RES = 10
# Twice the reach is the widest gap without incidents that still belongs to the city: parks and rail yards yes, the
# bays of the lake no.
REACH_M = 2000.0
# How far the city goes on beyond its outermost incidents, which the police moved to the nearest street corner.
MARGIN_M = 160.0
SQUARE_M = 500.0
LEAST_M2 = SQUARE_M**2 / 4
PRECISION_DEG = 1e-6

Coordinates = NDArray[np.float64]


def _projection(source: int, target: int) -> Callable[[Coordinates], Coordinates]:
    transform = Transformer.from_crs(source, target, always_xy=True).transform
    return lambda xy: np.column_stack(transform(xy[:, 0], xy[:, 1]))


metric = _projection(4326, 32617)  # UTM zone 17 north, metres
degrees = _projection(32617, 4326)


def vote(cells: NDArray[np.uint64], names: Labels) -> tuple[NDArray[np.uint64], Labels]:
    """Each cell once, sorted, with the name most of its incidents carry; a tie goes to the lower name."""
    ballots, count = np.unique(np.column_stack([cells, names.astype(np.uint64)]), axis=0, return_counts=True)
    ballots = ballots[np.lexsort([ballots[:, 1], -count, ballots[:, 0]])]
    seen, first = np.unique(ballots[:, 0], return_index=True)
    return seen, ballots[first, 1].astype(np.intp)


def outline(centres: Coordinates) -> shapely.Geometry:
    """One polygon without holes around metric points: grown and shrunk again, which fills gaps and bays."""
    grown = shapely.union_all(shapely.buffer(shapely.points(centres), REACH_M))
    return shapely.Polygon(shapely.get_exterior_ring(shapely.buffer(grown, MARGIN_M - REACH_M)))


def lattice(bounds: NDArray[np.float64]) -> list[shapely.LineString]:
    """Lines of the square grid over metric `bounds`, in degrees, with a vertex at every crossing."""
    west, south = np.floor(bounds[:2] / SQUARE_M) * SQUARE_M
    xs = np.arange(west, bounds[2] + SQUARE_M, SQUARE_M)
    ys = np.arange(south, bounds[3] + SQUARE_M, SQUARE_M)
    crossings = degrees(np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)).reshape(len(ys), len(xs), 2)
    return [*shapely.linestrings(crossings), *shapely.linestrings(crossings.swapaxes(0, 1))]


def cut(neighbourhoods: Shapes) -> tuple[Shapes, Labels]:
    """Pieces of metric neighbourhoods along the lattice, in degrees on the precision grid, and whose each is.

    All lines are noded in one go on the grid on which coordinates are written, so neighbours share every vertex.
    """
    borders = shapely.transform(shapely.boundary(neighbourhoods), degrees)
    lines = [*borders, *lattice(shapely.total_bounds(neighbourhoods))]
    pieces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines, grid_size=PRECISION_DEG)]))
    inside = shapely.transform(shapely.point_on_surface(pieces), metric)
    piece, owner = shapely.STRtree(neighbourhoods).query(inside, predicate="within")
    return pieces[piece], owner


def gather(pieces: Shapes) -> list[list[int]]:
    """Groups of metric pieces of one neighbourhood: slivers join the piece they share the longest border with."""
    shapes, groups = list(pieces), [[i] for i in range(len(pieces))]
    while len(shapes) > 1:
        areas = shapely.area(shapes)
        least = int(np.argmin(areas))
        if areas[least] >= LEAST_M2:
            break
        sliver, members = shapes.pop(least), groups.pop(least)
        host = int(np.argmax(shapely.length(shapely.intersection(sliver, shapes))))
        shapes[host] = shapely.coverage_union(shapes[host], sliver)
        groups[host] += members
    return groups


def in_reading_order(areas: Shapes) -> Shapes:
    """West to east along a row of squares, the rows from north to south; an area is where its centroid is."""
    centroids = shapely.get_coordinates(shapely.transform(shapely.centroid(areas), metric))
    return areas[np.lexsort([centroids[:, 0], -np.floor(centroids[:, 1] / SQUARE_M)])]


def neighbourhoods_of(lonlat: Coordinates, names: Labels) -> Shapes:
    """A partition of the city in metric coordinates: one polygon for each name, in the order of the names."""
    seen, voted = vote(hexgrid.index(lonlat, RES), names)
    city = outline(metric(hexgrid.centre(seen)))
    cells = hexgrid.cover(Bbox(*shapely.bounds(shapely.transform(shapely.box(*city.bounds), degrees))), RES)
    middle = metric(hexgrid.centre(cells))
    within = shapely.contains_xy(city, middle) | np.isin(cells, seen)
    cells, centres = cells[within], shapely.points(middle[within])
    # H3 gives the corner of three cells with a different last bit to each; rounding makes it one point.
    hexagons = shapely.transform(hexgrid.outline(cells), lambda xy: np.round(xy, 6))
    labels = np.full(len(cells), -1, dtype=np.intp)
    labels[np.searchsorted(cells, seen)] = voted
    labels = settle(hexagons, centres, spread(centres, labels))
    dissolved = [shapely.coverage_union_all(hexagons[labels == name]) for name in range(names.max() + 1)]
    return smooth(shapely.transform(np.array(dissolved), metric))


def area(level: str, code: str, names: tuple[str, str], parent: str | None, shape: shapely.Geometry) -> str:
    """One line of the file; `names` are Chinese and English."""
    properties = {
        "level": level,
        "code": code,
        "local_code": code,
        "name_zh": names[0],
        "name_en": names[1],
        "parent_code": parent,
    }
    return feature(properties, shape)


def share_kept(areas: Shapes, lonlat: Coordinates, names: Labels) -> float:
    """Share of the incidents that fall into the polygon of their own name; on a border the lowest code counts."""
    point, area = shapely.STRtree(areas).query(shapely.points(lonlat), predicate="intersects")
    tagged = np.full(len(lonlat), len(areas))
    np.minimum.at(tagged, point, area)
    return float((tagged == names).mean())


def main(target: Path = HERE / "areas.geojson") -> float:
    """Write the areas to `target`, print the figures and return the share of incidents that keep their name."""
    table = pq.read_table(HERE / "incidents.parquet", columns=["lon", "lat", "neighbourhood"])
    lonlat = np.column_stack([table["lon"], table["lat"]])
    titles, names = np.unique(np.array(table["neighbourhood"].to_pylist()), return_inverse=True)
    chinese = tomllib.loads((HERE / "names_zh.toml").read_text("utf-8"))

    pieces, owner = cut(neighbourhoods_of(lonlat, names))
    measured = shapely.transform(pieces, metric)
    districts, lower, upper = [], [], []
    for number, title in enumerate(titles.tolist()):
        mine = np.flatnonzero(owner == number)
        groups = gather(measured[mine])
        grid = in_reading_order(np.array([shapely.coverage_union_all(pieces[mine[group]]) for group in groups]))
        code = f"{CITY}{number + 1:03d}"
        districts.append(shapely.coverage_union_all(grid))
        zh = chinese.get(title, title)
        upper.append(area("neighbourhood", code, (zh, title), CITY, districts[-1]))
        for sequence, shape in enumerate(grid, start=1):
            names_here = (f"{zh} {sequence}", f"{title} {sequence}")
            lower.append(area("grid", f"{code}{sequence:03d}", names_here, code, shape))
    city = area("city", CITY, ("多伦多", "Toronto"), None, shapely.coverage_union_all(districts))

    target.write_text(collection([city, *upper, *lower]), "utf-8")
    share = share_kept(np.array(districts), lonlat, names)
    print(f"{len(upper)} neighbourhoods, {len(lower)} grid areas, {target.stat().st_size / 1e6:.2f} MB")
    print(f"{share:.1%} of {len(names)} incidents keep their own neighbourhood's name")
    return share


if __name__ == "__main__":
    main()
