"""Where each incident lies: its finest area and the zones that reach it, as valid when it happened.

A point on a border belongs to both sides; of areas the lowest code wins. Polygons are prepared and asked for the
distinct points inside, since sources often give many incidents the same point.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.datum import LonLat
from layers.records.times import Moments

NOWHERE = -1


@dataclass(frozen=True)
class Versions:
    """m dated polygons: `value` int64[m], half-open [`start`, `end`) datetime64[us] UTC, `shapes` object[m]."""

    value: NDArray[np.int64]
    start: Moments
    end: Moments
    shapes: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.value)


def finest_area(lonlat: LonLat, at: Moments, areas: Versions) -> NDArray[np.int64]:
    """int64[n], `value` of the first of `areas` that holds each point at its time, or NOWHERE.

    `areas` come in the order of preference: the deepest level first, and within a level by code.
    """
    row, version = _inside(lonlat, at, areas)
    best = np.full(len(lonlat), len(areas))
    np.minimum.at(best, row, version)
    found: NDArray[np.int64] = np.append(areas.value, NOWHERE)[best]
    return found


def zone_mask(lonlat: LonLat, at: Moments, zones: Versions) -> NDArray[np.int32]:
    """int32[n], the bits (`value`) of all `zones` that hold each point at its time."""
    row, version = _inside(lonlat, at, zones)
    found = np.zeros(len(lonlat), np.int64)
    np.bitwise_or.at(found, row, np.int64(1) << zones.value[version])
    return found.astype(np.int32)


def _inside(lonlat: LonLat, at: Moments, versions: Versions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of a point and a version that holds it at its time: row numbers and version numbers."""
    distinct, which = np.unique(lonlat, axis=0, return_inverse=True)
    tree = shapely.STRtree(np.asarray(shapely.points(distinct)))
    version, place = tree.query(versions.shapes, predicate="covers")
    order = np.argsort(place, kind="stable")
    version, place = version[order], place[order]
    # From distinct points back to rows: row r has the pairs first[place] .. first[place] + many[place].
    many = np.bincount(place, minlength=len(distinct))
    first = np.cumsum(many) - many
    each = many[which]
    row = np.repeat(np.arange(len(lonlat)), each)
    step = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    version = version[first[which[row]] + step]
    valid = (at[row] >= versions.start[version]) & (at[row] < versions.end[version])
    return row[valid], version[valid]
