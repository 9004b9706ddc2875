"""Shapes in Esri's JSON."""

import math
from typing import Any

import numpy as np
import shapely


def shape(value: Any) -> shapely.Geometry | None:
    """A point, multipoint, polyline or polygon; none where there is none or it is empty. Heights are left out.

    Outer rings run clockwise and holes the other way; a polygon may have several outer rings, in any order.

    Raises
    ------
    ValueError : it is none of these, or has a curve; says which.

    Notes
    -----
    Source: https://developers.arcgis.com/rest/services-reference/enterprise/geometry-objects/
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("its geometry is no JSON object")  # noqa: TRY004  # a fault of the data
    if curve := next((name for name in value if name.startswith("curve")), None):
        raise ValueError(f"its geometry has a curve ('{curve}')")
    try:
        if "x" in value:
            return _point(value)
        if "points" in value:
            return shapely.MultiPoint(_line(value["points"])) if value["points"] else None
        if "paths" in value:
            lines = [shapely.LineString(_line(path)) for path in value["paths"] if path]
            return shapely.MultiLineString(lines) if lines else None
        if "rings" in value:
            return _polygon([shapely.LinearRing(_line(ring)) for ring in value["rings"] if ring])
    except (TypeError, ValueError, shapely.errors.GEOSException) as exc:
        raise ValueError(f"its geometry cannot be read: {exc}") from exc
    raise ValueError("its geometry is no point, multipoint, polyline or polygon")


def _point(value: dict[str, Any]) -> shapely.Point | None:
    # An empty point is written as null or "NaN".
    x, y = (math.nan if value.get(name) is None else float(value[name]) for name in ("x", "y"))
    return None if math.isnan(x) or math.isnan(y) else shapely.Point(x, y)


def _line(points: list[list[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([point[:2] for point in points], np.float64)


def _polygon(rings: list[shapely.LinearRing]) -> shapely.Polygon | shapely.MultiPolygon | None:
    outer = [shapely.Polygon(ring) for ring in rings if not ring.is_ccw]
    holes: list[list[shapely.LinearRing]] = [[] for _ in outer]
    for hole in (ring for ring in rings if ring.is_ccw):
        around = [
            i for i, ring in enumerate(outer) if ring.contains(shapely.Point(hole.coords[0])) or ring.covers(hole)
        ]
        if not around:
            raise ValueError("a hole lies outside of its rings")
        holes[min(around, key=lambda i: outer[i].area)].append(hole)
    parts = [shapely.Polygon(ring.exterior, inner) for ring, inner in zip(outer, holes, strict=True)]
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts) if parts else None
