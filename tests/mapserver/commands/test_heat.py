import threading
import time

import pytest
from typer.testing import CliRunner

from layers.core.db import connect
from layers.heat.follow.appender import Appender
from layers.heat.store.manifest import Manifest
from mapserver.commands.heat import app


@pytest.fixture
def folder(own_toy, tmp_path):
    return tmp_path / "heat" / own_toy.url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def onemap(own_toy, tmp_path, monkeypatch):
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    monkeypatch.setenv("ONEMAP_DB__URL", own_toy.url)
    monkeypatch.setattr("mapserver.commands.heat._PATIENCE_S", 0.1)
    return lambda *words: CliRunner().invoke(app, words)


def delete(url, key):
    with connect(url) as connection:
        connection.execute("delete from onemap.incident where source_key = %s", [key])


@pytest.mark.parametrize("word", ["status", "verify"])
def test_where_there_are_no_stores_it_says_how_to_have_them(onemap, word):
    said = onemap(word)
    assert said.exit_code == 1
    assert "no stores" in said.output
    assert "onemap heat update" in said.output


def test_stores_are_built_told_of_and_held_against_the_database(onemap, own_toy, folder):
    assert "up to date" in onemap("update").output
    status = onemap("status")
    assert status.exit_code == 0
    assert "state    up to date\n" in status.output
    assert f"version  {Manifest.read(folder).state.seq}, of " in status.output
    inside = sum(row.zones & 1 for row in own_toy.rows)
    assert "layer    all: 1500 events, 0 changes not folded\n" in status.output
    assert f"layer    school: {inside} events" in status.output
    verified = onemap("verify")
    assert (verified.exit_code, verified.output) == (0, "the stores hold what the database holds\n")


def test_stores_that_are_behind_say_so_until_they_are_brought_up_to_date(onemap, own_toy):
    onemap("update")
    delete(own_toy.url, "k1")
    delete(own_toy.url, "k2")
    assert "state    2 changes behind\n" in onemap("status").output
    verified = onemap("verify")
    assert verified.exit_code == 1
    assert "behind" in verified.output
    onemap("update")
    said = onemap("status").output
    assert "layer    all: 1498 events, 2 changes not folded\n" in said
    assert onemap("verify").exit_code == 0


def test_a_store_with_another_event_in_it_is_found_out_and_made_right_by_building_it_anew(onemap, own_toy, folder):
    onemap("update")
    with connect(own_toy.url) as connection:
        connection.execute("alter table onemap.incident disable trigger user")
        connection.execute("update onemap.incident set cell = cell + 1 where source_key = 'k1'")
    verified = onemap("verify")
    assert verified.exit_code == 1
    assert "checksum" in verified.output
    version = Manifest.read(folder).state.seq
    assert onemap("rebuild").exit_code == 0
    assert onemap("verify").exit_code == 0
    assert Manifest.read(folder).state.seq > version


def test_a_table_that_became_another_one_is_told(onemap, own_toy):
    onemap("update")
    with connect(own_toy.url) as connection:
        connection.execute("select onemap.renew_heat()")
    assert "state    to be built anew\n" in onemap("status").output


def test_a_worker_that_is_there_does_what_is_asked(onemap, own_toy, folder):
    stopping = threading.Event()
    thread = threading.Thread(target=Appender(own_toy.url, folder).run, args=[stopping])
    thread.start()
    try:
        end = time.monotonic() + 20
        while not (folder / "manifest.json").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        version = Manifest.read(folder).state.seq
        assert "a worker" in onemap("rebuild").output
        while Manifest.read(folder).state.seq == version:
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        stopping.set()
        thread.join()
