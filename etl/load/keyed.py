"""Roads and places into their tables: features without dates, one row a key; the last load counts."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from psycopg import sql

from etl.load.staging import Connection, Merged, stage
from layers.core import events


@dataclass(frozen=True)
class Keyed:
    """One kind of keyed thing: its layer, its table and the columns that say what it is."""

    layer: str
    table: str
    facts: tuple[str, ...]


ROADS = Keyed("roads", "road", ("class", "name_zh", "name_en", "oneway", "layer", "geom", "content_hash"))
PLACES = Keyed("places", "place", ("kind", "name_zh", "name_en", "geom", "content_hash"))

SERVICE_LOAD = Keyed(
    "service_load",
    "service_load",
    ("area_id", "class", "since", "until", "due", "done", "link", "content_hash"),
)

_UPDATE = """
update onemap.{table} known set ({facts}, run_id) = row({staged}, %(run)s)
from staging
where known.source = %(source)s and known.source_key = staging.source_key
  and known.content_hash <> staging.content_hash"""

_INSERT = """
insert into onemap.{table} (source, source_key, run_id, {facts})
select %(source)s, source_key, %(run)s, {staged} from staging
where not exists (
  select from onemap.{table} known where known.source = %(source)s and known.source_key = staging.source_key
)
order by source_key"""

_DELETE = """
delete from onemap.{table} known
where source = %(source)s and not exists (select from seen where seen.source_key = known.source_key)"""


def merge(
    connection: Connection, keyed: Keyed, table: pa.Table, *, source: str, run_id: int, seen: pa.Table | None
) -> Merged:
    """Bring `table` into the table of `keyed`, inside the caller's transaction.

    `table` holds source_key and the facts, one row a key. `seen` is given for a snapshot: all keys of the file; of
    what this source has brought, whatever is not among them is deleted.
    """
    stage(connection, "staging", table, {"geom": "geometry"})
    given = {"source": source, "run": run_id}

    def run(statement: str) -> int:
        return connection.execute(_written(statement, keyed), given).rowcount

    updated, inserted, deleted = run(_UPDATE), run(_INSERT), 0
    if seen is not None:
        stage(connection, "seen", seen)
        deleted = run(_DELETE)
    return Merged(inserted, updated, deleted)


def tell(connection: Connection, keyed: Keyed, at: datetime) -> None:
    """Bump the layer; the last thing before the commit."""
    events.begin(connection)
    events.bump(connection, keyed.layer, at)


def _written(statement: str, keyed: Keyed) -> sql.Composed:
    """One of the statements above with the names of `keyed`."""
    return sql.SQL(statement).format(
        table=sql.Identifier(keyed.table),
        facts=sql.SQL(", ").join(map(sql.Identifier, keyed.facts)),
        staged=sql.SQL(", ").join(sql.Identifier("staging", name) for name in keyed.facts),
    )
