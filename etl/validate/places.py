"""What a row must be to become a named place or point of interest."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.binary import points
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate.checker import Checked, Checker
from etl.validate.keyed import keyed
from layers.catalog.city import City


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of a file of places.

    Returns
    -------
    Checked with the columns source_key, name_zh, name_en, kind and geom (EWKB Point).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    kind = desk.text("kind", required=True)
    lonlat = desk.points()
    here = pa.array(np.isfinite(lonlat).all(axis=1))
    geom = pc.if_else(here, points(lonlat), pa.scalar(None, pa.binary()))
    return desk.done({**keyed(desk), "kind": kind, "geom": geom})
