"""A city's past comes in piece by piece as if it were now, and in the end is all there."""

import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from etl.foreman import Foreman
from etl.past import Past, begin
from etl.work import Town
from layers.core import replays
from layers.core.clock import Replay
from layers.core.db import connect
from layers.core.errors import BadSource, SourceError
from mapserver.cli import app
from tests.workshop import INCIDENTS, FixedClock, call

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
SINCE = FIRST + timedelta(days=2)
PAST = '\n[past]\nsource = "calls"\nsince = 2025-01-03T00:00:00Z\nspeed = 3600\nopen_state = "open"\n'
COLUMNS = INCIDENTS["columns"] | {"closed_at": "closed"}

STORED = """select source_key, category, occurred_at, state, closed_at, ST_AsText(geom) as geom
from onemap.incident order by source_key"""


def at(days):
    return (FIRST + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


ROWS = [
    call(1, at=at(0), state="closed", closed=at(0.5)),
    call(2, at=at(1), state="closed", closed=at(3)),
    call(3, at=at(2.5), state="closed", closed=at(2.6), kind="theft"),
    call(4, at=at(4), state="closed", closed=at(9)),
    call(5, at=at(5), state="open", closed=""),
]


def declare(shop, rows=ROWS, **changes):
    shop.csv("calls.csv", rows)
    shop.source(INCIDENTS, **{"columns": COLUMNS, **changes})
    text = (shop.folder / "city.toml").read_text()
    if "[past]" not in text:
        (shop.folder / "city.toml").write_text(text + PAST)


@pytest.fixture
def calls(town):
    declare(town)
    return town


def known(past, after, upto):
    table = past.known(after, upto).table.select(["id", "state", "closed"])
    return [tuple(row.values()) for row in table.to_pylist()]


def test_what_is_known_at_an_instant_says_nothing_of_its_future(shop):
    declare(shop)
    past = Past.of(shop.city)
    assert known(past, None, FIRST + timedelta(days=2)) == [("c1", "closed", at(0.5)), ("c2", "open", None)]
    # What is closed comes again, as it is by then.
    assert known(past, FIRST + timedelta(days=2), FIRST + timedelta(days=3)) == [
        ("c2", "closed", at(3)), ("c3", "closed", at(2.6)),
    ]  # fmt: skip
    assert known(past, FIRST + timedelta(days=3), FIRST + timedelta(days=5)) == [
        ("c4", "open", None), ("c5", "open", None),
    ]  # fmt: skip
    assert past.last == FIRST + timedelta(days=5)
    assert past.has(FIRST + timedelta(days=8.9), FIRST + timedelta(days=9))
    assert not past.has(FIRST + timedelta(days=5), FIRST + timedelta(days=8.9))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cuts=st.lists(st.floats(0, 10), max_size=4).map(sorted))
def test_in_whatever_pieces_it_comes_all_of_it_is_there_in_the_end(calls, cuts):
    with connect(calls.url) as connection:
        connection.execute("truncate onemap.incident cascade")
        connection.execute("truncate onemap.tombstone")
        replays.end(connection)
    past = Past.of(calls.city)
    shown = begin(calls.url, calls.city, past, datetime.now(UTC))
    town, reached = Town(calls.folder, calls.url), shown.fed_to
    for cut in [*cuts, 10]:
        moment = FIRST + timedelta(days=cut)
        standing = Replay(moment, datetime.now(UTC), 0, moment)
        with connect(calls.url) as connection:
            replays.show(connection, replays.Replayed("calls", standing, reached))
        if moment > reached:
            town.replay(lambda *_: None)
            reached = moment
    replayed = calls.rows(STORED)
    assert [row["source_key"] for row in replayed] == ["c1", "c2", "c3", "c4", "c5"]
    result = calls.run(calls.source(INCIDENTS, columns=COLUMNS))
    assert (result.account.inserted, result.account.updated, result.account.unchanged) == (0, 0, 5)
    assert calls.rows(STORED) == replayed


def test_the_foreman_has_each_piece_loaded_when_its_time_has_come(calls):
    moment = datetime.now(UTC)
    shown = begin(calls.url, calls.city, Past.of(calls.city), moment)
    assert [row["source_key"] for row in calls.rows(STORED)] == ["c1", "c2"]
    town = Town(calls.folder, calls.url)
    foreman = Foreman(town)
    with connect(calls.url) as connection:
        connection.autocommit = True
        # A second before the third is known, of an hour a second.
        replays.show(connection, shown.turned(SINCE, moment - timedelta(seconds=11)))
        town.see(connection)
        assert SINCE < town.clock.now() < SINCE + timedelta(days=1)
        foreman.look(connection)
        jobs = "select task_name from jobs.procrastinate_jobs where task_name = 'replay' and status = 'todo'"
        assert connection.execute(jobs).fetchall() == []
        assert replays.read(connection).fed_to > SINCE + timedelta(hours=10)
        time.sleep(1.5)
        foreman.look(connection)
        foreman.look(connection)
        assert len(connection.execute(jobs).fetchall()) == 1
    (run_id,) = town.replay(lambda *_: None)
    assert [row["source_key"] for row in calls.rows(STORED)] == ["c1", "c2", "c3"]
    (run,) = calls.rows(f"select file_name, rows_read, inserted from onemap.run where run_id = {run_id}")
    assert run["file_name"].startswith("calls.csv to 2025-01-03T")
    assert (run["rows_read"], run["inserted"]) == (1, 1)
    with connect(calls.url) as connection:
        assert replays.read(connection).fed_to >= SINCE + timedelta(hours=12)


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_times_of_a_parquet_file_are_instants_whatever_their_unit(shop, unit):
    declare(shop, file="calls.parquet", format="parquet")
    columns = {name: [row[name] or None for row in ROWS] for name in ROWS[0]}
    for name in ("at", "closed"):
        naive = pa.array([each and each.removesuffix("Z") for each in columns[name]])
        columns[name] = naive.cast(pa.timestamp("s")).cast(pa.timestamp(unit, "UTC"))
    columns["state"] = pa.array(columns["state"]).dictionary_encode()
    pq.write_table(pa.table(columns), shop.folder / "calls.parquet")
    past = Past.of(shop.city)
    assert past.last == FIRST + timedelta(days=5)
    found = past.known(None, SINCE).table.select(["id", "state", "closed"]).to_pylist()
    assert [(row["id"], row["state"]) for row in found] == [("c1", "closed"), ("c2", "open")]
    assert [row["closed"] is None for row in found] == [False, True]


def test_what_comes_in_is_loaded_by_the_past_s_own_time_not_by_the_walls(calls):
    moment = datetime.now(UTC)
    shown = begin(calls.url, calls.city, Past.of(calls.city), moment)
    # The clock of the worker still shows an hour before, and the piece reaches two days beyond it.
    with connect(calls.url) as connection:
        replays.show(connection, shown.turned(SINCE + timedelta(days=2, hours=1), moment).paced(0))
    town = Town(calls.folder, calls.url, FixedClock(SINCE - timedelta(hours=1)))
    town.replay(lambda *_: None)
    assert [row["source_key"] for row in calls.rows(STORED)] == ["c1", "c2", "c3", "c4"]
    runs = calls.rows("select finished_at, quarantined from onemap.run order by run_id")
    assert [(run["finished_at"], run["quarantined"]) for run in runs] == [
        (SINCE, 0), (SINCE + timedelta(days=2, hours=1), 0),
    ]  # fmt: skip


def test_without_a_past_that_is_shown_there_is_nothing_to_bring_in(calls):
    town = Town(calls.folder, calls.url)
    assert town.replay(lambda *_: None) == []
    with connect(calls.url) as connection:
        town.see(connection)
    assert town.clock.replay is None


def test_a_past_that_cannot_be_loaded_stands_still_and_says_so(calls):
    past = Past.of(calls.city)
    moment = datetime.now(UTC)
    shown = begin(calls.url, calls.city, past, moment)
    with connect(calls.url) as connection:
        replays.show(connection, shown.turned(SINCE, moment - timedelta(days=1)))
    declare(calls, [row | {"kind": "nonsense"} for row in ROWS], max_quarantined=0.1)
    town = Town(calls.folder, calls.url)
    with pytest.raises(SourceError, match="rows"):
        town.replay(lambda *_: None)
    with connect(calls.url) as connection:
        found = replays.read(connection)
    assert (found.replay.speed, found.replay.shown_from, found.fed_to) == (0, SINCE, SINCE)


def test_what_lies_in_the_future_of_a_past_is_not_loaded_already(calls):
    calls.run(calls.source(INCIDENTS, columns=COLUMNS))
    with pytest.raises(BadSource, match="rows after 2025-01-03 01:00 are loaded already"):
        begin(calls.url, calls.city, Past.of(calls.city), datetime.now(UTC))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file": "*.csv"}, "has 2 files"),
        ({"format": "push", "file": None}, "no file of incidents"),
        ({"columns": COLUMNS | {"occurred_at": "state"}}, "no row of calls.csv says when it happened"),
    ],
)
def test_a_past_is_one_file_of_incidents(shop, changes, message):
    declare(shop)
    shop.csv("other.csv", ROWS)
    shop.source(INCIDENTS, **({"columns": COLUMNS} | changes))
    with pytest.raises(BadSource, match=message):
        Past.of(shop.city)


def test_a_city_without_a_past_says_so(shop):
    with pytest.raises(BadSource, match=r"toy has no \[past\]"):
        Past.of(shop.city)


def test_the_command_begins_turns_and_ends_a_past(calls, monkeypatch):
    for name, value in {
        "HOME": calls.folder / "home",
        "CITIES": calls.folder.parent,
        "CITY": "toy",
        "DB__URL": calls.url,
    }.items():
        monkeypatch.setenv(f"ONEMAP_{name}", str(value))

    def replay(*words):
        done = CliRunner().invoke(app, ["replay", *words], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    def shown():
        with connect(calls.url) as connection:
            return replays.read(connection)

    assert replay() == "2025-01-03 01:00 is shown as now, 3600 seconds of it in a second\n"
    assert [row["source_key"] for row in calls.rows(STORED)] == ["c1", "c2"]
    assert "0 seconds of it" in replay("--speed", "0")
    turned = shown().replay
    assert turned.shown_from >= SINCE
    assert turned.speed == 0
    with connect(calls.url) as connection:
        replays.fed(connection, SINCE + timedelta(hours=5))
    assert (
        replay("--resume", "--speed", "60") == "2025-01-03 06:00 is shown as now, 60 seconds of it in a second\n"
    )
    assert replay("--stop") == "the present is shown\n"
    assert shown() is None
