"""How areas fit together: gaps, overlaps, children outside their parents. Found and told, never changed.

Sizes are m2 on the ellipsoid (see `etl.plane`). What is a sliver there is noise here: below 1 m2, or narrower than
0.1 m, which is what six decimals of a degree keep.
"""

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.ledger import Entry
from etl.numbering import numbering
from etl.plane import slivers, square_metres
from etl.tree import NONE, Tree
from layers.catalog.city import City


def report(tree: Tree, city: City) -> list[Entry]:
    """Everything that is odd about the areas of a file, among themselves and with those that they hang on.

    overlap, sibling_overlap : two areas of one level share ground; siblings have the same parent.
    outside_parent : a part of an area lies outside of the area above it.
    gap : a part of an area is covered by none of those below it; one that has none below is whole.
    wrong_prefix, duplicate_code, grid_order : see `etl.numbering`.
    """
    return [*_overlaps(tree), *_outside(tree), *_gaps(tree), *numbering(tree, city)]


def _overlaps(tree: Tree) -> Iterator[Entry]:
    for level in np.unique(tree.level).tolist():
        here = np.flatnonzero(tree.level == level)
        near = shapely.STRtree(tree.shapes[here]).query(tree.shapes[here], predicate="intersects")
        near = near[:, near[0] < near[1]]
        one, other = here[near[:, np.lexsort(near[::-1])]]
        met = tree.meet(one, other) & tree.fresh(one, other)
        one, other = one[met], other[met]
        shared = shapely.intersection(tree.shapes[one], tree.shapes[other])
        for at, size, place in _pieces(shared):
            a, b = int(one[at]), int(other[at])
            siblings = tree.parent[a] == tree.parent[b] != NONE
            kind = "sibling_overlap" if siblings else "overlap"
            yield _entry(tree, [a, b], kind, f"{tree.code[a]} and {tree.code[b]} overlap by", size, place)


def _outside(tree: Tree) -> Iterator[Entry]:
    child = np.flatnonzero(tree.parent != NONE)
    child = child[tree.meet(child, tree.parent[child]) & tree.fresh(child, tree.parent[child])]
    parent = tree.parent[child]
    beyond = shapely.difference(tree.shapes[child], tree.shapes[parent])
    for at, size, place in _pieces(beyond):
        a, b = int(child[at]), int(parent[at])
        yield _entry(
            tree, [a, b], "outside_parent", f"{tree.code[a]} reaches out of {tree.code[b]} by", size, place
        )


def _gaps(tree: Tree) -> Iterator[Entry]:
    parents, bare = [], []
    for parent, children in tree.families().items():
        above = np.full(len(children), parent)
        met = children[tree.meet(children, above)]
        if tree.fresh(children, above).any() and len(met):
            parents.append(parent)
            bare.append(shapely.difference(tree.shapes[parent], shapely.union_all(tree.shapes[met])))
    for at, size, place in _pieces(np.array(bare, np.object_)):
        yield _entry(tree, [parents[at]], "gap", f"nothing below {tree.code[parents[at]]} covers", size, place)


def _pieces(shapes: NDArray[np.object_]) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.object_]]]:
    """Of each of n geometries with polygons above the noise: its index, and these with sizes, largest first."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    parts, owner = parts[flat], owner[flat]
    loud = ~slivers(parts)
    parts, owner = parts[loud], owner[loud]
    size = square_metres(parts)
    for index in np.unique(owner).tolist():
        mine = np.flatnonzero(owner == index)
        mine = mine[np.argsort(-size[mine], kind="stable")]
        yield index, size[mine], parts[mine]


def _entry(
    tree: Tree, areas: list[int], kind: str, what: str, size: NDArray[np.float64], place: NDArray[np.object_]
) -> Entry:
    row = next((int(tree.row[area]) for area in areas if tree.row[area] != NONE), None)
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(place[0]))[0].tolist()
    pieces = "" if len(place) == 1 else f" in {len(place)} pieces, the largest {size[0]:,.0f} m2"
    return Entry(
        kind,
        changed=False,
        message=f"{what} {size.sum():,.0f} m2{pieces} at {lon:.5f}, {lat:.5f}",
        row_number=row,
        subject=", ".join(tree.code[area] for area in areas),
        amount=float(size.sum()),
        unit="m2",
        place=shapely.MultiPolygon(list(place)),
    )
