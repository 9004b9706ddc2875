import pytest
from psycopg.types.json import Jsonb

from etl.withdraw import withdraw
from etl.work import Town
from layers.core.errors import BadValue
from tests.workshop import INCIDENTS, call, tree


def versions(town):
    return town.rows("select layer, version from onemap.layer_version order by layer")


def test_incidents_of_a_source_leave_the_map_and_stay_in_the_history(town):
    town.load_calls(call(1), call(2, kind="?"), call(3))
    town.load_calls(call(4), id="other")
    run_id, account = withdraw(town.url, town.city, "calls", town.clock)
    assert account.deleted == 2
    assert town.rows("select source from onemap.incident") == [{"source": "other"}]
    assert town.rows("select count(*) as n from onemap.incident_history") == [{"n": 2}]
    (run,) = town.rows("select source, via, state, deleted from onemap.run where run_id = %s", run_id)
    assert run == {"source": "calls", "via": "withdraw", "state": "done", "deleted": 2}
    assert town.rows("select 1 from onemap.quarantine where dismissed_at is null") == []
    assert versions(town) == [{"layer": layer, "version": 3} for layer in ("incidents", "released")]


def test_areas_end_now_and_old_incidents_keep_their_tag(town):
    town.load_tree()
    town.load_calls(call(1))
    before = town.rows("select area_id from onemap.incident")
    assert withdraw(town.url, town.city, "tree", town.clock)[1].deleted == len(tree())
    assert town.rows("select 1 from onemap.area_version where upper(valid) is null") == []
    assert town.rows("select area_id from onemap.incident") == before


def test_a_source_may_come_again(town):
    town.load_calls(call(1))
    withdraw(town.url, town.city, "calls", town.clock)
    assert town.load_calls(call(1)).account.inserted == 1


def test_a_source_that_never_was_is_told(town):
    with pytest.raises(BadValue, match="nothing was ever loaded from a source 'calls'"):
        withdraw(town.url, town.city, "calls", town.clock)


def test_the_rows_of_a_push_that_waited_are_let_go(town):
    town.source(INCIDENTS, format="push", file=None)
    town.rows(
        """insert into onemap.push (source, idempotency_key, body_sha256, received_at, row_count, rows)
        values ('calls', 'k', 'abc', now(), 1, %s) returning push_id""",
        Jsonb([call(1, kind="?")]),
    )
    Town(town.folder, town.url, town.clock).push(1, lambda *_: None)
    withdraw(town.url, town.city, "calls", town.clock)
    assert town.rows("select rows is null as gone from onemap.push") == [{"gone": True}]
