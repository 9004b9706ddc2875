"""Polygons that a database can rely on: valid, flat, of many parts, with the outer ring counter-clockwise.

What is wrong with none of it stays bit for bit as it is. Every change is told, with its place and its size.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.ledger import Entry
from etl.plane import slivers, square_metres

Shapes = NDArray[np.object_]

SAME_DEG = 1e-8
"""Corners of a ring that follow each other this close are one: 1.1 mm, finer than any survey."""

_MOST_CROSSINGS = 10_000
_SAMPLED = 200

# What GEOS says of a polygon that is not valid, and our word for it.
_KINDS = {
    "Self-intersection": "self_crossing",
    "Ring Self-intersection": "self_touching",
    "Hole lies outside shell": "hole_outside",
    "Holes are nested": "nested_holes",
    "Nested shells": "nested_parts",
    "Interior is disconnected": "interior_cut",
    "Too few points in geometry component": "too_few_points",
}

Change = tuple[int, shapely.MultiPolygon | None, Entry]
"""The index of a shape, the shape as it is now (none: nothing is left of it), and what was done."""


@dataclass(frozen=True)
class Repaired:
    """n polygons: `shapes` as MultiPolygon, none where nothing is left; `entries` are the repairs, by index.

    changed, lost : bool[n], what was repaired, and what is broken beyond repair.
    """

    shapes: Shapes
    entries: list[tuple[int, Entry]]
    changed: NDArray[np.bool_]
    lost: NDArray[np.bool_]

    def of(self, rows: NDArray[np.int64], codes: Sequence[str | None], good: NDArray[np.bool_]) -> Iterator[Entry]:
        """The repairs of the rows that are `good`, with the number of the row and the code of what it brings."""
        for index, entry in self.entries:
            if good[index]:
                yield replace(entry, row_number=int(rows[index]), subject=codes[index])


def repair(shapes: Shapes) -> Repaired:
    """Mend n polygons, multipolygons or none.

    Of each, in this order: repeated corners are dropped, rings that cross are cut apart, slivers (see
    `etl.plane`) among its parts and holes go, and rings are turned; and again until nothing is left to do, so that
    a repaired shape needs no repair. Every round but the first only drops corners, so that it ends.
    """
    found = multi(shapes)
    entries: list[tuple[int, Entry]] = []
    here = shapely.get_type_id(shapes) >= 0
    todo = np.flatnonzero(shapely.get_type_id(found) >= 0)
    changed = np.zeros(len(shapes), np.bool_)
    while todo.size:
        touched = set()
        for step in _STEPS:
            todo = todo[shapely.get_type_id(found[todo]) >= 0]
            for at, shape, entry in step(found[todo]) if todo.size else ():
                index = int(todo[at])
                found[index] = shape
                touched.add(index)
                if shape is not None:
                    entries.append((index, entry))
        changed[sorted(touched)] = True
        todo = np.array(sorted(touched), np.int64)
    lost = here & (shapely.get_type_id(found) < 0)
    return Repaired(found, sorted((e for e in entries if not lost[e[0]]), key=_first), changed & ~lost, lost)


def multi(shapes: Shapes) -> Shapes:
    """Each geometry's polygons as one MultiPolygon; none where it has none."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    many = np.full(len(shapes), None, np.object_)
    if flat.any():
        many[np.unique(owner[flat])] = shapely.multipolygons(parts[flat], indices=_dense(owner[flat]))
    return many


def _tidied(shapes: Shapes) -> Iterator[Change]:
    """Drop corners that repeat the one before them."""
    rings, of = _rings(shapes)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    near = (np.abs(np.diff(corners, axis=0)).max(axis=1, initial=0) <= SAME_DEG) & (ring[1:] == ring[:-1])
    where = np.flatnonzero(near) + 1
    owner = of[ring[where]]
    for index in np.unique(owner).tolist():
        shape = shapes[index]
        try:
            tidy = shapely.remove_repeated_points(shape, SAME_DEG)
        except shapely.GEOSException:  # a ring would vanish altogether
            continue
        dropped = int(shapely.get_num_coordinates(shape) - shapely.get_num_coordinates(tidy))
        if not dropped or (shape.is_valid and not tidy.is_valid):
            continue
        yield index, tidy, Entry(
            "duplicate_vertex", changed=True, message=f"{dropped} repeated corners were dropped",
            amount=dropped, unit="corners", place=shapely.multipoints(corners[where[owner == index]]),
        )  # fmt: skip


def _uncrossed(shapes: Shapes) -> Iterator[Change]:
    """Cut apart what crosses itself; a hole outside of every part becomes a part, as rings wrongly sorted do."""
    for index in np.flatnonzero(~shapely.is_valid(shapes)).tolist():
        drawn = shapes[index]
        if _crossings(drawn) > _MOST_CROSSINGS:
            yield index, None, Entry("tangled", changed=True, message="it crosses itself everywhere")
            continue
        valid = shapely.make_valid(drawn, method="structure", keep_collapsed=False)
        (whole,) = shapely.orient_polygons(multi(np.array([valid], np.object_)))
        why, place = _reason(shapely.is_valid_reason(drawn))
        before, after = square_metres(np.array([drawn, valid], np.object_)).tolist()
        # GEOS does not promise that its structure is valid; what is not is lost, not mended for ever.
        yield index, whole if shapely.is_valid(whole) else None, Entry(
            _KINDS.get(why, "invalid"), changed=True, amount=after - before, unit="m2", place=place,
            message=f"{why}: mended, {before:.0f} m2 as drawn are {after:.0f} m2 now",
        )  # fmt: skip


def _crossings(shape: shapely.MultiPolygon) -> float:
    """How often sides cross, estimated from some of them: to cut all apart takes time with the square of that."""
    corners, ring = shapely.get_coordinates(_rings(np.array([shape], np.object_))[0], return_index=True)
    sides = shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1)[ring[1:] == ring[:-1]])
    some = sides[:: len(sides) // _SAMPLED + 1]
    _, met = shapely.STRtree(sides).query(some, predicate="crosses")
    return len(met) / len(some) * len(sides) / 2


def _shorn(shapes: Shapes) -> Iterator[Change]:
    """Drop the parts and fill the holes that are slivers; the largest part stays whatever it is."""
    parts, _ = shapely.get_parts(shapes, return_index=True)
    holed = shapely.get_num_interior_rings(parts)
    first = np.concatenate([[0], np.cumsum(shapely.get_num_geometries(shapes))])[:-1]
    several = (shapely.get_num_geometries(shapes) > 1) | (np.add.reduceat(holed, first) > 0)
    for index in np.flatnonzero(several).tolist():
        shape = shapes[index]
        for what, sliver, rest in _pared(shape):
            (size,) = square_metres(np.array([sliver], np.object_)).tolist()
            yield index, rest, Entry(
                "sliver", changed=True, message=f"{what}, a sliver of {size:.2f} m2",
                amount=size, unit="m2", place=sliver,
            )  # fmt: skip


def _pared(shape: shapely.MultiPolygon) -> Iterator[tuple[str, shapely.Polygon, shapely.MultiPolygon]]:
    """Each sliver of one shape: what became of it, the sliver, and the shape without it and those before."""
    parts = np.array(shape.geoms, np.object_)
    thin = slivers(parts)
    thin[np.argmax(shapely.area(parts))] = False
    kept = list(parts)
    for part in parts[thin]:
        kept.remove(part)
        yield "a part was dropped", part, shapely.MultiPolygon(kept)
    for place, part in enumerate(kept):
        holes = np.array([shapely.Polygon(hole) for hole in part.interiors], np.object_)
        for hole in holes[slivers(holes)] if len(holes) else ():
            rest = [ring for ring in kept[place].interiors if ring != hole.exterior]
            filled = shapely.MultiPolygon(
                [*kept[:place], shapely.Polygon(part.exterior, rest), *kept[place + 1 :]]
            )
            if filled.is_valid:  # else another part lies in the hole
                kept = list(filled.geoms)
                yield "a hole was filled", hole, filled


def _turned(shapes: Shapes) -> Iterator[Change]:
    """Turn rings that run the wrong way: outer ones run counter-clockwise, holes clockwise (RFC 7946)."""
    right = shapely.orient_polygons(shapes)
    rings, owner = _rings(shapes)
    wrong = np.bincount(owner[shapely.is_ccw(rings) != shapely.is_ccw(_rings(right)[0])], minlength=len(shapes))
    for index in np.flatnonzero(wrong).tolist():
        yield index, right[index], Entry(
            "ring_order", changed=True, message=f"{wrong[index]} rings ran the wrong way and were turned",
            amount=int(wrong[index]), unit="rings", place=shapely.point_on_surface(shapes[index]),
        )  # fmt: skip


_STEPS: Iterable[Callable[[Shapes], Iterator[Change]]] = (_tidied, _uncrossed, _shorn, _turned)


def _rings(shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """All rings of n multipolygons, and the index of the shape that each is of."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, of = shapely.get_rings(parts, return_index=True)
    return rings, owner[of]


def _reason(said: str) -> tuple[str, shapely.Point | None]:
    """GEOS's reason and the point that it names."""
    told = re.fullmatch(r"(?P<why>[^\[]+)\[(?P<x>\S+) (?P<y>\S+)\]", said)
    return (said, None) if told is None else (told["why"], shapely.Point(float(told["x"]), float(told["y"])))


def _first(pair: tuple[int, Entry]) -> int:
    return pair[0]


def _dense(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(owner, return_inverse=True)[1]
