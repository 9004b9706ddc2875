"""Incidents into their table, merged by natural key."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from etl.binary import integers
from etl.load import states
from etl.load.bare import bare
from etl.load.staging import Connection, Merged
from etl.scope import Stated
from etl.spec import Source
from layers.core.errors import Conflict

TABLE = "onemap.incident"
TYPES = {"spot": "geometry", "geom": "geometry", "attributes": "jsonb"}
"""Columns of the staged table that hold EWKB, and JSON in its binary form."""


@dataclass(frozen=True)
class Needed:
    """What a file's keys say: rows that gave way, incidents that tombstones deleted, and the rows to bring in.

    rows : int64[n], row numbers, ascending.
    """

    superseded: int
    deleted: int
    rows: NDArray[np.int64]


_FACTS = (
    "category", "origin", "occurred_at", "recorded_at", "state", "due_at", "closed_at", "severity", "cell",
    "area_id", "zones", "spot", "geom", "attributes", "content_hash", "version",
)  # fmt: skip

# The stated rows that are new or say something new; the others are known.
_NEEDED = """
create temporary table needed on commit drop as
select stated.row_number, stated.source_key, known.incident_id
from stated left join onemap.incident known
  on known.source = %(source)s and known.source_key = stated.source_key
where known.content_hash is distinct from stated.content_hash"""

_ROWS = "copy (select row_number from needed order by 1) to stdout (format binary)"

# By place, so that what a map asks for together lies together: a tile then takes half the time.
_INSERT = sql.SQL("""
insert into onemap.incident (source, source_key, run_id, {facts})
select %(source)s, needed.source_key, %(run)s, {staged}
from staging join needed using (row_number) where needed.incident_id is null
order by staging.cell""")

_UPDATE = sql.SQL("""
update onemap.incident known set ({facts}, run_id, known_from) = row({staged}, %(run)s, now())
from staging join needed using (row_number) where known.incident_id = needed.incident_id""")

# What a snapshot no longer has. `spared` holds the keys of rows that stand in the file and did not pass.
_DELETE = """
delete from onemap.incident known
where source = %(source)s
  and (%(since)s::timestamptz is null or occurred_at >= %(since)s)
  and (%(until)s::timestamptz is null or occurred_at < %(until)s)
  and (%(categories)s::text[] is null or category = any(%(categories)s))
  and not exists (select from stated where stated.source_key = known.source_key)
  and not exists (
    select from spared
    where spared.source_key =
      case when %(keyless)s then split_part(known.source_key, '#', 1) else known.source_key end
  )"""


def filled(connection: Connection) -> bool:
    """Whether there is any incident yet."""
    found = connection.execute("select exists (select from onemap.incident) as filled").fetchone()
    return bool(found and found["filled"])


def need(connection: Connection, source: Source, run_id: int) -> Needed:
    """Hold the rows of `stated` against what is known, inside the caller's transaction.

    `stated` has row_number, source_key, version, deleted and content_hash, one row a key; `spared` has the keys of
    the file's other rows. What is outdated leaves `stated`, tombstones take effect, and `needed` is made.
    """
    superseded = states.outdate(connection, source.id) if "version" in source.columns else 0
    deleted = states.bury(connection, source.id, run_id) if "deleted" in source.columns else 0
    connection.execute(_NEEDED, {"source": source.id})
    rows = bytearray()
    with connection.cursor() as cursor, cursor.copy(_ROWS) as copy:
        for row in copy:  # each is let go at once: to keep them all would take a hundred times as much memory
            rows += row
    return Needed(superseded, deleted, integers(rows))


def merge(connection: Connection, source: Source, run_id: int) -> Merged:
    """Bring the rows of `staging` in: row_number and the facts of those that are needed."""
    given = {"source": source.id, "run": run_id}
    facts = sql.SQL(", ").join(map(sql.Identifier, _FACTS))
    staged = sql.SQL(", ").join(sql.Identifier("staging", name) for name in _FACTS)
    with nullcontext() if filled(connection) else bare(connection):
        updated = connection.execute(_UPDATE.format(facts=facts, staged=staged), given).rowcount
        inserted = connection.execute(_INSERT.format(facts=facts, staged=staged), given).rowcount
    return Merged(inserted, updated)


def vouch(connection: Connection, categories: set[str]) -> None:
    """See that the categories of a load are known, and stay so until it is committed.

    Raises
    ------
    Conflict : one was removed while its incidents were on their way.
    """
    known = connection.execute(
        "select code from onemap.category where code = any(%s) for key share", [sorted(categories)]
    ).fetchall()
    if lost := categories - {row["code"] for row in known}:
        raise Conflict(f"category '{min(lost)}' was removed while its incidents were loaded", category=min(lost))


def delete_missing(connection: Connection, source: Source, snapshot: Stated) -> int:
    """Delete what is known of `source` inside the `snapshot` and stands neither in `stated` nor in `spared`."""
    given = {"source": source.id, "keyless": not source.key} | vars(snapshot)
    return connection.execute(_DELETE, given).rowcount
