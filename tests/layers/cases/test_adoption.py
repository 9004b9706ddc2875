"""A hotline with states and deadlines of its own: a whole year of one, as cases."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from etl import pipeline, vocabulary
from etl.spec import chosen
from layers.cases import adoption, figures, ledger, store
from layers.cases.case import Step
from layers.cases.sla import Policies
from layers.cases.workflow import Actor, workflows
from layers.cases.worktime import WorkTime
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.query import summary
from tests import toy
from tests.layers.cases.desk import AT, MINUTE, Desk

DATA = Path(os.environ.get("BOSTON_DATA", Path(__file__).parents[4] / "shared" / "data")) / "boston_311"
LOOP = workflows(Path("/nowhere"))["closed_loop"]
SEEN_AT = datetime(2016, 1, 13, 4, tzinfo=UTC)
"""When the rows were taken: after the last term that they call overdue, before the first one that they do not."""

CITY = """code = "boston"
name = { zh = "波士顿", en = "Boston" }
time_zone = "America/New_York"
languages = ["en", "zh"]
extent = [-71.25, 42.18, -70.85, 42.45]
base_resolution = 10
attribution = "City of Boston 311, PDDL"
notice = { zh = "测试", en = "for a test" }
calendar = { country = "US", subdivision = "MA", working_days = [1, 2, 3, 4, 5], hours = ["09:00-17:00"] }
[[levels]]
code = "city"
name = { zh = "市", en = "City" }
pattern = '^BOS$'
"""
ZONE = '[[zone_types]]\ncode = "school"\nname = { zh = "校园", en = "School" }\ncolour = "#4477aa"\n'
SOURCE = """id = "hotline"
target = "incidents"
title = { zh = "热线", en = "Hotline" }
file = "rows.parquet"
format = "parquet"
mode = "append"
key = ["case_id"]
datum = "EPSG:4326"
licence = "PDDL"
attribution = "City of Boston 311"
[columns]
occurred_at = "opened_at_local"
due_at = "target_at_local"
closed_at = "closed_at_local"
state = "status"
category = "subject"
lon = "lon"
lat = "lat"
[constants]
origin = "hotline"
[values.category]
"""


@pytest.fixture(scope="module")
def rows():
    if not DATA.is_dir():
        pytest.skip(f"Boston's hotline is not in {DATA.parent}; BOSTON_DATA names its folder")
    return pq.read_table(DATA / "clean" / "boston_311_2015.parquet")


@pytest.fixture(scope="module")
def boston(rows, shared_url, tmp_path_factory):
    """The city with its hotline's rows loaded, of which no one is a case yet: its URL."""
    folder = tmp_path_factory.mktemp("cities") / "boston"
    (folder / "sources").mkdir(parents=True)
    subjects = sorted(pc.unique(rows["subject"].cast(pa.string())).to_pylist())
    (folder / "city.toml").write_text(CITY)
    (folder / "zones.toml").write_text(ZONE)
    (folder / "categories.toml").write_text("".join(
        f'[[categories]]\ncode = "s{n}"\nname = {{ zh = "{n}", en = {json.dumps(s)} }}\nweight = 1\n'
        for n, s in enumerate(subjects)
    ))  # fmt: skip
    mapped = "".join(f'{json.dumps(s)} = "s{n}"\n' for n, s in enumerate(subjects))
    (folder / "sources" / "hotline.toml").write_text(SOURCE + mapped)
    wanted = [
        "case_id",
        "opened_at_local",
        "target_at_local",
        "closed_at_local",
        "status",
        "subject",
        "lon",
        "lat",
    ]
    pq.write_table(rows.select(wanted), folder / "rows.parquet")
    city = City.load(folder)
    with connect(shared_url) as connection:
        vocabulary.write(connection, city)
    (source,) = chosen(city, [])
    (result,) = pipeline.run(shared_url, city, source, Clock())
    assert result.account.inserted == len(rows), result.account
    return shared_url


def one(connection, statement):
    return connection.execute(statement.sql.encode(), statement.params).fetchone()


LATE = """select file.source_key from onemap.case_file file join onemap.case_deadline term using (case_id)
where term.due_at <= coalesce(term.met_at, %s)"""


def test_a_years_hotline_is_as_open_as_closed_and_as_late_as_it_says_itself(rows, boston):
    key, status, ontime = (rows[name].cast(pa.string()) for name in ("case_id", "status", "ontime_status"))
    overdue = set(key.filter(pc.equal(ontime, "OVERDUE")).to_pylist())
    unflagged = set(key.filter(pc.is_null(ontime)).to_pylist())  # of these it does not say it, and all are over
    assert (len(overdue), len(unflagged)) == (30_458, 153)
    is_open, closed = (pc.sum(pc.equal(status, word)).as_py() for word in ("Open", "Closed"))
    assert (is_open, closed) == (19_874, 101_371)
    with connect(boston) as connection:
        before = one(connection, summary.open_items(SEEN_AT, None, with_sensitive=True))
        assert one(connection, adoption.adopt("hotline", LOOP, SEEN_AT)) == {"adopted": len(rows), "followed": 0}
        late = {row["source_key"] for row in connection.execute(LATE, [SEEN_AT])}
        assert late == overdue | unflagged
        found = one(connection, figures.counts(SEEN_AT))
        assert found == {"open": is_open, "closed": closed, "late": len(late)}
        assert one(connection, summary.open_items(SEEN_AT, None, with_sensitive=True)) == before
        assert before["open"] == is_open
        assert one(connection, ledger.head())["seq"] == len(rows)
        assert one(connection, ledger.broken()) is None
        assert one(connection, adoption.adopt("hotline", LOOP, SEEN_AT)) == {"adopted": 0, "followed": 0}
        assert one(connection, ledger.head())["seq"] == len(rows)


def states(connection) -> dict[str, tuple]:
    rows = connection.execute(
        """select incident.source_key, file.is_open, file.version, term.due_at, term.met_at, incident.closed_at
        from onemap.case_file file join onemap.incident using (incident_id)
        left join onemap.case_deadline term using (case_id)"""
    )
    return {row["source_key"]: tuple(row.values())[1:] for row in rows}


def test_a_case_that_nobody_moved_follows_its_source_and_one_that_was_moved_does_not(own_toy):
    now = toy.FIRST + timedelta(days=200)
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        expected = one(connection, summary.open_items(now, None, with_sensitive=True))
        assert one(connection, adoption.adopt("toy", LOOP, now))["adopted"] > 10
        assert one(connection, summary.open_items(now, None, with_sensitive=True)) == expected
        first, second, *_ = sorted(key for key, (is_open, *_) in states(connection).items() if is_open)
        moved = connection.execute(
            "select case_id from onemap.case_file where source_key = %s", [second]
        ).fetchone()["case_id"]
        _, case, _ = store.read(one(connection, store.by_id(moved)))
        step = Step("accept", Actor.DISPATCHER, now)
        assert one(connection, store.add(moved, step, case.after(LOOP, step), LOOP, []))["add_step"]
        closed = now - timedelta(days=1)
        connection.execute(
            "update onemap.incident set closed_at = %s where source_key = any(%s)", [closed, [first, second]]
        )
        assert one(connection, summary.open_items(now, None, with_sensitive=True))["open"] == expected["open"] - 1
        assert one(connection, adoption.adopt("toy", LOOP, now)) == {"adopted": 0, "followed": 1}
        after = states(connection)
        assert (after[first][0], after[first][1], after[first][3]) == (False, 0, closed)
        assert after[second][:2] == (True, 1)
        assert one(connection, summary.open_items(now, None, with_sensitive=True))["open"] == expected["open"] - 1


def test_the_term_of_a_source_runs_through_the_moves_of_a_case_until_it_is_handled(own_toy):
    with connect(own_toy.url) as connection:
        desk = Desk(connection, Policies((), WorkTime.of(toy.CITY)))
        one(connection, adoption.adopt("toy", LOOP, AT))
        known = connection.execute(
            "select * from onemap.case_file where is_open and due_at is not null"
        ).fetchone()
        before = one(connection, summary.open_items(AT, None, with_sensitive=True))
        for minute, code in enumerate(("accept", "triage", "dispatch", "handle", "pause", "resume"), 1):
            assert desk.move(known["case_id"], code, minute)
            due = connection.execute("select due_at from onemap.case_file where case_id = %s", [known["case_id"]])
            assert due.fetchone()["due_at"] == known["due_at"], code
        assert one(connection, summary.open_items(AT, None, with_sensitive=True)) == before
        assert desk.move(known["case_id"], "feed_back", 9)
        (term,) = desk.run(store.deadlines(known["case_id"]))
        assert (term["stage"], term["due_at"], term["met_at"]) == (
            adoption.STAGE,
            known["due_at"],
            AT + 9 * MINUTE,
        )


def waits(connection) -> bool:
    found = connection.execute(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    return found.fetchone() is not None


def test_a_move_and_a_load_of_the_same_case_wait_for_each_other_and_both_are_done(own_toy):
    now = toy.FIRST + timedelta(days=200)

    def adopt():
        with connect(own_toy.url) as connection:
            return one(connection, adoption.adopt("toy", LOOP, now))

    with connect(own_toy.url) as connection:
        connection.execute("update onemap.incident set state = null where source_key = 'k0'")
        connection.commit()
        adopt()
        connection.execute("update onemap.incident set state = 'new' where source_key = 'k0'")
        connection.execute("update onemap.incident set closed_at = %s where source_key in ('k10', 'k20')", [now])
        connection.commit()
        (case_id,) = (
            connection.execute("select case_id from onemap.case_file where source_key = 'k10'").fetchone().values()
        )
        desk = Desk(connection, Policies((), WorkTime.of(toy.CITY)))
        connection.execute(
            "select from onemap.case_file where case_id = %s for update", [case_id]
        )  # as a move begins
        with ThreadPoolExecutor(1) as beside:
            adopted = beside.submit(adopt)
            with connect(own_toy.url) as watcher:
                watcher.autocommit = True
                while not waits(watcher):
                    time.sleep(0.01)
            assert desk.move(case_id, "accept", 0)
            connection.commit()
            assert adopted.result(30) == {"adopted": 1, "followed": 1}
        found = states(connection)
        assert [found[key][:2] for key in ("k0", "k10", "k20")] == [(True, 0), (True, 1), (False, 0)]
        assert one(connection, ledger.broken()) is None
