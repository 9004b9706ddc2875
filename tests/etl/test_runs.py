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
