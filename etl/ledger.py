"""The ledger of a run: what was repaired, and what was found and left as it is, each a row with its place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
import shapely
from psycopg.rows import DictRow

Connection = psycopg.Connection[DictRow]

_COPY = """copy onemap.finding (run_id, at, kind, changed, row_number, subject, message, amount, unit, place)
from stdin"""


@dataclass(frozen=True)
class Entry:
    """One repair (`changed`) or one finding.

    kind : a slug: `ring_order`, `self_crossing`, `gap`, `masked` ...
    row_number : the row of the file, where it is one row's.
    subject : what it is about: a code, a column.
    amount : how much, in `unit`: square metres, a count, metres.
    place : where, lon-lat EPSG:4326.
    """

    kind: str
    changed: bool
    message: str
    row_number: int | None = None
    subject: str | None = None
    amount: float | None = None
    unit: str | None = None
    place: shapely.Geometry | None = None


def masks(spans: Counter[tuple[str, str]]) -> list[Entry]:
    """What was masked, by column and kind: counted, since naming the rows would name whom to look for."""
    return [
        Entry(
            kind="masked",
            changed=True,
            message=f"{count} spans that look like a {kind} masked",
            subject=column,
            amount=count,
            unit="spans",
        )
        for (column, kind), count in sorted(spans.items())
    ]


def write(connection: Connection, run_id: int, entries: Sequence[Entry], at: datetime) -> None:
    """Keep the entries of one run, inside the caller's transaction."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for entry in entries:
            place = entry.place and shapely.to_wkb(
                shapely.set_srid(entry.place, 4326), hex=True, include_srid=True
            )
            copy.write_row(
                (run_id, at, entry.kind, entry.changed, entry.row_number, entry.subject, entry.message,
                 entry.amount, entry.unit, place)
            )  # fmt: skip


def listed(connection: Connection, run_id: int | None, limit: int) -> list[dict[str, object]]:
    """Entries of one run or of the last run of each source: run_id, source, kind, changed, row_number, ..."""
    return connection.execute(
        """select finding.run_id, run.source, run.file_name, kind, changed, row_number, subject, finding.message,
          amount, unit, st_x(st_centroid(place)) as lon, st_y(st_centroid(place)) as lat
        from onemap.finding join onemap.run using (run_id)
        where case when %(run_id)s::bigint is null
          then run_id in (select max(run_id) from onemap.run group by source) else run_id = %(run_id)s end
        order by finding.run_id, finding_id limit %(limit)s""",
        {"run_id": run_id, "limit": limit},
    ).fetchall()
