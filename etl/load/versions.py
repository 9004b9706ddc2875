"""Areas and risk areas into their tables: an identity that lasts, and a dated version for every shape it had.

A shape that changes closes the present version and opens the next, at the source's valid_from where that is later
than the present version's start, else at the time of the load. Names and further codes belong to the identity and
change in place.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from psycopg import sql

from etl.load.staging import Connection, Merged, stage
from layers.core import events


@dataclass(frozen=True)
class Dated:
    """One kind of dated thing: its layer, its tables and columns."""

    layer: str
    identity: str
    key: tuple[str, ...]
    facts: tuple[str, ...]
    shape: tuple[str, ...]

    @property
    def version(self) -> str:
        """Name of the table of versions."""
        return f"{self.identity}_version"


AREAS = Dated(
    layer="areas",
    identity="area",
    key=("level_rank", "code"),
    facts=("official_code", "local_code", "name_zh", "name_en", "households"),
    shape=("parent_id", "geom"),
)
RISK_AREAS = Dated(
    layer="risk_areas",
    identity="risk_area",
    key=("code",),
    facts=("zone_type", "name_zh", "name_en"),
    shape=("influence_m", "approximate", "geom", "influence"),
)
RESOURCES = Dated(
    layer="resources",
    identity="resource",
    key=("code",),
    facts=("name_zh", "name_en", "device_id", "link"),
    shape=("kind", "unit", "geom"),
)

_IDENTIFY = """
insert into onemap.{identity} ({key}, {facts}, source)
select {key}, {facts}, %(source)s from staging order by {key}
on conflict ({key}) do nothing"""

_PARENTS = """
update staging set parent_id = above.area_id from onemap.area above
where above.level_rank = staging.level_rank - 1 and above.code = staging.parent_code"""

# Of each staged row: its identity, its latest version, and the move that version has to make.
_PLAN = """
create temporary table planned on commit drop as
with present as (
  select staging.*, known.{id} as id, version.{version_id} as present_id,
    (known.source, {known_facts}) is distinct from (%(source)s, {staged_facts}) as renamed,
    coalesce(lower(version.valid), '-infinity') as since, upper(version.valid) as until,
    ({version_shape}) is not distinct from ({staged_shape}) as alike
  from staging join onemap.{identity} known using ({key})
  left join lateral (
    select * from onemap.{version} where {id} = known.{id} order by lower(valid) desc nulls last limit 1
  ) version on true
)
select *,
  case
    when present_id is null then 'open'
    when alike and until is not distinct from valid_to then 'keep'
    when alike and (until is null or until > %(at)s) then 'bound'
    else 'turn'
  end as move,
  case
    when present_id is null then valid_from
    when valid_from > since then valid_from
    when since < %(at)s and (valid_to is null or valid_to > %(at)s) then %(at)s
    when since > '-infinity' then since
  end as start
from present"""

_STARTS = """
select {key}, max(lower(valid)) as start from onemap.{version} join onemap.{identity} using ({id})
group by {key} having max(lower(valid)) is not null"""

_RENAME = """
update onemap.{identity} known set ({facts}, source) = row({planned_facts}, %(source)s)
from planned where known.{id} = planned.id and planned.renamed"""

_BOUND = """
update onemap.{version} version set valid = tstzrange(lower(valid), planned.valid_to)
from planned where planned.move = 'bound' and version.{version_id} = planned.present_id"""

_CLOSE = """
update onemap.{version} version set valid = tstzrange(lower(valid), planned.start)
from planned where planned.move = 'turn' and version.{version_id} = planned.present_id
  and planned.since < planned.start and (planned.until is null or planned.until > planned.start)"""

_REPLACE = """
delete from onemap.{version} version using planned
where planned.move = 'turn' and version.{version_id} = planned.present_id
  and planned.since = coalesce(planned.start, '-infinity')"""

_OPEN = """
insert into onemap.{version} ({id}, valid, {shape}, run_id)
select id, tstzrange(start, valid_to), {shape}, %(run)s from planned where move in ('open', 'turn') order by id"""

_COUNT = "select count(*) as n from planned where renamed or move <> 'keep'"

_MISSING = """
where known.{id} = version.{id} and known.source = %(source)s
  and not exists (select from seen where ({seen_key}) = ({known_key}))"""

_END = (
    """
update onemap.{version} version set valid = tstzrange(lower(version.valid), %(at)s) from onemap.{identity} known"""
    + _MISSING
    + """
  and (lower(version.valid) is null or lower(version.valid) < %(at)s)
  and (upper(version.valid) is null or upper(version.valid) > %(at)s)"""
)

_FORGET = (
    """
delete from onemap.{version} version using onemap.{identity} known"""
    + _MISSING
    + """
  and lower(version.valid) >= %(at)s"""
)


def starts(connection: Connection, dated: Dated) -> dict[tuple[Any, ...], datetime]:
    """When the latest version of each thing began, by its key; of those that always were, nothing."""
    rows = connection.execute(_written(_STARTS, dated)).fetchall()
    return {tuple(row[name] for name in dated.key): row["start"].astimezone(UTC) for row in rows}


def merge(
    connection: Connection,
    dated: Dated,
    table: pa.Table,
    *,
    source: str,
    run_id: int,
    at: datetime,
    seen: pa.Table | None,
) -> Merged:
    """Bring `table` into the tables of `dated`, inside the caller's transaction.

    `table` holds the key, the facts, the shape (areas: parent_code in place of parent_id), valid_from and
    valid_to, one row a key. `seen` is given for a snapshot: all keys of the file; of what this source has
    brought, whatever is not among them ends at `at`.
    """
    stage(connection, "staging", table, {"geom": "geometry", "influence": "geometry"})
    given = {"source": source, "run": run_id, "at": at}

    def run(statement: str) -> int:
        return connection.execute(_written(statement, dated), given).rowcount

    inserted = run(_IDENTIFY)
    if dated is AREAS:
        connection.execute("alter table staging add column parent_id bigint")
        run(_PARENTS)
    run(_PLAN)
    counted = connection.execute(_COUNT).fetchone()
    for statement in (_RENAME, _BOUND, _CLOSE, _REPLACE, _OPEN):
        run(statement)
    deleted = 0
    if seen is not None:
        stage(connection, "seen", seen)
        deleted = run(_END) + run(_FORGET)
    return Merged(inserted, (counted["n"] if counted else 0) - inserted, deleted)


def end_all(connection: Connection, dated: Dated, *, source: str, run_id: int, at: datetime) -> int:
    """End at `at` whatever `source` has brought; returns how many versions that concerns."""
    columns = [pa.field(name, pa.int16() if name == "level_rank" else pa.string()) for name in dated.key]
    stage(connection, "seen", pa.schema(columns).empty_table())
    given = {"source": source, "run": run_id, "at": at}
    return sum(connection.execute(_written(statement, dated), given).rowcount for statement in (_END, _FORGET))


def tell(connection: Connection, dated: Dated, at: datetime) -> None:
    """Bump the layer; the last thing before the commit."""
    events.begin(connection)
    events.bump(connection, dated.layer, at)


def _written(statement: str, dated: Dated) -> sql.Composed:
    """One of the statements above with the names of `dated`; a prefix says which table a column is of."""

    def columns(names: tuple[str, ...], *table: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(*table, name) for name in names)

    return sql.SQL(statement).format(
        identity=sql.Identifier(dated.identity),
        version=sql.Identifier(dated.version),
        id=sql.Identifier(f"{dated.identity}_id"),
        version_id=sql.Identifier(f"{dated.version}_id"),
        key=columns(dated.key),
        seen_key=columns(dated.key, "seen"),
        known_key=columns(dated.key, "known"),
        facts=columns(dated.facts),
        known_facts=columns(dated.facts, "known"),
        staged_facts=columns(dated.facts, "staging"),
        planned_facts=columns(dated.facts, "planned"),
        shape=columns(dated.shape),
        version_shape=columns(dated.shape, "version"),
        staged_shape=columns(dated.shape, "staging"),
    )
