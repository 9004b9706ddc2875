import pytest

from etl import runs
from etl.retag import retag
from etl.withdraw import withdraw
from tests.workshop import area, call, tree


def tags(town):
    found = town.rows(
        """select source_key, code from onemap.incident left join onemap.area using (area_id) order by source_key"""
    )
    return {row["source_key"]: row["code"] for row in found}


def test_incidents_are_tagged_by_what_is_known_now_as_valid_at_their_time(town):
    town.load_calls(call(1), call(2, lon="10.07"))
    assert tags(town) == {"c1": None, "c2": None}
    town.load_tree()
    done = retag(town.url, town.city, town.clock)
    assert (done.account.rows_read, done.account.updated, done.account.unchanged) == (2, 2, 0)
    assert tags(town) == {"c1": "V1G2", "c2": "V2"}
    assert town.rows("select area_id from onemap.incident_history") == [{"area_id": None}] * 2
    assert retag(town.url, town.city, town.clock).account.updated == 0


def test_a_boundary_of_today_does_not_move_an_incident_of_the_past(town):
    town.load_tree()
    town.load_calls(call(1))
    moved = [*tree()[:4], area("grid", "V1G2", "V1", (10.0, 50.0, 10.01, 50.03))]
    town.load_tree(moved)  # closes the old shape at the clock's time, long after the incident
    assert retag(town.url, town.city, town.clock).account.updated == 0
    assert tags(town) == {"c1": "V1G2"}


def test_zones_are_tagged_anew_too(town):
    town.load_calls(call(1))
    town.load_places()
    assert town.rows("select zones from onemap.incident") == [{"zones": 0}]
    assert retag(town.url, town.city, town.clock).account.updated == 1
    assert town.rows("select zones > 0 as inside from onemap.incident") == [{"inside": True}]


@pytest.mark.parametrize(
    "work", [lambda t: retag(t.url, t.city, t.clock), lambda t: withdraw(t.url, t.city, "calls", t.clock)]
)
def test_work_that_breaks_leaves_nothing_but_its_record(town, monkeypatch, work):
    town.load_calls(call(1))
    town.load_tree()

    def broken(*_args):
        raise RuntimeError("disk full")

    monkeypatch.setattr(runs, "finish", broken)
    with pytest.raises(RuntimeError):
        work(town)
    (run,) = town.rows("select state, message from onemap.run order by run_id desc limit 1")
    assert run == {"state": "failed", "message": "disk full"}
    assert tags(town) == {"c1": None}
