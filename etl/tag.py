"""Where each incident lies: its finest area and the zones that reach it, as valid when it happened.

A point on a border belongs to both sides; of areas the lowest code wins.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.records.times import Moments

NOWHERE = -1

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Versions:
    """m dated polygons: `value` int64[m], half-open [`start`, `end`) datetime64[us] UTC, `shapes` object[m]."""

    value: NDArray[np.int64]
    start: Moments
    end: Moments
    shapes: NDArray[np.object_]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the shapes, which are prepared with it: many points are asked for, in many batches."""
        shapely.prepare(self.shapes)
        return shapely.STRtree(self.shapes)


def finest_area(points: Shapes, at: Moments, areas: Versions) -> NDArray[np.int64]:
    """int64[n], `value` of the first of `areas` that holds each point at its time, or NOWHERE.

    `areas` come in the order of preference: the deepest level first, and within a level by code.
    """
    row, version = _inside(points, at, areas)
    best = np.full(len(points), len(areas.value))
    np.minimum.at(best, row, version)
    found: NDArray[np.int64] = np.append(areas.value, NOWHERE)[best]
    return found


def zone_mask(points: Shapes, at: Moments, zones: Versions) -> NDArray[np.int32]:
    """int32[n], the bits (`value`) of all `zones` that hold each point at its time."""
    row, version = _inside(points, at, zones)
    found = np.zeros(len(points), np.int64)
    np.bitwise_or.at(found, row, np.int64(1) << zones.value[version])
    return found.astype(np.int32)


def _inside(points: Shapes, at: Moments, versions: Versions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of a point and a version that holds it at its time: row numbers and version numbers."""
    row, version = versions.tree.query(points)
    valid = (at[row] >= versions.start[version]) & (at[row] < versions.end[version])
    row, version = row[valid], version[valid]
    held = shapely.intersects(versions.shapes[version], points[row])
    return row[held], version[held]
