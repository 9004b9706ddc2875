import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from etl.foreman import Foreman
from etl.work import Town
from layers.core import events
from layers.core.db import connect
from tests.workshop import INCIDENTS, NOW, FixedClock, call, tree

JOBS = """select task_name, lock, status::text, args, priority from jobs.procrastinate_jobs
where task_name = 'load' order by id"""


@pytest.fixture
def foreman(town):
    made = Foreman(Town(town.folder, town.url, FixedClock()), settled_s=0.0)
    made.town.read()
    return made


@pytest.fixture
def connection(town):
    with connect(town.url) as made:
        made.autocommit = True
        yield made


def waiting(town):
    return [row["args"] for row in town.rows(JOBS)]


def end(town, state):
    with connect(town.url) as connection:
        connection.execute("set search_path to jobs")
        connection.execute("select procrastinate_finish_job_v1(id, %s, false) from procrastinate_jobs", [state])


def test_a_source_is_due_once_at_each_time_of_its_cron_line(town, foreman, connection):
    town.source(INCIDENTS, schedule="0 * * * *")
    foreman.look(connection)
    foreman.look(connection)
    due = "2026-03-01T11:00:00+00:00"
    assert waiting(town) == [{"source": "calls", "due": due}]
    foreman.town = Town(town.folder, town.url, FixedClock(NOW + timedelta(hours=1)))
    foreman.look(connection)
    assert len(waiting(town)) == 1, "one that waits does as well"


def test_a_source_that_ran_since_its_time_is_not_due(town, foreman, connection):
    town.load_calls(call(1), schedule="0 * * * *")
    foreman.look(connection)
    assert waiting(town) == []


def test_a_new_file_is_taken_once(town, foreman, connection):
    town.source(INCIDENTS, file="calls_*.csv", watch=True)
    town.csv("calls_1.csv", [call(1)])
    for _ in range(3):
        foreman.look(connection)
    (args,) = waiting(town)
    assert (args["source"], args["file"]) == ("calls", "calls_1.csv")


def test_a_file_that_still_grows_is_left_alone(town, foreman, connection):
    foreman.settled_s = 0.2
    town.source(INCIDENTS, watch=True)
    path = town.csv("calls.csv", [call(1)])
    for _ in range(4):
        foreman.look(connection)
        time.sleep(0.15)
        with path.open("a") as file:
            file.write("c2,")
        assert waiting(town) == []
    foreman.look(connection)
    time.sleep(0.25)
    foreman.look(connection)
    assert len(waiting(town)) == 1


def test_a_file_of_the_same_size_but_written_anew_is_looked_at_anew(town, foreman, connection):
    town.source(INCIDENTS, watch=True)
    path = town.csv("calls.csv", [call(1)])
    foreman.look(connection)
    path.write_text(path.read_text().replace("Long", "Lone"))
    os.utime(path, ns=(1, 1))
    foreman.look(connection)
    assert len({args["sha256"] for args in waiting(town)}) == 2


def test_a_file_that_was_loaded_is_not_taken_under_another_name(town, foreman, connection):
    town.load_calls(call(1), file="calls*.csv", watch=True)
    (town.folder / "calls.csv").rename(town.folder / "calls_old.csv")
    foreman.look(connection)
    assert waiting(town) == []


def test_a_snapshot_that_goes_back_to_what_it_was_is_taken_again(town, foreman, connection):
    town.load_tree(watch=True)
    foreman.look(connection)
    assert waiting(town) == []
    town.load_tree(tree()[:4], watch=True)
    town.geojson("tree.geojson", tree())
    foreman.look(connection)
    assert len(waiting(town)) == 1
    assert town.rows(JOBS)[0]["priority"] == 2


def test_a_bad_file_is_not_taken_for_ever(town, foreman, connection):
    town.source(INCIDENTS, watch=True)
    town.write("calls.csv", "no,header\n1")
    foreman.look(connection)
    end(town, "failed")
    after_a_restart = Foreman(foreman.town, settled_s=0.0)
    after_a_restart.look(connection)
    after_a_restart.look(connection)
    assert len(waiting(town)) == 1


def test_a_folder_that_cannot_be_followed_is_told_once_and_looked_at_again(town, foreman, connection, caplog):
    town.write("sources/bad.toml", "id = ")
    foreman.look(connection)
    foreman.look(connection)
    assert sum("cannot be followed" in record.message for record in caplog.records) == 1
    (town.folder / "sources" / "bad.toml").unlink()
    town.source(INCIDENTS, schedule="* * * * *")
    foreman.look(connection)
    assert len(waiting(town)) == 1


def test_one_of_several_foremen_leads_and_another_follows_when_it_is_gone(town, monkeypatch):
    monkeypatch.setattr("etl.foreman.TICK_S", 0.02)
    looked: list[int] = []
    monkeypatch.setattr(Foreman, "look", lambda self, _: looked.append(id(self)))
    foremen = [Foreman(Town(town.folder, town.url)) for _ in range(3)]
    stops = [threading.Event() for _ in foremen]
    threads = [threading.Thread(target=f.run, args=[s]) for f, s in zip(foremen, stops, strict=True)]
    for thread in threads:
        thread.start()
    led = []
    for _ in foremen:
        looked.clear()
        until = time.monotonic() + 10
        while not looked and time.monotonic() < until:
            time.sleep(0.02)
        (leader,) = set(looked)
        led.append(leader)
        which = [id(f) for f in foremen].index(leader)
        stops[which].set()
        threads[which].join(10)
    assert sorted(led) == sorted(id(f) for f in foremen)


def test_times_are_the_towns(foreman, town, connection):
    town.source(INCIDENTS, schedule="30 13 * * *")  # 12:30 UTC in the winter of Berlin
    foreman.town = Town(town.folder, town.url, FixedClock(datetime(2026, 1, 2, 12, 31, tzinfo=UTC)))
    foreman.look(connection)
    assert waiting(town)[0]["due"] == "2026-01-02T12:30:00+00:00"


def test_the_database_hears_of_what_is_new_in_the_folder(foreman, town, connection):
    foreman.look(connection)
    assert town.rows("select from onemap.source") == []
    town.source(INCIDENTS, id="desk", format="push", file=None)
    foreman.look(connection)
    (known,) = town.rows("select source, format, taken, key, texts from onemap.source")
    assert known == {
        "source": "desk",
        "format": "push",
        "taken": ["at", "id", "kind", "lat", "lon", "state", "street"],
        "key": ["id"],
        "texts": ["at", "lat", "lon", "state", "street"],
    }
    (town.folder / "sources" / "desk.toml").unlink()
    foreman.look(connection)
    assert town.rows("select from onemap.source") == []


def test_live_events_are_kept_for_some_days_and_the_last_one_for_ever(town, foreman, connection):
    foreman.town = Town(town.folder, town.url, FixedClock(), events_days=3)
    connection.execute("delete from onemap.outbox")
    for days in (9, 4, 2, 5, 1):
        events.emit(connection, "layer", "areas", [{"days": days}], NOW - timedelta(days=days))
    foreman.look(connection)
    kept = "select payload -> 'days' as days from onemap.outbox order by seq"
    assert [row["days"] for row in town.rows(kept)] == [2, 5, 1], "none is missing from the middle"
    assert events.forget(connection, NOW + timedelta(days=9)) == 2
    assert [row["days"] for row in town.rows(kept)] == [1]
    assert events.forget(connection, NOW + timedelta(days=9)) == 0


def test_texts_are_kept_for_some_days_after_what_they_are_of_has_ended(town, foreman, connection):
    connection.execute(
        """with made as (
          insert into onemap.measure (key, name_zh, name_en, zone_type, unit, every, target, registered_at, closed_at)
          select key, 'x', 'x', (select min(code) from onemap.zone_type), 'x', 'once', 1, now(), %(now)s - age
          from (values ('old', interval '31 days'), ('new', interval '29 days')) aged (key, age) returning measure_id
        ) select onemap.write_ledger(%(now)s, 'measure_closed', array_agg('measure:' || measure_id),
          array_agg('{"reason": "done"}'::jsonb)) from made""",
        {"now": NOW},
    )
    foreman.town = Town(town.folder, town.url, FixedClock(), texts_days=30)
    foreman.look(connection)
    assert len(town.rows("select from onemap.ledger_text")) == 1
