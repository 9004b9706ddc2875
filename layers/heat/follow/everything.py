"""All incidents of the database as they are at one moment, in partitions by time that fit into memory.

The moment is a snapshot that other connections share, so partitions can be read in any order, or side by side.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from psycopg import sql

from layers.core.db import connect
from layers.core.errors import HeatStoreError
from layers.heat.follow.copied import copied
from layers.heat.follow.deltas import both, state_of
from layers.heat.follow.moment import Connection, join, one_moment, share
from layers.heat.store.events import Events, Plane, State

MOST = 1 << 22
"""Events of a partition, about."""

_SAMPLED_PAGES = 4000

# What no transaction of this database can have written came with a copy of another one.
_DISOWN = """
with horizon as (delete from onemap.heat_horizon where xid >= pg_snapshot_xmax(pg_current_snapshot()))
delete from onemap.heat_delta where xid >= pg_snapshot_xmax(pg_current_snapshot())"""

_CATEGORIES = "select array(select code from onemap.category order by rank) as codes"

_TIMES = sql.SQL("""
select array_agg(onemap.whole_second(occurred_at) order by occurred_at) as times
from onemap.incident tablesample system ({percent})""")

_ROWS = sql.SQL("""
select onemap.whole_second(occurred_at), cell, coalesce(area_id, 0),
  2 * coalesce(array_position(%(categories)s::text[], category) - 1, -1) + (origin = 'patrol')::int, zones
from onemap.incident
where occurred_at >= coalesce(to_timestamp(%(start)s), '-infinity')
  and occurred_at < coalesce(to_timestamp(%(end)s), 'infinity')""")

_COLUMNS = {"t": "bigint", "cell": "bigint", "area": "bigint", "plane": "smallint", "zones": "integer"}


@dataclass(frozen=True)
class Everything:
    """How to read what was there at one moment, as long as that is held.

    planes : what `Events.plane` counts in.
    spans : the partitions, half-open and ascending, in seconds since 1970; they begin and end with none, for ever.
    """

    url: str
    moment: str
    state: State
    planes: tuple[Plane, ...]
    spans: tuple[tuple[int | None, int | None], ...]

    def partitions(self) -> Iterator[Events]:
        """All of it, in the order of time."""
        return map(self.read, self.spans)

    def read(self, span: tuple[int | None, int | None]) -> Events:
        """One partition, over a connection of its own; in no order.

        Raises
        ------
        HeatStoreError : an incident is of no category that the city has.
        Unavailable : the database does not answer.
        """
        categories = [plane.category for plane in self.planes[::2]]
        given = {"categories": categories, "start": span[0], "end": span[1]}
        with join(self.url, self.moment) as connection:
            rows = copied(connection, _ROWS, given, _COLUMNS)
        plane = rows["plane"].astype(np.int16)
        if np.any(plane < 0):
            raise HeatStoreError("there are incidents whose category the city no longer has")
        return Events(
            t=rows["t"].astype(np.int64),
            cell=rows["cell"].astype(np.uint64),
            area=rows["area"].astype(np.int64),
            plane=plane,
            zones=rows["zones"].astype(np.uint32),
        )


@contextmanager
def everything(url: str, before: State | None, most: int = MOST) -> Iterator[Everything]:
    """Hold this moment of the database at `url` for reading.

    Parameters
    ----------
    before : the last state of the store that is to be built anew.
    most : events of a partition, about; more where a single second has more.

    Raises
    ------
    Unavailable : the database does not answer.
    """
    with connect(url) as connection:
        connection.execute(_DISOWN)
        connection.commit()
        with one_moment(connection):
            state = state_of(connection, before)
            categories = connection.execute(_CATEGORIES).fetchone() or {}
            spans = _spans(connection, most)
            yield Everything(url, share(connection), state, both(categories["codes"]), spans)


def _spans(connection: Connection, most: int) -> tuple[tuple[int | None, int | None], ...]:
    """Spans of about equally many incidents, judged by a sample of the table's pages."""
    pages = connection.execute(
        "select pg_relation_size('onemap.incident') / current_setting('block_size')::int as count"
    ).fetchone()
    percent = min(100.0, 100 * _SAMPLED_PAGES / max((pages or {})["count"], 1))
    sampled = connection.execute(_TIMES.format(percent=percent)).fetchone() or {}
    times = sampled["times"] or []
    count = max(1, round(len(times) * 100 / percent / most))
    cuts = sorted({times[len(times) * n // count] for n in range(1, count)})
    return tuple(zip([None, *cuts], [*cuts, None], strict=True))
