"""Rows that did not pass: where they stand, why, and just enough of them to recognise the fault.

Only columns of place, time and class are shown, and texts masked: a quarantine must not become a register of
persons.
"""

from datetime import datetime
from typing import Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from etl.fields import sheet
from etl.load.staging import Connection
from etl.readers.base import RawFrame
from etl.spec import Source
from layers.core.errors import BadValue
from layers.records.findings import Findings
from layers.records.personal import excerpt, kinds, personal, printable

_COPY = "copy onemap.quarantine (run_id, file_sha256, row_number, reasons, excerpt) from stdin"
_SHOWN = (
    "level", "code", "parent_code", "valid_from", "valid_to", "zone_type", "influence_m", "category", "origin",
    "occurred_at", "recorded_at", "due_at", "closed_at", "lon", "lat",
)  # fmt: skip

_LONG = 1_000_000
"""A number as large may be somebody's, as in a text."""


def write(
    connection: Connection, run_id: int, sha256: str, raw: RawFrame, source: Source, findings: Findings
) -> int:
    """Keep the rows of `raw` that did not pass, and those that could not be read at all; returns how many."""
    bad = findings.bad()
    entries: list[tuple[int, list[str], dict[str, Any]]] = [
        (number, [printable(reason)], {}) for number, reason in raw.broken
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
    if isinstance(value, (bool, int, float)) and abs(value) < _LONG:
        return value
    return excerpt(value)


_LISTED = """
select quarantine_id, run.run_id, run.source, run.file_name, row_number, reasons, excerpt, fix
from onemap.quarantine join onemap.run using (run_id)
where resolved_by is null and dismissed_at is null"""


def listed(connection: Connection, run_id: int | None, limit: int) -> list[dict[str, Any]]:
    """Rows that wait, of one run or of all: quarantine_id, run_id, source, file_name, row_number, reasons ..."""
    return connection.execute(
        _LISTED + " and (%(run_id)s::bigint is null or run_id = %(run_id)s) order by 2, 5 limit %(limit)s",
        {"run_id": run_id, "limit": limit},
    ).fetchall()


def one(connection: Connection, quarantine_id: int) -> dict[str, Any]:
    """One row that waits.

    Raises
    ------
    BadValue : none of that number does.
    """
    found = connection.execute(_LISTED + " and quarantine_id = %s", [quarantine_id]).fetchone()
    if found is None:
        raise BadValue(f"no row {quarantine_id} waits in quarantine", parameter="id")
    return found


def fix(connection: Connection, source: Source, quarantine_id: int, values: dict[str, str]) -> None:
    """Keep values that stand in for what the file says, by source column, until the row is played again.

    Raises
    ------
    BadValue : no such row waits, the source takes no such column, or a value names a person.
    """
    one(connection, quarantine_id)
    for column, value in values.items():
        if column not in source.taken:
            raise BadValue(
                f"{source.id} takes no column '{column}'; it takes {', '.join(source.taken)}", column=column
            )
        if found := personal(value) if column in source.key else kinds(value):
            raise BadValue(f"{column}: the value names a person by {', '.join(sorted(found))}", column=column)
    connection.execute(
        "update onemap.quarantine set fix = fix || %s where quarantine_id = %s", [Jsonb(values), quarantine_id]
    )


def dismiss(connection: Connection, quarantine_id: int, at: datetime) -> None:
    """Take a row off the list for good: nobody will mend it.

    Raises
    ------
    BadValue : no such row waits.
    """
    one(connection, quarantine_id)
    connection.execute(
        "update onemap.quarantine set dismissed_at = %s where quarantine_id = %s", [at, quarantine_id]
    )
    forget_pushes(connection)


def forget_pushes(connection: Connection) -> None:
    """Let go of the rows of every push that has been loaded and of which no row waits."""
    connection.execute(
        """update onemap.push set rows = null
        where rows is not null and run_id is not null and not exists (
          select from onemap.quarantine waiting
          where waiting.file_sha256 = push.body_sha256 and resolved_by is null and dismissed_at is null
        )"""
    )
