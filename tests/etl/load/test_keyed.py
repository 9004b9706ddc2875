import pytest

from tests.workshop import ROADS, SPOTS, road, spot

STORED = "select source, source_key, class, name_zh, name_en, oneway, layer, run_id from onemap.road order by source_key"


@pytest.fixture
def roads(town):
    def load(*features, **changes):
        town.geojson("roads.geojson", features)
        return town.run(town.source(ROADS, **changes))

    return load


@pytest.fixture
def spots(town):
    def load(*rows, **changes):
        town.csv("spots.csv", rows)
        return town.run(town.source(SPOTS, **changes))

    return load


def test_roads_land_and_the_layer_has_a_version(town, roads):
    result = roads(road(1, layer=1), road(2, oneway="backward", name_zh=None))
    assert (result.account.inserted, result.account.balanced) == (2, True)
    assert town.rows(STORED) == [
        {"source": "streets", "source_key": "1", "class": "primary", "name_zh": "长街", "name_en": "Long Street",
         "oneway": "no", "layer": 1, "run_id": result.run_id},
        {"source": "streets", "source_key": "2", "class": "primary", "name_zh": None, "name_en": "Long Street",
         "oneway": "backward", "layer": 0, "run_id": result.run_id},
    ]  # fmt: skip
    assert town.rows("select layer, version from onemap.layer_version") == [{"layer": "roads", "version": 1}]
    assert town.rows("select layer from onemap.outbox") == [{"layer": "roads"}]


def test_places_land_where_they_are(town, spots):
    assert spots(spot(1), spot(2, lon="10.03")).account.inserted == 2
    found = town.rows(
        "select source_key, kind, st_x(geom) as lon, st_srid(geom) as srid from onemap.place order by 1"
    )
    assert [(row["source_key"], row["kind"], row["lon"], row["srid"]) for row in found] == [
        ("1", "library", 10.02, 4326),
        ("2", "library", 10.03, 4326),
    ]


def test_the_same_file_changes_nothing_in_any_order(town, roads):
    rows = [road(n) for n in range(1, 6)]
    roads(*rows)
    before = town.rows("select * from onemap.road order by road_id")
    account = roads(*rows[::-1]).account
    assert (account.unchanged, account.changed) == (5, 0)
    assert town.rows("select * from onemap.road order by road_id") == before
    assert town.rows("select version from onemap.layer_version") == [{"version": 1}]


@pytest.mark.parametrize(
    "changes",
    [{"class": "secondary"}, {"name_zh": None}, {"oneway": "forward"}, {"line": [(10.0, 50.0), (10.02, 50.0)]}],
)
def test_a_changed_road_keeps_its_identity(town, roads, changes):
    roads(road(1), road(2))
    before = town.rows("select road_id from onemap.road order by source_key")
    result = roads(road(1, **changes), road(2))
    assert (result.account.updated, result.account.unchanged) == (1, 1)
    assert town.rows("select road_id from onemap.road order by source_key") == before
    assert town.rows("select source_key from onemap.road where run_id = %s", result.run_id) == [
        {"source_key": "1"}
    ]


def test_a_snapshot_deletes_what_it_no_longer_has_but_not_what_did_not_pass(town, roads):
    roads(road(1), road(2), road(3))
    account = roads(road(1), road(2, oneway="sometimes")).account
    assert (account.unchanged, account.quarantined, account.deleted) == (1, 1, 1)
    assert [row["source_key"] for row in town.rows(STORED)] == ["1", "2"]


def test_an_appended_file_deletes_nothing(town, roads):
    roads(road(1), road(2), mode="append")
    account = roads(road(3), mode="append").account
    assert (account.inserted, account.deleted) == (1, 0)
    assert len(town.rows(STORED)) == 3


def test_a_snapshot_deletes_only_what_its_own_source_has_brought(town, roads):
    roads(road(1), id="other")
    assert roads(road(2)).account.inserted == 1
    assert roads(road(3)).account.deleted == 1
    assert [row["source"] for row in town.rows(STORED)] == ["other", "streets"]


def test_without_a_key_rows_that_say_the_same_are_one_road(town, roads):
    account = roads(road(1), road(1), road(1, name_en="Short Street"), key=[]).account
    assert (account.inserted, account.superseded, account.balanced) == (2, 1, True)
    assert roads(road(1, name_en="Short Street"), road(1), key=[]).account.unchanged == 2


def test_two_rows_of_one_key_that_differ_both_wait(town, roads):
    account = roads(road(1), road(1, layer=1), road(2)).account
    assert (account.inserted, account.quarantined) == (1, 2)
