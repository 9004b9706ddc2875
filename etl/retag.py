"""Incidents tagged anew, by the boundaries known today: finest area and zones as valid at their time."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely

from etl import pipeline, runs
from etl.account import Account
from etl.binary import copy_stream
from etl.load import staging, stored
from etl.load.cases import follow
from etl.load.staging import Connection
from etl.tag import NOWHERE, finest_area, zone_mask
from layers.catalog.city import City
from layers.core import events
from layers.core.clock import Clock
from layers.core.db import connect
from layers.heat import public

_BATCH_ROWS = 100_000

_NEXT = """
select incident_id, extract(epoch from occurred_at) * 1000000 as micros, st_x(geom) as lon, st_y(geom) as lat
from onemap.incident where incident_id > %s order by incident_id limit %s"""

_UPDATE = """
update onemap.incident known
set area_id = retagged.area_id, zones = retagged.zones, run_id = %s, known_from = now()
from retagged where known.incident_id = retagged.incident_id
  and (known.area_id, known.zones) is distinct from (retagged.area_id, retagged.zones)"""


@dataclass(frozen=True)
class Retagged:
    """The run that did it, and its account: rows read, updated and unchanged."""

    run_id: int
    account: Account


def retag(url: str, city: City, clock: Clock) -> Retagged:
    """Tag all incidents anew, in one transaction, and the cases that stand for them.

    Where a tag changed, the earlier state stays in the history.
    """
    with connect(url) as connection:
        connection.autocommit = True
        pipeline.lock(connection, "incidents")
        work = runs.Work("retag", "incidents", "changes", "", "retag")
        with runs.recorded(connection, work, clock) as run_id, connection.transaction():
            read = _stage(connection)
            updated = connection.execute(_UPDATE, [run_id]).rowcount
            account = Account(rows_read=read, updated=updated, unchanged=read - updated)
            runs.finish(connection, run_id, "", account, {}, clock.now())
            if updated:
                released = public.release(connection, city)
                follow(connection, city, clock.now())
                events.begin(connection)
                events.bump(connection, "incidents", clock.now())
                if released:
                    events.bump(connection, public.LAYER, clock.now())
    return Retagged(run_id, account)


def _stage(connection: Connection) -> int:
    """Fill `retagged` with the tags of all incidents; returns how many there are."""
    schema = pa.schema([("incident_id", pa.int64()), ("area_id", pa.int64()), ("zones", pa.int32())])
    staging.create(connection, "retagged", schema)
    areas, zones = stored.areas(connection), stored.zones(connection)
    last, read = 0, 0
    while rows := connection.execute(_NEXT, [last, _BATCH_ROWS]).fetchall():
        last, read = rows[-1]["incident_id"], read + len(rows)
        places = np.asarray(shapely.points([row["lon"] for row in rows], [row["lat"] for row in rows]))
        at = np.array([int(row["micros"]) for row in rows], "datetime64[us]")
        area = finest_area(places, at, areas)
        table = pa.table(
            [
                pa.array([row["incident_id"] for row in rows], pa.int64()),
                pa.array(area, mask=area == NOWHERE),
                pa.array(zone_mask(places, at, zones)),
            ],
            schema=schema,
        )
        staging.append(connection, "retagged", copy_stream(table))
    staging.counted(connection, "retagged", schema.names)
    return read
