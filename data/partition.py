"""Areas that are drawn from cells: each cell has the name of an area, and the cells of a name become one polygon.

What the builders of the cities share. All of it is exact: the same cells and names give the same bytes.
"""

import json

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]
Labels = NDArray[np.intp]


def spread(centres: Shapes, names: Labels) -> Labels:
    """`names` with every -1 replaced by the name of the nearest centre that has one."""
    known, empty = np.flatnonzero(names >= 0), np.flatnonzero(names < 0)
    full = names.copy()
    full[empty] = names[known[shapely.STRtree(centres[known]).nearest(centres[empty])]]
    return full


def settle(hexagons: Shapes, centres: Shapes, names: Labels) -> Labels:
    """`names` with no name in two places: what does not touch a name's largest part goes to the nearest other."""
    middles = shapely.centroid(hexagons)
    while True:
        settled = names.copy()
        for name in np.unique(names):
            mine = np.flatnonzero(names == name)
            parts = shapely.get_parts(shapely.coverage_union_all(hexagons[mine]))
            largest = parts[np.argmax(shapely.area(parts))]
            settled[mine[~shapely.contains(largest, middles[mine])]] = -1
        if (settled >= 0).all():
            return settled
        names = spread(centres, settled)


def smooth(polygons: Shapes) -> Shapes:
    """The same partition with straighter borders, in the same order.

    A border runs through the middles of its hexagon edges instead of their ends, which turns a zigzag into a line
    and gives each side as much as it takes. Where three areas meet stays where it is.
    """
    borders = shapely.get_parts(shapely.line_merge(shapely.unary_union(shapely.boundary(polygons))))
    halved = []
    for border in borders:
        xy = shapely.get_coordinates(border)
        halved.append(shapely.LineString(np.vstack([xy[:1], (xy[1:] + xy[:-1]) / 2, xy[-1:]])))
    faces = shapely.get_parts(shapely.polygonize(halved))
    shared = shapely.area(shapely.intersection(polygons[:, None], faces[None, :]))
    return shapely.coverage_simplify(faces[shared.argmax(axis=1)], 10.0)  # drops what lies on a straight line


def feature(properties: dict[str, object], shape: shapely.Geometry) -> str:
    """One line of a GeoJSON file, coordinates as they are."""
    geometry = json.loads(shapely.to_geojson(shapely.orient_polygons(shape)))
    body = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def collection(features: list[str]) -> str:
    """A GeoJSON file of such lines."""
    lines = ",\n".join(features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
