"""Geometries that a filter names: GeoJSON in whatever system, made lon-lat and checked."""

import math
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.errors import ShapelyError

from layers.core.errors import BadValue
from layers.geo.bbox import Bbox
from layers.geo.crs import Crs
from layers.geo.crs import box as boxed

MOST_CORNERS = 10_000

_EDGE_PARTS = 100
_TYPES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"}


def geometry(given: dict[str, Any], crs: Crs, parameter: str) -> shapely.Geometry:
    """One geometry in lon-lat degrees, without heights.

    Raises
    ------
    BadValue : no GeoJSON geometry, a collection, empty, not valid, too large, or outside of the globe.
    """
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BadValue(f"{parameter}: a geometry is one of {', '.join(sorted(_TYPES))}", parameter=parameter)
    try:
        found = shapely.force_2d(shapely.from_geojson(orjson.dumps(given)))
    except (ShapelyError, TypeError) as exc:
        raise BadValue(f"{parameter}: is no {kind}: {exc}", parameter=parameter) from exc
    if found.is_empty or shapely.get_num_coordinates(found) > MOST_CORNERS:
        raise BadValue(
            f"{parameter}: the {kind} has {shapely.get_num_coordinates(found)} corners, "
            f"1 to {MOST_CORNERS} are taken",
            parameter=parameter,
        )
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise BadValue(f"{parameter}: a corner of the {kind} is no number", parameter=parameter)
    if not shapely.is_valid(found):
        why = shapely.is_valid_reason(found)
        raise BadValue(f"{parameter}: the {kind} is not valid: {why}", parameter=parameter)
    return _lonlat(found, crs, parameter)


def box(given: Any, crs: Crs, parameter: str) -> shapely.Geometry:
    """The area of four numbers, or of six with heights; one across the antimeridian is in two parts.

    Raises
    ------
    BadValue : no such numbers, or outside of where the system holds.
    """
    if not isinstance(given, list) or not all(is_number(each) for each in given):
        raise BadValue(f"{parameter}: a bbox is a list of numbers", parameter=parameter)
    found = boxed(given, crs, parameter)
    if isinstance(found, Bbox):
        return shapely.union_all([rectangle(*part) for part in found.parts()])
    plane = rectangle(*found.sides)
    side = max(found.right - found.left, found.top - found.bottom)
    if side > 0:
        plane = shapely.segmentize(plane, side / _EDGE_PARTS)
    return shapely.transform(plane, crs.lonlat)


def rectangle(left: float, bottom: float, right: float, top: float) -> shapely.Geometry:
    """A polygon; a line or a point where it has no width or no height, for no polygon has no area."""
    return shapely.convex_hull(shapely.linestrings([[left, bottom], [left, top], [right, top], [right, bottom]]))


def is_number(value: object) -> bool:
    """Whether it is a finite number; to Python, true and false are numbers too."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _lonlat(found: shapely.Geometry, crs: Crs, parameter: str) -> shapely.Geometry:
    if crs.north_first:
        found = shapely.transform(found, lambda corners: corners[:, ::-1])
    found = shapely.transform(found, crs.lonlat)
    if not (np.abs(shapely.get_coordinates(found)) <= (180, 90)).all():
        raise BadValue(f"{parameter}: a geometry lies outside of the globe", parameter=parameter)
    return found
