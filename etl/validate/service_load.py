"""What a row must be to become service load: counts of an area, and nothing that could be a person."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate.checker import Checked, Checker
from etl.validate.links import links
from layers.catalog.city import City

_LONG_NUMBER = r"[0-9](?:[ .-]?[0-9]){6,}"
"""Seven digits and more may be part of a number that stands for a person."""


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of a file of service load.

    Returns
    -------
    Checked with the columns source_key, level, area, class, since, until, due, done and link. The key is made of
    the area, the class and the period.

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    classes = [] if city.service is None else [each.code for each in city.service.classes]
    level, kind = desk.choice("level", city.service_levels), desk.choice("class", classes)
    area = desk.text("area", required=True)
    since, until = (desk.instant(name, required=True) for name in ("since", "until"))
    desk.findings.add(_true(pc.greater_equal(since, until)), "since is not before until")
    due, done = (_count(desk, name) for name in ("due", "done"))
    desk.findings.add(_true(pc.greater(done, due)), "more is done than is due")
    link = links(desk)
    desk.findings.add(_true(pc.match_substring_regex(link, _LONG_NUMBER)), "link holds a long number")
    parts = [level, area, kind, since.cast(pa.int64()).cast(pa.string()), until.cast(pa.int64()).cast(pa.string())]
    facts = {"class": kind, "since": since, "until": until, "due": due, "done": done, "link": link}
    key = pc.binary_join_element_wise(*parts, " ")
    return desk.done({"source_key": key, "level": level, "area": area, **facts})


def _count(desk: Checker, name: str) -> pa.Array:
    found = desk.count(name)
    desk.findings.add(np.asarray(desk.sheet.column(name).is_null()), f"{name} is missing")
    return found


def _true(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(column.fill_null(False))  # noqa: FBT003
