"""What a row must be to become a risk area of one of the six key zones."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import shapely

from etl.influence import widen
from etl.readers.base import RawFrame
from etl.repair import repair
from etl.spec import Source
from etl.validate.checker import Checked, Checker, Shapes, ewkb
from etl.validate.identity import coded
from layers.catalog.city import City
from layers.records.desk import numbers

_POLYGONS = {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}
_KINDS = {
    *_POLYGONS,
    shapely.GeometryType.POINT,
    shapely.GeometryType.MULTIPOINT,
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.MULTILINESTRING,
}

_FARTHEST_M = 100_000
"""No place of a city reaches farther."""


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of a file of risk areas: places with the distance they reach.

    Returns
    -------
    Checked with the columns code, zone_type, name_zh, name_en, influence_m, approximate, valid_from, valid_to,
    geom and influence (EWKB; influence is a MultiPolygon).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    zone_type = desk.choice("zone_type", [zone.code for zone in city.zone_types])
    code = coded(desk)
    names = {name: desk.text(name, required=True) for name in ("name_zh", "name_en")}
    metres = desk.number("influence_m")
    desk.findings.add(metres < 0, "influence_m is below zero")
    desk.findings.add(metres > _FARTHEST_M, f"influence_m is above {_FARTHEST_M:,} m")
    valid_from, valid_to = desk.validity()
    shapes = _shapes(desk, code.to_pylist())
    able = (shapely.get_type_id(shapes) >= 0) & (metres >= 0) & (metres <= _FARTHEST_M)
    influence = np.full(len(raw), None, np.object_)
    influence[able] = widen(shapes[able], metres[able])
    desk.findings.add(
        able & (shapely.get_type_id(influence) < 0), "influence_m is zero, so that the place covers nothing"
    )
    return desk.done(
        {
            "code": code,
            "zone_type": zone_type,
            **names,
            "influence_m": numbers(metres).cast(pa.float32()),
            "approximate": pa.array(desk.truth("approximate")),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "geom": ewkb(shapes),
            "influence": ewkb(influence),
        }
    )


def _shapes(desk: Checker, codes: list[str | None]) -> Shapes:
    if desk.source.has_points:
        lonlat = desk.points()
        here = np.isfinite(lonlat).all(axis=1)
        shapes = np.full(len(lonlat), None, np.object_)
        shapes[here] = shapely.points(lonlat[here])
        return shapes
    shapes = desk.placed(desk.shapes(_KINDS))
    flat = np.isin(shapely.get_type_id(shapes), [int(kind) for kind in _POLYGONS])
    polygons = np.full(len(shapes), None, np.object_)
    polygons[flat] = shapes[flat]
    mended = repair(polygons)
    desk.findings.add(mended.lost, "geometry is broken beyond repair")
    desk.note("repaired", mended.changed & desk.findings.good)
    for entry in mended.of(desk.raw.rows, codes, desk.findings.good):
        desk.record(entry)
    shapes[flat] = mended.shapes[flat]
    return shapes
