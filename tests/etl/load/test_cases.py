"""A hotline's tickets become cases as they are loaded, and follow the hotline until somebody here moves them."""

from datetime import UTC, datetime, timedelta

import pytest

from layers.cases.workflow import workflows
from layers.core.errors import BadSource
from tests.hotline import CATEGORIES, feed
from tests.station import serve
from tests.workshop import INCIDENTS, FixedClock, call

LOCAL = "%Y-%m-%d %H:%M:%S"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FEED = {
    "items": "data.list", "watermark": "updated", "begin": "2025-01-01", "window": "500d", "overlap": "1d",
    "since_param": "since", "until_param": "until", "times": {"updated": LOCAL, "at": LOCAL, "due": LOCAL, "done": LOCAL},
}  # fmt: skip
HOTLINE = {
    "file": None,
    "format": "json",
    "mode": "changes",
    "key": ["ticket"],
    "columns": {
        "category": "category", "occurred_at": "at", "lon": "lon", "lat": "lat", "state": "status", "due_at": "due",
        "closed_at": "done", "version": "updated",
    },
    "attributes": {"content": "content"},
    "values": {"category": dict.fromkeys(CATEGORIES, "noise")},
    "constants": {"origin": "hotline"},
    "time_zone": "UTC",
    "cases": "closed_loop",
}  # fmt: skip


@pytest.fixture
def hotline(town):
    """Two hundred tickets behind an address, half of them done; and a way to load what is new of them."""
    tickets, _ = feed(200, seed=3, bbox=(10.001, 50.001, 10.049, 50.059))
    for number, ticket in enumerate(tickets):
        at = datetime.strptime(ticket["at"], LOCAL)
        done = f"{at + timedelta(days=number % 9):{LOCAL}}" if number % 2 else None
        due = f"{at + timedelta(days=5):{LOCAL}}"
        ticket |= {"status": "办结" if done else "在办", "due": due, "done": done, "updated": done or ticket["at"]}

    def answer(asked):
        since, until = (
            datetime.fromisoformat(asked.params[name]).replace(tzinfo=None) for name in ("since", "until")
        )
        found = [t for t in tickets if since <= datetime.strptime(t["updated"], LOCAL) <= until]
        return {"code": 200, "data": {"list": found}}

    town.load_tree()
    with serve() as station:
        station.answer = answer
        source = town.source(INCIDENTS, **HOTLINE, feed=FEED | {"url": station.url})
        town.clock = FixedClock(NOW)
        yield tickets, lambda: town.run(source)


def standing(town):
    return {
        row["source_key"]: row
        for row in town.rows(
            """select file.*, (select count(*) from onemap.case_deadline term
              where term.case_id = file.case_id and term.due_at < coalesce(term.met_at, now())) as late
            from onemap.case_file file"""
        )
    }


def counted(town):
    return town.rows(
        "select count(*) as open, count(*) filter (where due_at < now()) as late from onemap.open_item"
    )[0]


def test_a_hotlines_tickets_are_cases_with_its_own_deadlines_and_are_counted_once(town, hotline):
    tickets, load = hotline
    assert load().account.inserted == 200
    cases = standing(town)
    assert set(cases) == {ticket["ticket"] for ticket in tickets}
    assert {case["is_open"] for case in cases.values()} == {True, False}
    late = 0
    for ticket in tickets:
        case = cases[ticket["ticket"]]
        assert case["is_open"] is (ticket["done"] is None)
        assert (case["state"], case["workflow"], case["origin"]) == (
            "reported" if case["is_open"] else "closed", "closed_loop", "hotline",
        )  # fmt: skip
        is_late = ticket["done"] is None or ticket["done"] > ticket["due"]
        assert case["late"] == is_late
        late += is_late
    assert late > 100
    assert counted(town) == {"open": 100, "late": 100}
    assert town.rows("select count(*) from onemap.ledger where kind = 'registered'")[0]["count"] == 200
    assert town.rows("select version from onemap.layer_version where layer = 'cases'") == [{"version": 1}]


def test_a_case_follows_its_ticket_until_somebody_here_moves_it(town, hotline):
    tickets, load = hotline
    load()
    moved, followed = [ticket for ticket in tickets if ticket["done"] is None][:2]
    town.rows(
        "update onemap.case_file set version = 1, state = 'accepted' where source_key = %s returning 1",
        moved["ticket"],
    )
    for ticket in (moved, followed):
        ticket |= {"status": "办结", "done": "2026-02-28 10:00:00", "updated": "2026-02-28 10:00:00"}
    assert load().account.updated == 2
    cases = standing(town)
    assert cases[followed["ticket"]]["state"] == "closed"
    assert (cases[moved["ticket"]]["state"], cases[moved["ticket"]]["is_open"]) == ("accepted", True)
    assert counted(town)["open"] == 99
    load()
    assert standing(town) == cases
    assert len(cases) == 200


def test_a_ticket_that_is_taken_back_ends_its_case(town):
    snapshot = {"mode": "snapshot", "cases": "closed_loop"}
    town.load_calls(call(1, state="new"), call(2, state="new"), **snapshot)
    town.load_calls(call(2, state="new"), **snapshot)
    cases = standing(town)
    assert [cases[key]["is_open"] for key in sorted(cases)] == [False, True]
    assert counted(town)["open"] == 1


def test_a_source_whose_rows_cannot_be_cases_is_refused_by_name(town):
    with pytest.raises(BadSource, match="cases: only incidents with a field 'state'"):
        town.source(
            INCIDENTS,
            cases="closed_loop",
            columns={"category": "kind", "occurred_at": "at", "lon": "lon", "lat": "lat"},
        )
    with pytest.raises(
        BadSource, match=f"cases: 'open_loop' is none of {', '.join(sorted(workflows(town.folder)))}"
    ):
        town.load_calls(call(1), cases="open_loop")
    assert town.rows("select from onemap.incident") == []
