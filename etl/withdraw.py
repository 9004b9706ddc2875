"""A source taken back as a whole: whatever it brought leaves the map, and a run says so."""

from typing import Any

from psycopg import sql

from etl import pipeline, quarantine, runs
from etl.account import Account
from etl.load import versions
from etl.load.cases import follow
from etl.load.staging import Connection
from layers.catalog.city import City
from layers.core import events
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadValue
from layers.heat import public

_LAST = "select target, mode from onemap.run where source = %s order by run_id desc limit 1"
_REST = """
delete from onemap.tombstone where source = %(source)s;
delete from onemap.feed where source = %(source)s;
update onemap.quarantine set dismissed_at = %(at)s
where dismissed_at is null and resolved_by is null
  and run_id in (select run_id from onemap.run where source = %(source)s)"""
_DATED = {"areas": versions.AREAS, "risk_areas": versions.RISK_AREAS, "resources": versions.RESOURCES}
_TABLES = {"incidents": "incident", "roads": "road", "places": "place", "service_load": "service_load"}


def withdraw(url: str, city: City, source: str, clock: Clock) -> tuple[int, Account]:
    """Delete all that `source` brought, or end its areas, risk areas or resources now; run id and account.

    What earlier states of them said stays in the history, and incidents keep the tag that was valid at their time.
    Cases of what is gone end, but those that somebody has moved.

    Raises
    ------
    BadValue : nothing was ever loaded from a source of that name.
    """
    with connect(url) as connection:
        connection.autocommit = True
        last = connection.execute(_LAST, [source]).fetchone()
        if last is None:
            raise BadValue(f"nothing was ever loaded from a source '{source}'", parameter="source")
        pipeline.lock(connection, last["target"])
        at = clock.now()
        work = runs.Work(source, last["target"], last["mode"], "", "withdraw")
        with runs.recorded(connection, work, clock) as run_id, connection.transaction():
            gone = _take(connection, source, last["target"], run_id, {"source": source, "at": at})
            account = Account(deleted=gone)
            runs.finish(connection, run_id, "", account, {}, clock.now())
            if gone:
                released = 0
                if last["target"] == "incidents":
                    released = public.release(connection, city)
                    follow(connection, city, at, source)
                events.begin(connection)
                events.bump(connection, last["target"], at)
                if released:
                    events.bump(connection, public.LAYER, at)
    return run_id, account


def _take(connection: Connection, source: str, target: str, run_id: int, given: dict[str, Any]) -> int:
    for statement in _REST.split(";"):
        connection.execute(statement.encode(), given)
    quarantine.forget_pushes(connection)
    if target in _DATED:
        return versions.end_all(connection, _DATED[target], source=source, run_id=run_id, at=given["at"])
    table = sql.Identifier("onemap", _TABLES[target])
    return connection.execute(sql.SQL("delete from {} where source = %(source)s").format(table), given).rowcount
