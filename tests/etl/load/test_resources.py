"""Resources come, move, change hands and go, and what was is kept with its dates."""

from datetime import timedelta

from etl.withdraw import withdraw
from tests.workshop import NOW, FixedClock, camera, station

LATER = NOW + timedelta(days=10)
HELD = """select code, unit, st_x(geom) as lon, upper(valid) as until
from onemap.resource_version join onemap.resource using (resource_id) order by code, lower(valid) nulls first"""


def held(town):
    return [tuple(row.values()) for row in town.rows(HELD)]


def test_the_same_file_again_changes_nothing(town):
    first, again = (town.load_stations(station(), camera()).account for _ in range(2))
    assert (first.inserted, first.balanced) == (2, True)
    assert (again.unchanged, again.changed) == (2, 0)
    assert held(town) == [("C1", None, 10.02, None), ("T1", "team one", 10.02, None)]
    assert town.rows("select layer, version from onemap.layer_version") == [{"layer": "resources", "version": 1}]


def test_a_team_that_moves_or_changes_has_a_new_version_and_a_name_is_changed_in_place(town):
    town.load_stations(station(), station("T2"), station("T3"))
    town.clock = FixedClock(LATER)
    account = town.load_stations(
        station(lon="10.03"), station("T2", unit="team two"), station("T3", name_en="Third Team")
    ).account
    assert (account.updated, account.inserted, account.deleted) == (3, 0, 0)
    assert held(town) == [
        ("T1", "team one", 10.02, LATER),
        ("T1", "team one", 10.03, None),
        ("T2", "team one", 10.02, LATER),
        ("T2", "team two", 10.02, None),
        ("T3", "team one", 10.02, None),
    ]


def test_what_is_missing_from_a_snapshot_or_withdrawn_ends(town):
    town.load_stations(station(), station("T2"))
    town.clock = FixedClock(LATER)
    assert town.load_stations(station()).account.deleted == 1
    assert held(town) == [("T1", "team one", 10.02, None), ("T2", "team one", 10.02, LATER)]
    assert withdraw(town.url, town.city, "stations", town.clock)[1].deleted == 1
    assert {until for *_, until in held(town)} == {LATER}


def test_a_bad_row_is_quarantined_with_its_reason(town):
    result = town.load_stations(station(), camera(device_id="1"))
    assert (result.account.inserted, result.account.quarantined) == (1, 1)
    assert "20 digits" in town.reasons(result.run_id)[2][0]
