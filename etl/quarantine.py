"""Rows that did not pass: where they stand, why, and just enough of them to recognise the fault.

Only columns of place, time and class are shown, and texts masked: a quarantine must not become a register of
persons.
"""

import math
from typing import Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from etl.fields import sheet
from etl.load.staging import Connection
from etl.readers.base import RawFrame
from etl.spec import Source
from layers.records.findings import Findings, mask

_COPY = "copy onemap.quarantine (run_id, file_sha256, row_number, reasons, excerpt) from stdin"
_SHOWN = (
    "level", "code", "parent_code", "valid_from", "valid_to", "zone_type", "influence_m", "category", "origin",
    "occurred_at", "recorded_at", "due_at", "closed_at", "lon", "lat",
)  # fmt: skip


def write(
    connection: Connection, run_id: int, sha256: str, raw: RawFrame, source: Source, findings: Findings
) -> int:
    """Keep the rows of `raw` that did not pass, and those that could not be read at all; returns how many."""
    bad = findings.bad()
    entries: list[tuple[int, list[str], dict[str, Any]]] = [
        (number, [reason], {}) for number, reason in raw.broken
    ]
    entries += [
        (int(raw.rows[index]), findings.of(index), excerpt)
        for index, excerpt in zip(bad, _excerpts(raw, source, bad), strict=True)
    ]
    if not entries:
        return 0
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number, reasons, excerpt in sorted(entries, key=lambda entry: entry[0]):
            copy.write_row((run_id, sha256, number, reasons, Jsonb(excerpt)))
    return len(entries)


def _excerpts(raw: RawFrame, source: Source, bad: list[int]) -> list[dict[str, Any]]:
    shown = [name for name in _SHOWN if name in source.columns]
    fields = sheet(raw, source)
    values = [fields.column(name).take(pa.array(bad, pa.int64())).to_pylist() for name in shown]
    return [
        {name: _shown(row[place]) for place, name in enumerate(shown) if row[place] is not None}
        for row in (list(column) for column in zip(*values, strict=True))
    ] or [{} for _ in bad]


def _shown(value: object) -> object:
    if isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return mask(value)
