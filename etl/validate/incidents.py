"""What a row must be to become an incident: the rules of records, and a key, a cell and no person in its texts."""

import json
import math
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from etl.keys import said
from etl.readers.base import RawFrame
from etl.scope import Stated
from etl.spec import Source
from etl.validate.checker import Checked, Checker
from etl.validate.identity import identified
from etl.validate.persons import masked
from layers.catalog.city import City
from layers.geo import hexgrid
from layers.records.incident import judge, tombstones
from layers.records.sheet import plain


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check rows of an incident file; nothing is written, order is kept.

    Returns
    -------
    Checked with the columns source_key, version, deleted, category, origin, occurred_at, recorded_at, state,
    due_at, closed_at, severity, lon, lat, cell (of the city's base resolution) and attributes (JSON text).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    facts = judge(desk, {category.code: category.weight for category in city.categories})
    if source.scope:
        astray = Stated.of(source, city).outside(facts["occurred_at"], facts["category"])
        desk.findings.add(astray, "lies outside the scope that the source states")
    facts["state"] = masked(desk, "state", facts["state"])
    kept = {name: plain(desk.raw.table.column(column)) for name, column in source.attributes.items()}
    kept = {name: masked(desk, name, column) for name, column in kept.items()}
    deleted = tombstones(desk)
    source_key = identified(desk)
    version = desk.order("version") if "version" in source.columns else pa.nulls(len(raw), pa.int64())
    return desk.done(
        {"source_key": source_key, "version": version, "deleted": deleted}
        | facts
        | {
            "cell": _cell(facts["lon"], facts["lat"], city.base_resolution),
            "attributes": attributes(kept, len(raw)),
        },
        said(raw, source) if "version" in source.columns else None,  # states of one version are told apart by it
    )


def attributes(kept: dict[str, pa.Array], count: int) -> pa.StringArray:
    """The further columns of each of `count` rows as JSON text, by kept name; a missing value is left out.

    Few rows differ in them, so each distinct combination is written once.
    """
    which = np.zeros(count, np.int64)
    for column in kept.values():
        codes = np.asarray(column.dictionary_encode(null_encoding="encode").indices).astype(np.int64)
        _, which = np.unique(which * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    distinct, first = np.unique(which, return_index=True)
    values = [column.take(pa.array(first)).to_pylist() for column in kept.values()]
    texts = [_json(dict(zip(kept, row, strict=True))) for row in zip(*values, strict=True)]
    return pa.array(texts or ["{}"] * len(distinct), pa.string()).take(pa.array(which))


def _json(row: dict[str, Any]) -> str:
    there = {name: value for name, value in row.items() if value is not None and not _wild(value)}
    return json.dumps(there, ensure_ascii=False, sort_keys=True, default=datetime.isoformat)


def _wild(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)  # JSON has no number for it


def _cell(lon: pa.Array, lat: pa.Array, res: int) -> pa.Array:
    lonlat = np.column_stack([lon.to_numpy(zero_copy_only=False), lat.to_numpy(zero_copy_only=False)])
    here = np.isfinite(lonlat).all(axis=1)
    cells = np.zeros(len(lonlat), np.uint64)
    cells[here] = hexgrid.index(lonlat[here], res)
    return pa.array(cells.astype(np.int64), mask=~here)
