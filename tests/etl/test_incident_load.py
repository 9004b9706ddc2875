"""Large files: straight into the table while all keys are new, and staged when they prove not to be."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from etl import pipeline, tally
from etl.delivery import Delivery
from etl.incident_load import IncidentLoad
from etl.readers.base import Reading
from etl.shift import Verdict
from layers.core.errors import TooManyBad, UnreadableFile
from layers.geo.china import wgs84_to_gcj02
from tests.workshop import INCIDENTS, call, pieces

WUHAN = Path(__file__).parents[3] / "shared" / "data" / "wuhan_roads_osm" / "wuhan_8989_original.parquet"


def load(town, *rows, **changes):
    source = town.source(INCIDENTS, **changes)
    opened = []

    def opens():
        opened.append(1)
        return Reading(Path("calls.csv"), "0" * 64, pieces(rows))

    town.write_words()
    result = pipeline.load(town.url, town.city, Delivery(source, "calls.csv", opens), town.clock)
    return result, len(opened)


def present(town):
    return {
        row["source_key"]: row["category"] for row in town.rows("select source_key, category from onemap.incident")
    }


def test_new_rows_go_straight_in_and_leave_no_history(town):
    town.load_tree()
    result, opened = load(town, *[call(n) for n in range(7)])
    assert (result.account.inserted, result.account.rows_read, opened) == (7, 7, 1)
    again, opened = load(town, *[call(n) for n in range(10, 17)], id="more")
    assert (again.account.inserted, opened) == (7, 1)
    row = town.rows("select * from onemap.incident where source_key = 'c3'")[0]
    assert (row["source"], row["run_id"], row["attributes"]) == ("calls", result.run_id, {"street": "Long Street"})
    assert row["area_id"] is not None
    assert town.rows("select 1 from onemap.incident_history") == []


def test_a_known_key_anywhere_sends_the_file_the_staged_way(town):
    load(town, *[call(n) for n in range(5)])
    result, opened = load(town, call(7), call(8), call(9), call(2, kind="theft"), call(1))
    account = result.account
    assert (account.inserted, account.updated, account.unchanged, opened) == (3, 1, 1, 3)
    assert present(town)["c2"] == "theft"
    assert len(present(town)) == 8


@pytest.mark.parametrize("filled", [True, False])
def test_a_key_that_stands_twice_is_settled_as_in_a_small_file(town, filled):
    if filled:
        town.load_calls(call(99))
    result, _ = load(town, call(1), call(2), call(1), call(3), call(2, kind="theft"))
    account = result.account
    assert (account.inserted, account.superseded, account.quarantined) == (2, 1, 2)
    assert set(present(town)) - {"c99"} == {"c1", "c3"}


def test_a_refused_file_keeps_its_quarantine(town):
    with pytest.raises(
        TooManyBad, match=r"3 of 5 rows did not pass, more than the 50\.0% that max_quarantined allows"
    ):
        load(town, call(1), call(2), *[call(n, kind="?") for n in (3, 4, 5)], max_quarantined=0.5)
    assert present(town) == {}
    assert town.rows("select row_number from onemap.quarantine order by 1") == [
        {"row_number": n} for n in (3, 4, 5)
    ]
    (run,) = town.rows("select state, rows_read, quarantined from onemap.run")
    assert run == {"state": "failed", "rows_read": 5, "quarantined": 3}


def test_a_file_that_breaks_off_leaves_nothing(town):
    source = town.source(INCIDENTS)

    def batches():
        yield from pieces([call(n) for n in range(4)] + [call(9)])
        raise RuntimeError("cut off")

    town.write_words()
    delivery = Delivery(source, "calls.csv", lambda: Reading(Path("calls.csv"), "0" * 64, batches()))
    with pytest.raises(RuntimeError, match="cut off"):
        pipeline.load(town.url, town.city, delivery, town.clock)
    assert present(town) == {}
    built = town.rows(
        "select count(*) as n from pg_indexes where tablename = 'incident' and schemaname = 'onemap'"
    )
    assert built == [{"n": 7}]


def test_what_looks_shifted_is_a_note_and_a_finding_that_names_the_likely_datum(town, monkeypatch):
    verdict = Verdict("EPSG:4326", "gcj02", 7, {}, "it looks like gcj02")
    monkeypatch.setattr(tally, "judge", lambda *_: verdict)
    result = town.load_calls(call(1))
    assert result.notes["looks_shifted"] == 7
    (row,) = town.rows("select kind, subject, message, changed, place from onemap.finding")
    assert row == {
        "kind": "datum_shift", "subject": "gcj02", "message": verdict.message, "changed": False, "place": None,
    }  # fmt: skip


@pytest.mark.skipif(not WUHAN.exists(), reason="the streets of Wuhan are not here")
def test_a_feed_in_gcj02_that_says_wgs84_is_found_by_the_streets(town):
    settings = town.folder / "city.toml"
    settings.write_text(settings.read_text().replace("[10.0, 50.0, 10.1, 50.06]", "[113.0, 29.0, 116.0, 32.0]"))
    town.write("streets.parquet", WUHAN.read_bytes())
    town.run(
        town.source(
            INCIDENTS, id="streets", target="roads", file="streets.parquet", format="geoparquet", mode="snapshot",
            key=["u", "v", "key"], columns={"class": "highway"}, attributes={}, constants={}, datum="EPSG:32650",
        )
    )  # fmt: skip
    lines = shapely.from_wkb([row["g"] for row in town.rows("select st_asbinary(geom) as g from onemap.road")])
    random = np.random.default_rng(5)
    chosen = random.choice(lines, 1500)
    points = shapely.line_interpolate_point(shapely.get_geometry(chosen, 0), random.random(1500), normalized=True)
    lonlat = wgs84_to_gcj02(shapely.get_coordinates(points))
    calls = [call(n, lon=f"{x:.6f}", lat=f"{y:.6f}") for n, (x, y) in enumerate(lonlat.tolist())]
    assert town.load_calls(*calls).notes["looks_shifted"] > 1000
    (row,) = town.rows("select subject from onemap.finding where kind = 'datum_shift'")
    assert row == {"subject": "gcj02"}
    assert "looks_shifted" not in town.load_calls(*calls, datum="gcj02").notes


def test_a_file_that_is_changed_between_the_two_looks_at_it_brings_nothing(town):
    load(town, call(1))
    source = town.source(INCIDENTS, mode="changes")
    rows = iter([[call(1, kind="theft"), call(2), call(3)], [call(3), call(2, kind="theft"), call(1)]])
    hashes = iter("01")

    def opens():
        return Reading(Path("calls.csv"), next(hashes) * 64, pieces(next(rows)))

    with pytest.raises(UnreadableFile, match=r"calls\.csv: it was changed while it was read; load it again"):
        pipeline.load(town.url, town.city, Delivery(source, "calls.csv", opens), town.clock)
    assert present(town) == {"c1": "noise"}


def test_what_can_be_opened_again_is_not_kept_however_it_came(town, monkeypatch):
    loads = []
    monkeypatch.setattr(pipeline, "load_of", lambda *given: loads.append(IncidentLoad(*given)) or loads[-1])
    town.write_words()
    source = town.source(INCIDENTS)
    for via, kept in (("file", False), ("replay", False), ("feed", True)):
        rows = [call(n, id=f"{via}{n}") for n in range(5)]
        delivery = Delivery(source, "x", lambda rows=rows: Reading(Path("x"), "0" * 64, pieces(rows)), via=via)
        assert pipeline.load(town.url, town.city, delivery, town.clock).account.inserted == 5
        assert (loads[-1]._kept is not None) == kept


def test_a_large_file_with_versions_never_goes_straight_in(town):
    columns = INCIDENTS["columns"] | {"version": "changed"}
    dead = {"mode": "changes", "columns": columns | {"deleted": "gone"}}
    load(town, *[call(n, changed="5", gone="true") for n in range(3)], **dead)
    late = [call(n, changed="4") for n in range(3)]
    assert load(town, *late, columns=columns)[0].account.superseded == 3
    assert present(town) == {}


def test_a_large_snapshot_of_new_keys_deletes_what_it_lacks(town):
    load(town, call(1))
    result, _ = load(town, *[call(n) for n in range(10, 15)], mode="snapshot")
    assert (result.account.inserted, result.account.deleted) == (5, 1)
    assert "c1" not in present(town)
