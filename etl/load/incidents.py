"""Incidents into their table: merged by natural key, every change told to those who follow."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from psycopg import sql

from etl.load.staging import Connection, Landed, Merged, stage
from layers.core import events

LAYER = "incidents"

TOLD_ONE_BY_ONE = 500
"""Loads of more incidents than this tell only that the layer has changed."""

# Shares of a first landing at which a step is done, as measured; what follows is the public's product.
_COPIED, _INSERTED, MERGED = 0.08, 0.62, 0.88

_FACTS = (
    "category", "origin", "occurred_at", "recorded_at", "state", "due_at", "closed_at", "severity", "cell",
    "area_id", "zones", "spot", "geom", "attributes", "content_hash",
)  # fmt: skip

_INSERT = sql.SQL("""
insert into onemap.incident (source, source_key, run_id, {facts})
select %(source)s, source_key, %(run)s, {staged} from staging
where not exists (
  select from onemap.incident known where known.source = %(source)s and known.source_key = staging.source_key
)""")

_UPDATE = sql.SQL("""
update onemap.incident known set ({facts}, run_id, known_from) = row({staged}, %(run)s, now())
from staging
where known.source = %(source)s and known.source_key = staging.source_key
  and known.content_hash <> staging.content_hash""")

_DELETE = """
delete from onemap.incident known
where source = %(source)s and not exists (select from seen where seen.source_key = known.source_key)"""

_CHANGED = """
with recursive changed as (
  select known.* from onemap.incident known join staging using (source_key)
  where known.source = %(source)s and known.run_id = %(run)s
), above as (
  select incident_id, occurred_at, area_id from changed where area_id is not null
  union
  select above.incident_id, above.occurred_at, version.parent_id
  from above join onemap.area_version version using (area_id)
  where version.valid @> above.occurred_at and version.parent_id is not null
)
select incident_id, category, occurred_at, st_x(spot) as lon, st_y(spot) as lat, area_id, zones, sensitive,
  coalesce((select array_agg(area_id) from above where above.incident_id = changed.incident_id), '{}') as area_ids
from changed join onemap.category on category.code = changed.category
order by occurred_at, incident_id"""

# Whatever costs time with every row but can be built at once: the unique key and the secondary indexes. Foreign
# keys stay, since to drop one shuts out all readers of the table that it points to.
_BUILT = """
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
  format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint where conrelid = 'onemap.incident'::regclass and contype = 'u'
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index where indrelid = 'onemap.incident'::regclass
  and not exists (select from pg_constraint where conindid = indexrelid)
order by make"""


def merge(
    connection: Connection,
    table: pa.Table,
    *,
    source: str,
    run_id: int,
    seen: pa.Table | None,
    on_progress: Landed = lambda _what, _share: None,
) -> Merged:
    """Bring `table` into onemap.incident, inside the caller's transaction.

    `table` holds source_key and the columns of the incident table, one row a key. `seen` is given for a snapshot:
    all keys (source_key) of the file; what is known of this source and not among them is deleted.
    """
    stage(
        connection,
        "staging",
        table,
        geometry=frozenset({"spot", "geom"}),
        on_rows=lambda sent: on_progress("copying", _COPIED * sent / max(len(table), 1)),
    )
    on_progress("merging", _COPIED)
    given = {"source": source, "run": run_id}
    facts = sql.SQL(", ").join(map(sql.Identifier, _FACTS))
    staged = sql.SQL(", ").join(
        sql.SQL("staging.{}::jsonb" if name == "attributes" else "staging.{}").format(sql.Identifier(name))
        for name in _FACTS
    )
    with _bare_if_empty(connection, on_progress):
        updated = connection.execute(_UPDATE.format(facts=facts, staged=staged), given).rowcount
        inserted = connection.execute(_INSERT.format(facts=facts, staged=staged), given).rowcount
    deleted = 0
    if seen is not None:
        stage(connection, "seen", seen)
        deleted = connection.execute(_DELETE, given).rowcount
    return Merged(inserted, updated, deleted)


def tell(connection: Connection, merged: Merged, *, source: str, run_id: int, at: datetime) -> None:
    """Bump the layer and write the outbox; the last thing before the commit."""
    few = 0 < merged.inserted + merged.updated <= TOLD_ONE_BY_ONE
    changed = connection.execute(_CHANGED, {"source": source, "run": run_id}).fetchall() if few else []
    events.begin(connection)
    events.bump(connection, LAYER, at)
    if changed:
        events.emit(
            connection,
            "incident",
            LAYER,
            [_payload(row) for row in changed],
            at,
            [row["area_ids"] for row in changed],
        )


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    """What followers learn of one incident: its spot, never its true point."""
    return {
        "id": row["incident_id"],
        "category": row["category"],
        "occurred_at": row["occurred_at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "lon": row["lon"],
        "lat": row["lat"],
        "area": row["area_id"],
        "zones": row["zones"],
        "sensitive": row["sensitive"],
    }


@contextmanager
def _bare_if_empty(connection: Connection, on_progress: Landed) -> Iterator[None]:
    """Fill an empty table without its key and indexes and build them afterwards, which is faster.

    A table that has rows has readers, and is left as it is.
    """
    found = connection.execute("select exists (select from onemap.incident) as filled").fetchone()
    if found is None or found["filled"]:
        yield
        return
    built = connection.execute(_BUILT).fetchall()
    for part in built:
        connection.execute(part["drop"].encode())
    yield
    on_progress("indexing", _INSERTED)
    for part in built:
        connection.execute(part["make"].encode())
    connection.execute("analyze onemap.incident")
