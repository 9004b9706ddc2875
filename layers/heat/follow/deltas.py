"""What came to the database's incidents and what left them since a store last looked, in any order of commits.

A store remembers the snapshot that it has seen. New is what is visible now and was not then: neither the order in
which transactions end nor gaps in numbers matter, and nothing is seen twice.
"""

from dataclasses import dataclass

import numpy as np
from psycopg import sql

from layers.heat.follow.copied import copied
from layers.heat.follow.moment import Connection
from layers.heat.store.events import Changes, Plane, State

CHANNEL = "onemap_heat"
"""NOTIFY channel of new changes; the payload is empty."""

MOST = 1 << 21
"""More changes than these are not worth following one by one."""

# The tables of a database that was restored are others than those that were dumped, and those of a copied database
# are in another one. What goes back to an earlier copy of all files is told by its snapshots, or by the checksum.
_HERE = """
select pg_current_snapshot()::text as snapshot, now() as at, concat_ws('/',
  (select system_identifier from pg_control_system()),
  (select oid from pg_database where datname = current_database()),
  'onemap.heat_delta'::regclass::oid) as epoch"""

_NEW = sql.SQL("xid >= pg_snapshot_xmin({since}) and not pg_visible_in_snapshot(xid, {since})").format(
    since=sql.SQL("%(since)s::pg_snapshot")
)

_SUMMARY = sql.SQL("""
select count(*) as count, coalesce(bool_or(sign = 0), false) as renewed,
  coalesce(array_agg(distinct category collate "C"), '{{}}') as categories,
  pg_snapshot_xmax(%(since)s::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
    or exists (select from onemap.heat_horizon where xid >= pg_snapshot_xmin(%(since)s::pg_snapshot)) as lost
from onemap.heat_delta where {new}""").format(new=_NEW)

_ROWS = sql.SQL("""
select t, cell, area_id, 2 * (array_position(%(categories)s::text[], category) - 1) + patrol::int, zones, sign
from onemap.heat_delta where {new}""").format(new=_NEW)

_COLUMNS = {
    "t": "bigint", "cell": "bigint", "area": "bigint", "plane": "smallint", "zones": "integer", "sign": "smallint",
}  # fmt: skip

_FORGET = """
with gone as (
  delete from onemap.heat_delta where xid < pg_snapshot_xmin(%(snapshot)s::pg_snapshot) returning xid
), latest as (
  select xid from gone order by xid desc limit 1
)
insert into onemap.heat_horizon (xid) select xid from latest
on conflict (single) do update set xid = excluded.xid"""


@dataclass(frozen=True)
class News:
    """What a store has to take in to be at `state`; `changes` may be none."""

    changes: Changes
    state: State


def changes(connection: Connection, since: State) -> News | None:
    """What is new after the state of a store, in a transaction that sees one moment; none where to build it anew.

    That is where the table has become another one, where so much is new that building is less work, where changes
    that the store has not seen are forgotten, and where the database is not the one that the store has followed.
    """
    given: dict[str, object] = {"since": since.snapshot}
    here = connection.execute(_HERE).fetchone() or {}
    if here["epoch"] != since.epoch:
        return None
    found = connection.execute(_SUMMARY, given).fetchone() or {}
    if found["lost"] or found["renewed"] or found["count"] > MOST:
        return None
    rows = copied(connection, _ROWS, given | {"categories": found["categories"]}, _COLUMNS)
    state = state_of(connection, since) if len(rows) else since
    return News(
        Changes(
            t=rows["t"].astype(np.int64),
            cell=rows["cell"].astype(np.uint64),
            area=rows["area"].astype(np.int64),
            plane=rows["plane"].astype(np.int16),
            zones=rows["zones"].astype(np.uint32),
            sign=rows["sign"].astype(np.int8),
            planes=both(found["categories"]),
        ),
        state,
    )


def both(categories: list[str]) -> tuple[Plane, ...]:
    """The planes of categories in their order: what others told, and then what a patrol found."""
    return tuple(Plane(category, patrol=patrol) for category in categories for patrol in (False, True))


def state_of(connection: Connection, before: State | None) -> State:
    """The state of a store that has seen all that the connection's transaction sees.

    Its number comes from the sequence of the changes, so it is greater than that of every change in it. Two states
    never share one, also where a change with a lower number comes late.
    """
    found = connection.execute(_HERE).fetchone() or {}
    drawn = connection.execute(
        "select nextval(pg_get_serial_sequence('onemap.heat_delta', 'seq')) as seq"
    ).fetchone()
    seq = int((drawn or {})["seq"])
    return State(found["snapshot"], max(seq, before.seq + 1 if before else 0), found["at"], found["epoch"])


def forget(connection: Connection, applied: State) -> None:
    """Delete changes that a store at this state has seen; one that has not seen them is built anew."""
    connection.execute(_FORGET, {"snapshot": applied.snapshot})
