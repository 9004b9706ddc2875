"""Incidents into their table, merged by natural key."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from psycopg import sql

from etl.load import states
from etl.load.bare import bare
from etl.load.staging import Connection, Merged
from etl.scope import Stated
from etl.spec import Source

TABLE = "onemap.incident"
TYPES = {"spot": "geometry", "geom": "geometry", "attributes": "jsonb"}
"""Columns of the staged table that hold EWKB, and JSON in its binary form."""

_FACTS = (
    "category", "origin", "occurred_at", "recorded_at", "state", "due_at", "closed_at", "severity", "cell",
    "area_id", "zones", "spot", "geom", "attributes", "content_hash", "version",
)  # fmt: skip

_KNOWN = "select exists (select from onemap.incident where source = %(source)s) as known"

_INSERT = sql.SQL("""
insert into onemap.incident (source, source_key, run_id, {facts})
select %(source)s, source_key, %(run)s, {staged} from staging""")

_UNKNOWN = sql.SQL("""
where not exists (
  select from onemap.incident known where known.source = %(source)s and known.source_key = staging.source_key
)""")

_UPDATE = sql.SQL("""
update onemap.incident known set ({facts}, run_id, known_from) = row({staged}, %(run)s, now())
from staging
where known.source = %(source)s and known.source_key = staging.source_key
  and known.content_hash <> staging.content_hash""")

# What a snapshot no longer has. `spared` holds the keys of rows that stand in the file and did not pass.
_DELETE = """
delete from onemap.incident known
where source = %(source)s
  and (%(since)s::timestamptz is null or occurred_at >= %(since)s)
  and (%(until)s::timestamptz is null or occurred_at < %(until)s)
  and (%(categories)s::text[] is null or category = any(%(categories)s))
  and not exists (select from staging where staging.source_key = known.source_key)
  and not exists (
    select from spared
    where spared.source_key =
      case when %(keyless)s then split_part(known.source_key, '#', 1) else known.source_key end
  )"""


def filled(connection: Connection) -> bool:
    """Whether there is any incident yet."""
    found = connection.execute("select exists (select from onemap.incident) as filled").fetchone()
    return bool(found and found["filled"])


def merge(
    connection: Connection,
    source: Source,
    run_id: int,
    *,
    snapshot: Stated | None,
    on_progress: Callable[[str], None] = lambda _step: None,
) -> Merged:
    """Bring the rows of the staged tables into onemap.incident, inside the caller's transaction.

    `staging` has source_key, deleted and the facts of the incident table, one row a key; `spared` has the keys of
    the file's other rows. Given a `snapshot`, what is known of this source inside it and stands in neither is
    deleted. A tombstone that takes effect counts as an update, and what it deletes as deleted.
    """
    given: dict[str, Any] = {"source": source.id, "run": run_id, "keyless": not source.key}
    superseded = states.outdate(connection, source.id) if "version" in source.columns else 0
    deleted = states.bury(connection, source.id, run_id) if "deleted" in source.columns else 0
    updated = deleted
    known = (connection.execute(_KNOWN, given).fetchone() or {})["known"]
    facts = sql.SQL(", ").join(map(sql.Identifier, _FACTS))
    staged = sql.SQL(", ").join(sql.Identifier("staging", name) for name in _FACTS)
    on_progress("merging")
    with nullcontext() if filled(connection) else bare(connection):
        if known:
            updated += connection.execute(_UPDATE.format(facts=facts, staged=staged), given).rowcount
        insert = _INSERT.format(facts=facts, staged=staged) + (_UNKNOWN if known else sql.SQL(""))
        inserted = connection.execute(insert, given).rowcount
        on_progress("indexing")
    if snapshot is not None:
        deleted += connection.execute(_DELETE, given | vars(snapshot)).rowcount
    return Merged(inserted, updated, deleted, superseded)
