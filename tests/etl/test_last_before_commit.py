"""Who takes the place in the order of commits writes nothing after it but versions and events.

Whatever else it did there would hold up every other writer, and what it did after the commit would come too late.
"""

import re
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from etl.publish import publish
from etl.retag import retag
from etl.withdraw import withdraw
from layers.core import events
from layers.core.db import connect
from layers.heat.follow.appender import Appender
from tests.workshop import NOW, ROADS, SPOTS, call, road, spot, tree

ROOT = Path(__file__).parents[2]
WRITERS = {
    str(path.relative_to(ROOT))
    for room in ("layers", "etl", "mapserver")
    for path in (ROOT / room).rglob("*.py")
    if re.search(r"\bevents\.begin\(", path.read_text("utf-8"))
}
LAST = re.compile(r"insert into onemap\.(layer_version|outbox) |select pg_notify\(")


class Watch:
    """Statements after the place in the order was taken, up to the commit, by the writer's file."""

    def __init__(self, monkeypatch):
        self.late: dict[str, list[str]] = {}
        self._holding: dict[psycopg.Connection, str] = {}
        begin = events.begin

        def watched(connection):
            file = sys._getframe(1).f_code.co_filename
            begin(connection)
            assert connection.info.transaction_status == TransactionStatus.INTRANS, "no transaction: no order"
            self._holding[connection] = writer = str(Path(file).relative_to(ROOT))
            self.late.setdefault(writer, [])

        monkeypatch.setattr(events, "begin", watched)
        for name in ("execute", "executemany", "copy"):
            monkeypatch.setattr(psycopg.Cursor, name, self._seen(getattr(psycopg.Cursor, name)))

    def _seen(self, method):
        def seen(cursor, query, *given, **more):
            connection = cursor.connection
            if connection.info.transaction_status != TransactionStatus.INTRANS:
                self._holding.pop(connection, None)  # it has committed since
            elif writer := self._holding.get(connection):
                text = (
                    query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else str(query)
                )
                self.late[writer].append(" ".join(text.split()))
            return method(cursor, query, *given, **more)

        return seen


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def test_the_place_in_the_order_of_commits_and_what_goes_with_it_come_last(watch, town, tmp_path):
    town.load_tree()
    town.load_places()
    town.load_calls(call(1), call(2))
    town.load_calls(call(1), call(2, kind="theft"), call(3))
    town.csv("spots.csv", [spot()])
    town.run(town.source(SPOTS))
    town.geojson("roads.geojson", [road()])
    town.run(town.source(ROADS))
    town.load_tree(tree()[:3])
    with connect(town.url) as connection:
        connection.execute("update onemap.incident set area_id = null, zones = 0")
    retag(town.url, town.city, town.clock)
    with connect(town.url) as connection:
        connection.execute("insert into onemap.stale_day values ('2025-01-02')")
        connection.commit()
        assert publish(connection, town.city, NOW)
    heat = Appender(town.url, tmp_path / "heat")
    heat.catch_up()
    with connect(town.url) as connection:
        connection.execute("delete from onemap.incident where source_key = 'c1'")
    heat.catch_up()
    withdraw(town.url, town.city, "calls", town.clock)
    withdraw(town.url, town.city, "streets", town.clock)
    assert watch.late.keys() == WRITERS, "a writer that this test does not run"
    for writer, statements in watch.late.items():
        assert statements, f"{writer} told nothing"
        assert [text for text in statements if not LAST.match(text)] == [], writer
