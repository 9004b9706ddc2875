"""Polygons that a database can rely on: valid, flat, of many parts, with the outer ring counter-clockwise."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray


@dataclass(frozen=True)
class Repaired:
    """n polygons: `shapes` as MultiPolygon, none where nothing is left; `mended` and `turned` are bool[n]."""

    shapes: NDArray[np.object_]
    mended: NDArray[np.bool_]
    turned: NDArray[np.bool_]


def repair(shapes: NDArray[np.object_]) -> Repaired:
    """Mend rings that cross themselves and turn those that run the wrong way; a valid shape stays as it is.

    `shapes` holds polygons, multipolygons and none.
    """
    mended = ~shapely.is_valid(shapes) & (shapely.get_type_id(shapes) >= 0)
    whole = shapes.copy()
    whole[mended] = shapely.make_valid(shapes[mended], method="structure", keep_collapsed=False)
    many = multi(whole)
    turned = shapely.orient_polygons(many)
    return Repaired(turned, mended, shapely.to_wkb(turned) != shapely.to_wkb(many))


def multi(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Each geometry's polygons as one MultiPolygon; none where it has none."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    many = np.full(len(shapes), None, np.object_)
    if flat.any():
        many[np.unique(owner[flat])] = shapely.multipolygons(parts[flat], indices=_dense(owner[flat]))
    return many


def _dense(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(owner, return_inverse=True)[1]
