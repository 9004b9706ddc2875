"""What a row must be to become a resource: a point that serves."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.binary import points
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate.checker import Checked, Checker
from etl.validate.identity import coded
from etl.validate.links import links
from etl.validate.persons import masked
from layers.catalog.city import City
from layers.records.personal import excerpt

_DEVICE = r"^[0-9]{20}$"
"""GB/T 28181: eight digits of the centre, two of the industry, three of the type, seven in sequence."""


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of a file of resources.

    Returns
    -------
    Checked with the columns code, kind, name_zh, name_en, unit, device_id, link, valid_from, valid_to and geom
    (EWKB Point).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    kind = desk.choice("kind", [each.code for each in city.resource_kinds])
    code = coded(desk)
    texts = {name: masked(desk, name, desk.text(name)) for name in ("name_zh", "name_en", "unit")}
    device_id = _devices(desk, kind, [each.code for each in city.resource_kinds if each.device])
    valid_from, valid_to = desk.validity()
    lonlat = desk.points()
    here = pa.array(np.isfinite(lonlat).all(axis=1))
    return desk.done(
        {
            "code": code,
            "kind": kind,
            **texts,
            "device_id": device_id,
            "link": links(desk),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "geom": pc.if_else(here, points(lonlat), pa.scalar(None, pa.binary())),
        }
    )


def _devices(desk: Checker, kind: pa.StringArray, devices: list[str]) -> pa.StringArray:
    """Ids as text: as numbers they would lose their last digits."""
    found = desk.text("device_id")
    shaped = pc.match_substring_regex(found, _DEVICE)
    desk.findings.add(_true(pc.invert(shaped)), lambda i: f"device_id '{excerpt(found[i])}' is not of 20 digits")
    is_device = pc.is_in(kind, pa.array(devices, pa.string()))
    desk.findings.add(_true(pc.and_(is_device, found.is_null())), lambda i: f"a {kind[i]} has a device_id")
    desk.findings.add(
        _true(pc.and_(pc.and_(kind.is_valid(), pc.invert(is_device)), found.is_valid())),
        lambda i: f"a {kind[i]} has no device_id",
    )
    return pc.if_else(shaped, found, pa.scalar(None, pa.string()))


def _true(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(column.fill_null(False))  # noqa: FBT003
