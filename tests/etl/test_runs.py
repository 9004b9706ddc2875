from etl import runs
from layers.core.db import connect
from tests.workshop import call


def test_runs_are_listed_newest_first(town):
    town.load_calls(call(1))
    town.load_calls(call(1), call(2))
    with connect(town.url) as connection:
        found = runs.recent(connection, 10)
        assert [run["rows_read"] for run in found] == [2, 1]
        assert len(runs.recent(connection, 1)) == 1


def test_quarantine_is_that_of_a_run_or_of_the_last_of_each_source(town):
    first = town.load_calls(call(1, kind="?"), call(2, kind="?"))
    town.load_calls(call(3, kind="?"), id="other")
    town.load_calls(call(1), call(2, kind="?"))
    with connect(town.url) as connection:
        of_run = runs.quarantined(connection, first.run_id, 10)
        newest = runs.quarantined(connection, None, 10)
    assert [(row["source"], row["row_number"]) for row in of_run] == [("calls", 1), ("calls", 2)]
    assert [(row["source"], row["row_number"]) for row in newest] == [("other", 1), ("calls", 2)]
    assert newest[1]["reasons"] == ["category '?' is not known"]
