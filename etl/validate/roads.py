"""What a row must be to become a road."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate.checker import Checked, Checker, Shapes, ewkb
from etl.validate.keyed import keyed
from layers.catalog.city import City
from layers.records.personal import excerpt

_LINES = {shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING}
_DEEPEST, _HIGHEST = -9, 9


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of a file of roads.

    Returns
    -------
    Checked with the columns source_key, name_zh, name_en, class, oneway (`no` where the row says nothing), layer
    (of a bridge above 0, of a tunnel below; 0 where the row says nothing) and geom (EWKB MultiLineString).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    return desk.done(
        {
            **keyed(desk),
            "class": desk.text("class", required=True),
            "oneway": _oneway(desk),
            "layer": _layer(desk),
            "geom": ewkb(_lines(desk)),
        }
    )


def _oneway(desk: Checker) -> pa.Array:
    found = pc.fill_null(desk.text("oneway"), "no")
    unknown = ~np.asarray(pc.is_in(found, pa.array(["no", "forward", "backward"])))
    desk.findings.add(unknown, lambda i: f"oneway '{excerpt(found[i])}' is none of no, forward, backward")
    return found


def _layer(desk: Checker) -> pa.Array:
    found, unreadable = desk.sheet.whole("layer")
    found = pc.fill_null(found, 0)
    wild = np.asarray(pc.or_(pc.less(found, _DEEPEST), pc.greater(found, _HIGHEST)))
    desk.findings.add(unreadable | wild, f"layer is no whole number from {_DEEPEST} to {_HIGHEST}")
    return pc.if_else(pa.array(wild), 0, found).cast(pa.int16())


def _lines(desk: Checker) -> Shapes:
    """Each road as a MultiLineString in lon-lat degrees; none where it did not pass."""
    shapes = desk.placed(desk.shapes(_LINES))
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts, owner = parts[shapely.length(parts) > 0], owner[shapely.length(parts) > 0]
    found = np.full(len(shapes), None, np.object_)
    if len(parts):
        found[np.unique(owner)] = shapely.multilinestrings(parts, indices=np.unique(owner, return_inverse=True)[1])
    spent = (shapely.get_type_id(shapes) >= 0) & (shapely.get_type_id(found) < 0)
    desk.findings.add(spent, "geometry has no length")
    return found
