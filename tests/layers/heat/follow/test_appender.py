import gc
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.db import connect
from layers.core.errors import Conflict, HeatStoreError
from layers.heat.follow.appender import Appender
from layers.heat.follow.following import layers_of
from layers.heat.store.audit import digest
from layers.heat.store.checksum import checksum
from layers.heat.store.manifest import Manifest
from layers.heat.store.reader import Reader

DELETE = "delete from onemap.incident where source_key = '{}'"
MOVE = "update onemap.incident set cell = cell + 1, zones = zones # 3 where source_key = '{}'"
ADD = """insert into onemap.incident (source, source_key, category, origin, occurred_at, severity, cell, area_id, zones,
  spot, geom, attributes, content_hash, run_id)
select 'new', gen_random_uuid()::text, category, 'patrol', occurred_at, severity, cell, area_id, zones, spot, geom,
  attributes, content_hash, run_id from onemap.incident where source_key = '{}'"""


class Follower:
    """A toy database, and a folder of stores that may follow it."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.appender = Appender(url, folder)

    def do(self, *statements):
        with connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def told(self):
        with connect(self.url) as connection:
            rows = connection.execute(
                "select payload, area_ids from onemap.outbox where topic = 'heat' order by seq"
            ).fetchall()
        assert all(row["area_ids"] is None for row in rows)
        return [row["payload"]["version"] for row in rows]

    @property
    def version(self):
        return Manifest.read(self.folder).state.seq

    def agrees(self):
        store = Reader(self.folder).store()
        with connect(self.url) as connection:
            return digest(store) == checksum(connection, len(layers_of(connection)))

    @contextmanager
    def running(self):
        stopping = threading.Event()
        thread = threading.Thread(target=self.appender.run, args=[stopping])
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(20)
            assert not thread.is_alive()

    def spoil(self):
        """A log says of its events what they are not."""
        (log,) = self.folder.glob("*-all.log")
        data = bytearray(log.read_bytes())
        data[0:8] = data[8:16]
        log.write_bytes(data)


@pytest.fixture
def follower(own_toy, tmp_path):
    return Follower(own_toy.url, tmp_path / "heat")


def until(condition, within_s=15.0):
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_store_is_built_followed_and_told_of_once_for_each_version(follower):
    follower.appender.catch_up()
    first = follower.version
    assert follower.agrees()
    for statement in (DELETE, MOVE, ADD):
        follower.do(statement.format("k1" if statement == DELETE else "k2"))
        assert not follower.agrees()
        follower.appender.catch_up()
        assert follower.agrees()
    assert first < follower.version
    told = follower.told()
    assert told == sorted(told)
    assert (told[0], told[-1]) == (first, follower.version)


def test_a_store_to_which_nothing_new_has_come_stays_as_it_is(follower):
    follower.appender.catch_up()
    before = Manifest.read(follower.folder)
    follower.do("update onemap.incident set state = 'closed'")
    follower.appender.catch_up()
    assert Manifest.read(follower.folder) == before


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from([DELETE, MOVE, ADD]), st.lists(st.integers(0, 1499), min_size=1, max_size=5)),
        max_size=6,
    )
)
def test_whatever_is_done_the_store_agrees_with_the_database(follower, done):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("layers.heat.store.writer.FOLD_AT", 7)
        for statement, keys in done:
            follower.do(*(statement.format(f"k{key}") for key in keys))
            follower.appender.catch_up()
            assert follower.agrees()
            waiting = Manifest.read(follower.folder).changed.values()
            assert all(changed <= 7 for changed in waiting), "too much is left to scan with every answer"


def test_a_table_that_became_another_one_is_read_anew(follower):
    follower.appender.catch_up()
    follower.do(
        "create temporary table kept as select * from onemap.incident limit 10",
        "truncate onemap.incident",
        "insert into onemap.incident overriding system value select * from kept",
    )
    follower.appender.catch_up()
    assert follower.agrees()


def test_what_the_store_has_no_room_for_has_it_built_anew(follower):
    follower.appender.catch_up()
    follower.do("update onemap.incident set occurred_at = '1931-01-01' where source_key = 'k1'")
    follower.appender.catch_up()
    assert follower.agrees()


def test_a_build_that_fails_leaves_the_last_store_in_place(follower):
    follower.appender.catch_up()
    before = Manifest.read(follower.folder)
    follower.do(
        "update onemap.incident set category = 'lost' where source_key = 'k1'", "select onemap.renew_heat()"
    )
    with pytest.raises(HeatStoreError):
        follower.appender.catch_up()
    assert Manifest.read(follower.folder) == before
    assert len(Reader(follower.folder).store().entries) > 0


def test_two_do_not_write_at_once(follower):
    with follower.running():
        until(lambda: follower.folder.exists() and (follower.folder / "manifest.json").exists())
        with pytest.raises(Conflict):
            follower.appender.catch_up()


def test_a_change_is_in_the_store_soon_after_its_commit_and_told(follower):
    with follower.running():
        until(lambda: follower.told() != [])
        for number in range(5):
            follower.do(DELETE.format(f"k{number}"))
            begun = time.monotonic()
            until(follower.agrees)
            assert time.monotonic() - begun < 0.9, "it waited for the next look"
        until(lambda: follower.told()[-1] == follower.version)


def test_each_version_is_told_of_once(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.02)
    with follower.running():
        until(lambda: follower.told() != [])
        follower.do(DELETE.format("k1"))
        until(lambda: len(follower.told()) == 2)
        time.sleep(0.3)
        assert len(follower.told()) == 2


def test_another_one_follows_when_the_first_has_ended(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    second = Follower(follower.url, follower.folder)
    with second.running():
        with follower.running():
            until(lambda: follower.told() != [])
        follower.do(DELETE.format("k1"))
        until(follower.agrees)


def test_a_lost_connection_is_made_again_and_nothing_is_missed(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    with follower.running():
        until(lambda: follower.told() != [])
        with psycopg.connect(follower.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
        follower.do(DELETE.format("k1"))
        until(follower.agrees)


def test_a_spoilt_store_is_found_out_and_built_anew(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    follower.appender.catch_up()
    follower.spoil()
    with pytest.raises(HeatStoreError):
        follower.agrees()
    version = follower.version
    with follower.running():
        until(lambda: follower.version > version)
    assert follower.agrees()
    assert follower.told()[-1] == follower.version


@pytest.mark.parametrize("kind", ["log", "counts", "changes", "entries", "base"])
def test_files_that_a_crash_cut_short_are_made_anew(follower, monkeypatch, kind):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    follower.appender.catch_up()
    follower.do(*(MOVE.format(f"k{number}") for number in range(100)))
    follower.appender.catch_up()
    for path in follower.folder.glob(f"*.{kind}"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 16 * 8])
    version = follower.version
    with follower.running():
        until(lambda: follower.version > version)
    assert follower.agrees()


def test_a_new_zone_type_gets_a_store(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    with follower.running():
        until(lambda: follower.told() != [])
        follower.do("insert into onemap.zone_type values ('bridge', 9, '桥', 'Bridges', '#000000')")
        until(lambda: "bridge" in Manifest.read(follower.folder).changed)
        follower.do(DELETE.format("k1"))
        until(follower.agrees)


def test_changes_that_were_in_the_store_at_the_last_audit_are_forgotten_at_the_next(follower, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.appender._TICK_S", 0.1)
    monkeypatch.setattr("layers.heat.follow.appender.AUDIT_EVERY_S", 0.5)

    def kept():
        with connect(follower.url) as connection:
            return connection.execute("select count(*) from onemap.heat_delta").fetchone()["count"]

    follower.appender.catch_up()
    follower.do(DELETE.format("k1"))
    assert kept() > 0
    with follower.running():
        until(lambda: kept() == 0)
        follower.do(DELETE.format("k2"))
        until(follower.agrees)
    assert follower.agrees()


def test_an_audit_whose_begin_fails_leaves_no_connection_behind(follower, monkeypatch):
    follower.appender.catch_up()

    def lost(*_):
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("layers.heat.follow.following.forget", lost)
    with follower.appender._following() as following, pytest.raises(psycopg.OperationalError):
        following.audit()
    time.sleep(1)
    gc.collect()  # a connection that is left open warns now, and a warning fails the test
