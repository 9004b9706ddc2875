from datetime import timedelta

import numpy as np
import psycopg
import pytest

from etl.load import incidents, told
from layers.core.db import connect
from layers.core.errors import Conflict
from layers.geo import hexgrid
from tests.workshop import NOW, PLACES, FixedClock, call

BUILT = """select indexname, indexdef from pg_indexes
where schemaname = 'onemap' and tablename = 'incident' order by indexname"""


@pytest.fixture
def full(town):
    town.load_tree()
    town.load_places()
    return town


def test_an_incident_lands_with_its_tags_and_on_its_spot(full):
    full.load_calls(call(1), call(2, lon="10.07"), call(3, lon="10.03", lat="50.03"))
    found = full.rows(
        """select incident.source, source_key, category, severity, area.code as area, zones, cell, state, attributes,
          st_x(geom) as lon, st_y(geom) as lat, st_x(spot) as spot_lon, st_y(spot) as spot_lat
        from onemap.incident left join onemap.area using (area_id) order by source_key"""
    )
    first = found[0]
    assert (first["source"], first["source_key"], first["category"], first["severity"]) == (
        "calls",
        "c1",
        "noise",
        1,
    )
    assert (first["lon"], first["lat"], first["attributes"]) == (10.02, 50.02, {"street": "Long Street"})
    assert [row["area"] for row in found] == ["V1G2", "V2", "V1G1"]  # the border of two grids: the lower code
    assert [row["zones"] for row in found] == [0b11, 0, 0]
    cells = np.array([row["cell"] for row in found], np.uint64)
    np.testing.assert_allclose(hexgrid.centre(cells), [[row["spot_lon"], row["spot_lat"]] for row in found])


def test_the_same_file_changes_nothing_in_any_order(full):
    rows = [call(n, lon=str(10 + n / 100)) for n in range(1, 8)]
    full.load_calls(*rows)
    before = full.rows("select * from onemap.incident order by incident_id")
    account = full.load_calls(*rows[::-1]).account
    assert (account.unchanged, account.changed) == (7, 0)
    assert full.rows("select * from onemap.incident order by incident_id") == before
    assert full.rows("select count(*) as n from onemap.incident_history") == [{"n": 0}]
    assert full.rows("select version from onemap.layer_version where layer = 'incidents'") == [{"version": 1}]


def test_a_changed_row_leaves_its_earlier_version_behind(full):
    full.load_calls(call(1), call(2))
    account = full.load_calls(call(1, kind="theft"), call(2)).account
    assert (account.updated, account.unchanged, account.inserted) == (1, 1, 0)
    assert full.rows("select category, severity from onemap.incident where source_key = 'c1'") == [
        {"category": "theft", "severity": 3}
    ]
    assert full.rows("select source_key, category from onemap.incident_history") == [
        {"source_key": "c1", "category": "noise"}
    ]


def test_keys_belong_to_their_source(full):
    full.load_calls(call(1))
    account = full.load_calls(call(1), id="other").account
    assert account.inserted == 1
    assert full.load_calls(call(2), id="other", mode="snapshot").account.deleted == 1
    assert full.rows("select source, source_key from onemap.incident order by 1") == [
        {"source": "calls", "source_key": "c1"},
        {"source": "other", "source_key": "c2"},
    ]


def test_alike_rows_without_a_key_stay_as_many_as_they_are(full):
    alike = {"id": "x"}
    rows = [call(1, **alike), call(1, **alike), call(1, **alike), call(1, id="y")]
    assert full.load_calls(*rows, key=[], attributes={"id": "id"}).account.inserted == 4
    assert full.load_calls(*rows[::-1], key=[], attributes={"id": "id"}).account.unchanged == 4


def test_alike_rows_are_numbered_among_their_equals_alone(full):
    rows = [call(1, id=key) for key in "xxyy"]
    assert full.load_calls(*rows, key=[], attributes={"id": "id"}).account.inserted == 4
    assert full.load_calls(*rows[::-1], key=[], attributes={"id": "id"}).account.unchanged == 4


def test_of_many_rows_that_contradict_each_other_the_first_five_are_named(full):
    kinds = ("noise", "theft", "domestic")
    five, six = (
        full.load_calls(*[call(1, kind=kinds[n % 3]) for n in range(count)], id=f"of{count}") for count in (5, 6)
    )
    said = "key 'c1' stands in rows 1, 2, 3, 4, 5{} with different content"
    assert full.reasons(five.run_id)[5] == [said.format("")]
    assert full.reasons(six.run_id)[6] == [said.format(" ...")]


def test_a_weight_that_changes_reaches_the_incidents_with_the_next_load(full):
    full.load_calls(call(1), call(2, kind="theft"))
    toml = full.folder / "categories.toml"
    toml.write_text(toml.read_text().replace("weight = 1", "weight = 9"))
    assert full.load_calls(call(1), call(2, kind="theft")).account.updated == 1
    assert full.rows("select severity from onemap.incident order by source_key") == [
        {"severity": 9},
        {"severity": 3},
    ]


def test_an_incident_is_tagged_with_what_was_valid_when_it_happened(full):
    full.clock = FixedClock(NOW + timedelta(days=10))
    full.load_places([PLACES[0], PLACES[1] | {"influence_m": "1"}])
    full.load_calls(call(1, at="2026-03-02T00:00:00"), call(2, at="2026-03-11T13:01:00"))
    assert full.rows("select zones from onemap.incident order by source_key") == [{"zones": 3}, {"zones": 1}]


def test_few_incidents_are_told_one_by_one_with_their_spot_and_all_areas_above(full):
    full.load_calls(call(1, kind="domestic"), call(2, lon="10.07", at="2025-01-02T05:00:00"))
    events = full.rows(
        "select topic, layer, area_ids, payload from onemap.outbox where layer = 'incidents' order by seq"
    )
    areas = {row["area_id"]: row["code"] for row in full.rows("select area_id, code from onemap.area")}
    assert [event["topic"] for event in events] == ["layer", "incident", "incident"]
    assert [sorted(areas[i] for i in event["area_ids"]) for event in events[1:]] == [
        ["D", "V1", "V1G2"],
        ["D", "V2"],
    ]
    payload = events[1]["payload"]
    (stored,) = full.rows(
        "select incident_id as id, st_asgeojson(spot, 6)::jsonb as spot from onemap.incident where source_key = 'c1'"
    )
    assert payload == {
        "id": stored["id"],
        "sensitive": True,
        "geometry": stored["spot"],
        "exact": {"type": "Point", "coordinates": [10.02, 50.02]},
        "properties": {
            "category": "domestic", "occurred_at": "2025-01-02T02:04:05Z", "origin": "citizen", "severity": 5,
            "state": None, "due_at": None, "closed_at": None, "area": "V1G2", "source": "calls",
            "attributes": {"street": "Long Street"},
        },
    }  # fmt: skip
    assert stored["spot"]["coordinates"] != [10.02, 50.02]


def test_only_what_changed_is_told(full):
    full.load_calls(call(1), call(2))
    full.load_calls(call(1), call(2, kind="theft"), call(3))
    told = full.rows("select payload ->> 'id' as id from onemap.outbox where topic = 'incident' order by seq")
    ids = full.rows("select incident_id::text as id from onemap.incident order by source_key")
    assert [row["id"] for row in told] == [ids[0]["id"], ids[1]["id"], ids[1]["id"], ids[2]["id"]]


def test_an_incident_outside_all_areas_is_told_to_those_who_see_the_whole_city_only(town):
    result = town.load_calls(call(1))
    assert result.notes == {"outside_all_areas": 1}
    assert town.rows("select area_ids from onemap.outbox where topic = 'incident'") == [{"area_ids": []}]


def test_a_large_load_tells_only_that_the_layer_changed(full):
    rows = [call(n) for n in range(told.TOLD_ONE_BY_ONE + 1)]
    full.load_calls(*rows)
    assert full.rows("select topic from onemap.outbox where layer = 'incidents'") == [{"topic": "layer"}]


def test_a_first_load_leaves_the_table_with_its_key_and_indexes(full):
    before = full.rows(BUILT)
    full.load_calls(call(1))
    assert full.rows(BUILT) == before
    assert full.rows("select conname from pg_constraint where conname = 'incident_key'") == [
        {"conname": "incident_key"}
    ]


def test_a_load_renews_what_the_public_reads(full):
    full.load_calls(*[call(n) for n in range(12)])
    assert full.rows("select layer, total from onemap.released_bin order by layer") == [
        {"layer": "all", "total": 10},
        {"layer": "market", "total": 10},
        {"layer": "school", "total": 10},
    ]


def test_a_category_that_a_load_vouches_for_stays_until_it_is_committed(full):
    full.write_words()
    with connect(full.url) as loading, connect(full.url) as other:
        incidents.vouch(loading, {"noise"})
        other.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("delete from onemap.category where code = 'noise'")
        with pytest.raises(Conflict, match="category 'gone' was removed while its incidents were loaded"):
            incidents.vouch(loading, {"noise", "gone"})


def test_what_the_public_reads_is_renewed_month_by_month_of_the_citys_time(full):
    def of(first, at):
        return [call(first + n, at=at) for n in range(10)]

    bins = """select to_char(lower(bin) at time zone 'Europe/Berlin', 'MM-DD') as month, total
    from onemap.released_bin where layer = 'all' order by 1"""
    full.load_calls(*of(0, "2025-02-10T12:00:00Z"))
    # The last day of a month, UTC, lies in two months of Berlin; between the two others lies one that stays.
    full.load_calls(
        *of(10, "2025-01-31T12:00:00Z"), *of(20, "2025-03-31T22:30:00Z"), *of(30, "2025-03-01T12:00:00Z")
    )
    assert full.rows(bins) == [
        {"month": "01-01", "total": 10},
        {"month": "02-01", "total": 10},
        {"month": "03-01", "total": 10},
        {"month": "04-01", "total": 10},
    ]
    full.load_calls(*of(40, "2025-05-01T12:00:00Z"), *of(50, "2025-07-01T12:00:00Z"))
    full.load_calls(*of(60, "2025-06-01T12:00:00Z"))
    full.load_calls(*of(70, "2025-05-02T12:00:00Z"), *of(80, "2025-07-02T12:00:00Z"))
    assert [row["total"] for row in full.rows(bins)][4:] == [20, 10, 20]


def test_the_first_moment_of_a_month_is_not_the_last_of_the_one_before_and_nothing_is_left_to_renew(full):
    full.load_calls(*[call(n, at="2025-03-01T00:00:00") for n in range(10)])
    full.load_calls(*[call(n, at="2025-02-10T00:00:00") for n in range(10, 20)])
    assert full.rows("select total from onemap.released_bin where layer = 'all'") == [{"total": 10}] * 2
    assert full.rows("select * from onemap.stale_day") == []


def test_a_category_that_is_removed_while_its_incidents_are_loaded_ends_the_load(full, monkeypatch):
    merge = incidents.merge

    def removing(connection, *given):
        connection.execute("delete from onemap.category where code = 'noise'")
        return merge(connection, *given)

    monkeypatch.setattr(incidents, "merge", removing)
    with pytest.raises(Conflict, match="category 'noise' was removed"):
        full.load_calls(call(1))
    assert full.rows("select * from onemap.incident") == []
