"""What a row must be to become an incident."""

import json
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.datum import LonLat
from etl.fields import plain
from etl.keys import source_keys
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate.checker import Checked, Checker, numbers
from layers.catalog.city import City
from layers.geo import hexgrid

ORIGINS = ("citizen", "patrol", "sensor", "hotline")


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of an incident file; nothing is written, order is kept.

    Returns
    -------
    Checked with the columns source_key, category, origin, occurred_at, recorded_at, state, due_at, closed_at,
    severity, lon, lat, cell (of the city's base resolution) and attributes (JSON text).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    weights = {category.code: category.weight for category in city.categories}
    category = desk.choice("category", list(weights))
    origin = desk.choice("origin", ORIGINS)
    occurred_at = desk.instant("occurred_at", required=True, past=True)
    recorded_at = desk.instant("recorded_at", past=True)
    due_at = desk.instant("due_at")
    closed_at = desk.instant("closed_at", past=True)
    lonlat = desk.points()
    source_key = source_keys(raw, source)
    desk.findings.add(np.asarray(source_key.is_null()), f"key {' + '.join(source.key)} is missing")
    return desk.done(
        {
            "source_key": source_key,
            "category": category,
            "origin": origin,
            "occurred_at": occurred_at,
            "recorded_at": recorded_at,
            "state": desk.text("state"),
            "due_at": due_at,
            "closed_at": closed_at,
            "severity": _severity(category, weights),
            "lon": numbers(lonlat[:, 0]),
            "lat": numbers(lonlat[:, 1]),
            "cell": _cell(lonlat, city.base_resolution),
            "attributes": attributes(raw, source.attributes),
        }
    )


def attributes(raw: RawFrame, kept: dict[str, str]) -> pa.StringArray:
    """The further columns of each row as JSON text, by kept name; a missing value is left out.

    Few rows differ in them, so each distinct combination is written once.
    """
    columns = [plain(raw.table.column(name)) for name in kept.values()]
    which = np.zeros(len(raw), np.int64)
    for column in columns:
        codes = np.asarray(column.dictionary_encode(null_encoding="encode").indices).astype(np.int64)
        _, which = np.unique(which * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    distinct, first = np.unique(which, return_index=True)
    values = [column.take(pa.array(first)).to_pylist() for column in columns]
    texts = [_json(dict(zip(kept, row, strict=True))) for row in zip(*values, strict=True)]
    return pa.array(texts or ["{}"] * len(distinct), pa.string()).take(pa.array(which))


def _json(row: dict[str, Any]) -> str:
    said = {name: value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124
    return json.dumps(said, ensure_ascii=False, sort_keys=True, default=datetime.isoformat)


def _cell(lonlat: LonLat, res: int) -> pa.Array:
    here = np.isfinite(lonlat).all(axis=1)
    cells = np.zeros(len(lonlat), np.uint64)
    cells[here] = hexgrid.index(lonlat[here], res)
    return pa.array(cells.astype(np.int64), mask=~here)


def _severity(category: pa.StringArray, weights: dict[str, int]) -> pa.Array:
    found = pc.index_in(category, pa.array(list(weights), pa.string()))
    return pa.array(list(weights.values()), pa.int32()).take(found)
