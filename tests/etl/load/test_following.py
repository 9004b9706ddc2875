"""A case that stands for a row follows it: where it lies, what it is, when it is due, and whether it is still there."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from etl.retag import retag
from etl.withdraw import withdraw
from layers.cases import duplicates, ledger, reminders, requests, store
from layers.cases.adoption import TOLD_ONE_BY_ONE
from layers.cases.sla import Deadline
from layers.core.db import connect
from tests.layers.cases.desk import LOOP, report
from tests.workshop import INCIDENTS, NOW, FixedClock, area, call

HOTLINE = {
    "mode": "snapshot",
    "cases": "closed_loop",
    "columns": INCIDENTS["columns"] | {"due_at": "due", "closed_at": "done"},
}
DUE = datetime(2026, 3, 1, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTS = "category, severity, origin, cell, area_id, zones, spot, geom"


def ticket(number=1, **changes):
    return call(number, **{"state": "new", "due": f"{DUE:%Y-%m-%dT%H:%M:%SZ}", "done": ""} | changes)


@pytest.fixture
def load(town):
    """Load tickets an hour later each time."""
    town.load_tree()

    def load(*tickets, **changes):
        town.clock = FixedClock(town.clock.at + HOUR)
        return town.load_calls(*tickets, **HOTLINE | changes)

    return load


def cases(town):
    return town.rows("select * from onemap.case_file order by source_key")


def counted(town):
    return town.rows("select count(*) as n from onemap.open_item")[0]["n"]


def moved(town):
    """Somebody here has moved every case."""
    town.rows("update onemap.case_file set version = 1, state = 'accepted' returning 1")


def chain(town, kind):
    rows = town.rows("select subject, payload from onemap.ledger where kind = %s order by seq", kind)
    with connect(town.url) as connection:
        assert connection.execute(ledger.broken().sql.encode()).fetchone() is None
    return [row["payload"] | {"case": int(row["subject"].removeprefix("case:"))} for row in rows]


def remind(town, at):
    statement = reminders.remind(at)
    with connect(town.url) as connection:
        return connection.execute(statement.sql.encode(), statement.params).fetchone()["told"]


def updated(town, since):
    """What who asks by Open311 for what was updated since is told of."""
    statement = requests.page(requests.Wanted(updated=requests.Between(since, None)), 10)
    with connect(town.url) as connection:
        return [row["case_id"] for row in connection.execute(statement.sql.encode(), statement.params)]


def news(town):
    """What is announced from now on, by topic."""
    last = town.rows("select coalesce(max(seq), 0) as seq from onemap.outbox")[0]["seq"]
    return lambda topic: [
        row["payload"]
        for row in town.rows(
            "select payload from onemap.outbox where seq > %s and topic = %s and layer = 'cases' order by seq",
            last,
            topic,
        )
    ]


@pytest.mark.parametrize("ours", [False, True])
def test_a_row_that_left_and_comes_back_has_its_case_again_and_counts_once(town, load, ours):
    load(ticket(1), ticket(2))
    before = cases(town)[0]
    if ours:
        moved(town)
    load(ticket(2))
    assert [case["is_open"] for case in cases(town)] == [ours, True]
    assert counted(town) == 1 + ours
    load(ticket(1), ticket(2))
    again = cases(town)[0]
    incident = town.rows("select incident_id from onemap.incident where source_key = 'c1'")[0]["incident_id"]
    assert again["case_id"] == before["case_id"]
    assert again["incident_id"] == incident != before["incident_id"]
    assert (again["is_open"], again["state"]) == (True, "accepted" if ours else "reported")
    assert counted(town) == 2
    (term,) = town.rows("select due_at, met_at from onemap.case_deadline where case_id = %s", again["case_id"])
    assert term == {"due_at": DUE, "met_at": None}
    states = [(row["was"].get("state"), row["now"].get("state")) for row in chain(town, "followed")]
    assert states == ([(None, None)] if ours else [("reported", "closed"), ("closed", "reported")])


def test_the_cases_of_a_source_that_is_taken_back_end_and_are_told_of(town, load):
    load(ticket(1), ticket(2, done="2026-03-01T09:00:00Z"))
    heard = news(town)
    withdraw(town.url, town.city, "calls", town.clock)
    assert [(case["state"], case["is_open"], case["due_at"]) for case in cases(town)] == [
        ("closed", False, None)
    ] * 2
    assert [row["case"] for row in chain(town, "followed")] == [cases(town)[0]["case_id"]]
    assert town.rows("select met_at from onemap.case_deadline where met_at = %s", town.clock.at) != []
    assert len(heard("layer")) == 1
    assert [(each["id"], each["open"]) for each in heard("case")] == [(cases(town)[0]["case_id"], False)]
    assert counted(town) == 0


def test_a_deadline_that_a_source_moves_is_written_down_and_told_of_again(town, load):
    load(ticket(1))
    (registered,) = chain(town, "registered")
    assert (registered["state"], datetime.fromisoformat(registered["due"])) == ("reported", DUE)
    assert remind(town, DUE) == 1
    later = DUE + 9 * HOUR
    load(ticket(1, due=f"{later:%Y-%m-%dT%H:%M:%SZ}"))
    (row,) = chain(town, "deadline")
    assert row["stage"] == "source"
    assert [datetime.fromisoformat(row[name]) for name in ("was", "due")] == [DUE, later]
    assert remind(town, later - HOUR) == 0
    assert remind(town, later) == 1
    assert [datetime.fromisoformat(row["due_at"]) for row in chain(town, "reminder")] == [DUE, later]
    load(ticket(1, due=""))
    assert chain(town, "deadline")[-1]["due"] is None
    assert cases(town)[0]["due_at"] is None
    load(ticket(1))
    assert cases(town)[0]["due_at"] == DUE
    assert remind(town, DUE) == 1
    load(ticket(1))
    assert len(chain(town, "deadline")) == 3


def test_what_a_source_closes_takes_up_again_and_corrects_is_written_down_as_it_says_it(town, load):
    due = datetime(2026, 3, 1, 10, tzinfo=UTC)
    load(ticket(1, due="2026-03-01T10:00:00Z"))
    load(ticket(1, due="2026-03-01T10:00:00Z", done="2026-03-01T11:00:00Z"))
    (term,) = chain(town, "deadline")
    assert (term["late"], datetime.fromisoformat(term["met"])) == (True, due + HOUR)
    load(ticket(1, due="2026-03-01T10:00:00Z", done="2026-03-01T09:00:00Z"))
    assert cases(town)[0]["entered_at"] == due - HOUR
    assert town.rows("select met_at from onemap.case_deadline") == [{"met_at": due - HOUR}]
    assert chain(town, "deadline")[-1]["late"] is False
    load(ticket(1, due="2026-03-01T10:00:00Z"))
    assert chain(town, "deadline")[-1]["met"] is None
    said = [(row["was"]["state"], row["now"]["state"]) for row in chain(town, "followed")]
    assert said == [("reported", "closed"), ("closed", "reported")]
    assert updated(town, since=town.clock.at) == [cases(town)[0]["case_id"]]
    assert updated(town, since=town.clock.at + HOUR) == []


def test_what_was_done_when_it_came_and_is_taken_up_again_late_is_told_of_then(town, load):
    past = {"due": "2026-03-01T10:00:00Z"}
    load(ticket(1, done="2026-03-01T09:00:00Z", **past), ticket(2, **past))
    assert remind(town, town.clock.at) == 0
    load(ticket(1, **past), ticket(2, **past))
    assert remind(town, town.clock.at) == 1


def test_a_row_that_says_no_state_any_more_is_no_open_case(town, load):
    load(ticket(1), ticket(2))
    load(ticket(1, state=""), ticket(2))
    assert [case["is_open"] for case in cases(town)] == [False, True]
    assert counted(town) == 1
    load(ticket(1), ticket(2))
    assert counted(town) == sum(case["is_open"] for case in cases(town)) == 2


@pytest.mark.parametrize("ours", [False, True])
def test_a_case_is_what_and_where_its_row_is(town, load, ours):
    load(ticket(1))
    if ours:
        moved(town)
    load(ticket(1, kind="domestic", lon="10.07", lat="50.01"))
    (case,) = cases(town)
    (row,) = town.rows(f"select {FACTS} from onemap.incident")
    assert {name: case[name] for name in row} == row
    assert case["category"] == "domestic"
    (told,) = chain(town, "followed")
    assert (told["was"], told["now"]) == ({"category": "noise"}, {"category": "domestic"})


def test_a_case_that_was_registered_here_for_a_row_is_as_open_as_we_say(town, load):
    load(ticket(1), cases=None)
    (row,) = town.rows("select incident_id from onemap.incident")
    given = report("ours", incident_id=row["incident_id"])
    with connect(town.url) as connection:
        register = store.register(given, LOOP, [Deadline("accept", NOW, DUE)], NOW)
        connection.execute("select set_config('onemap.area_id', '', false)")
        connection.execute(register.sql.encode(), register.params)
    load(ticket(1, kind="domestic", done="2026-03-01T09:00:00Z"))
    load(ticket(2))
    case, other = cases(town)[::-1]
    assert (case["category"], case["state"], case["is_open"], case["due_at"]) == (
        "domestic",
        "reported",
        True,
        DUE,
    )
    assert (other["source_key"], counted(town)) == ("c2", 2)
    assert retag(town.url, town.city, town.clock).account.updated == 0


def test_a_case_that_is_merged_follows_again_once_it_is_split_off(town, load):
    load(ticket(1), ticket(2))
    own, main = (case["case_id"] for case in cases(town))

    def ask(statement):
        with connect(town.url) as connection:
            connection.execute("select set_config('onemap.area_id', '', false)")
            connection.execute(statement.sql.encode(), statement.params)

    ask(duplicates.merge(own, main, NOW))
    done = [ticket(number, kind="domestic", done="2026-03-01T09:00:00Z") for number in (1, 2)]
    load(*done)
    assert [(case["category"], case["is_open"], case["due_at"]) for case in cases(town)] == [
        ("domestic", True, DUE)
    ] * 2
    assert counted(town) == 1
    ask(duplicates.split(own, NOW))
    load(*done, ticket(3))
    assert [case["is_open"] for case in cases(town)] == [False, False, True]
    assert counted(town) == 1


def test_a_case_follows_also_where_its_source_makes_no_new_ones(town, load):
    load(ticket(1))
    load(ticket(1, kind="domestic"), ticket(2), cases=None)
    assert [case["category"] for case in cases(town)] == ["domestic"]
    load(ticket(2), cases=None)
    assert [case["is_open"] for case in cases(town)] == [False]


def test_a_case_is_tagged_anew_with_its_row(town, load):
    load(ticket(1))
    before = cases(town)[0]["area_id"]
    grid = area("grid", "V1G2", "V1", (10.0, 50.0, 10.01, 50.03))
    town.rows(
        "update onemap.area_version set geom = ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON(%s), 4326)) from onemap.area"
        " where area.area_id = area_version.area_id and code = 'V1G2' returning 1",
        Jsonb(grid["geometry"]),
    )
    heard = news(town)
    assert retag(town.url, town.city, town.clock).account.updated == 1
    assert cases(town)[0]["area_id"] == town.rows("select area_id from onemap.incident")[0]["area_id"] != before
    assert len(heard("layer")) == 1


def test_few_cases_are_told_of_each_and_many_at_once(town, load):
    heard = news(town)
    load(ticket(1), ticket(2))
    assert [each["id"] for each in heard("case")] == [case["case_id"] for case in cases(town)]
    assert len(heard("layer")) == 1
    heard = news(town)
    load(ticket(1), ticket(2, done="2026-03-01T09:00:00Z"))
    assert [(each["open"], each["state"]) for each in heard("case")] == [(False, "closed")]
    many = [ticket(number) for number in range(TOLD_ONE_BY_ONE + 3)]
    heard = news(town)
    load(*many)
    assert (heard("case"), len(heard("layer"))) == ([], 1)
    heard = news(town)
    load(*many)
    assert (heard("case"), heard("layer")) == ([], [])
