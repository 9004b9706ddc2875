import pytest

from etl.lineage import lineage
from layers.core.db import connect
from layers.core.errors import BadValue
from tests.workshop import call, tree


def states(town, name):
    with connect(town.url) as connection:
        return lineage(connection, name)


def test_an_incident_tells_its_states_with_their_runs_and_files(town):
    first = town.load_calls(call(1))
    second = town.load_calls(call(1, kind="theft"))
    found = states(town, "1")
    assert [row["run_id"] for row in found] == [second.run_id, first.run_id]
    assert found[0]["what"].startswith("calls / c1: theft at 2025-01-02")
    assert found[0]["until"] is None
    assert found[1]["until"] == found[0]["since"]
    assert [(row["via"], row["file_name"], len(row["file_sha256"])) for row in found] == [
        ("file", "calls.csv", 64)
    ] * 2
    assert found == states(town, "incidents/1")


def test_a_deleted_incident_still_tells(town):
    town.load_calls(call(1), mode="snapshot")
    town.load_calls(call(2), mode="snapshot")
    (found,) = states(town, "1")
    assert found["until"] is not None


def test_an_area_tells_its_versions(town):
    town.load_tree(tree())
    (found,) = states(town, "areas/1")
    assert found["what"].startswith("tree / ")


@pytest.mark.parametrize("name", ["x", "areas/x", "walls/1", "1; drop table x", ""])
def test_what_is_no_id_is_told(town, name):
    with pytest.raises(BadValue, match="is no id like 123 or areas/12"):
        states(town, name)


def test_an_id_that_never_was_is_told(town):
    with pytest.raises(BadValue, match="there is no places/7, and never was"):
        states(town, "places/7")
