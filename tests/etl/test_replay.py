from datetime import datetime

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from psycopg.types.json import Jsonb

from etl import pipeline, quarantine, replay
from etl.work import Town
from layers.core.db import connect
from layers.core.errors import BadSource, BadValue, UnreadableFile
from tests.workshop import INCIDENTS, call


def waiting(town, run_id):
    with connect(town.url) as connection:
        return replay.Waiting.of(connection, run_id)


def again(town, source, run_id, path=None):
    return pipeline.load(
        town.url, town.city, replay.delivery(source, town.city, waiting(town, run_id), path), town.clock
    )


def fix(town, source, row_number, **values):
    with connect(town.url) as connection:
        (row,) = [row for row in quarantine.listed(connection, None, 99) if row["row_number"] == row_number]
        quarantine.fix(connection, source, row["quarantine_id"], values)


def test_rows_are_read_again_with_their_fixes_and_land(town):
    first = town.load_calls(call(1), call(2, kind="?"), call(3, at="?"), call(4, lon="?"))
    source = town.source(INCIDENTS)
    fix(town, source, 2, kind="noise")
    fix(town, source, 3, at="2025-01-01", kind="theft")
    result = again(town, source, first.run_id)
    assert (result.account.rows_read, result.account.inserted, result.account.quarantined) == (3, 2, 1)
    landed = town.rows("select source_key, category, run_id from onemap.incident order by 1")
    assert [(row["source_key"], row["category"]) for row in landed] == [
        ("c1", "noise"),
        ("c2", "noise"),
        ("c3", "theft"),
    ]
    assert landed[1]["run_id"] == result.run_id
    (run,) = town.rows("select via, replays from onemap.run where run_id = %s", result.run_id)
    assert run == {"via": "replay", "replays": first.run_id}


def test_what_fails_again_waits_under_the_new_run_with_its_fix_and_the_old_row_is_closed(town):
    first = town.load_calls(call(1, kind="?"))
    source = town.source(INCIDENTS)
    fix(town, source, 1, kind="worse")
    second = again(town, source, first.run_id)
    with connect(town.url) as connection:
        (row,) = quarantine.listed(connection, None, 99)
    assert (row["run_id"], row["row_number"], row["fix"]) == (second.run_id, 1, {"kind": "worse"})
    assert row["reasons"] == ["category 'worse' is not known"]
    fix(town, source, 1, kind="noise")
    assert again(town, source, second.run_id).account.inserted == 1


def test_rows_that_only_waited_for_a_category_land_without_a_fix(town):
    first = town.load_calls(call(1, kind="fire"), call(2))
    assert first.account.quarantined == 1
    with (town.folder / "categories.toml").open("a") as file:
        file.write('\n[[categories]]\ncode = "fire"\nname = { zh = "火", en = "Fire" }\nweight = 1\n')
    town.run(town.source(INCIDENTS, id="other"))  # any load brings the city's words up to date
    assert again(town, town.source(INCIDENTS), first.run_id).account.inserted == 1


def test_a_snapshot_played_again_in_part_deletes_nothing(town):
    first = town.load_calls(call(1), call(2, kind="?"), mode="snapshot")
    source = town.source(INCIDENTS, mode="snapshot")
    fix(town, source, 2, kind="noise")
    account = again(town, source, first.run_id).account
    assert (account.inserted, account.deleted) == (1, 0)


def test_a_file_that_has_changed_since_is_refused_and_one_named_elsewhere_is_taken(town):
    first = town.load_calls(call(1, kind="?"))
    kept = town.write("kept.csv", (town.folder / "calls.csv").read_bytes())
    town.csv("calls.csv", [call(1, kind="other")])
    source = town.source(INCIDENTS)
    with pytest.raises(UnreadableFile, match=r"calls\.csv: none of these is the file that was loaded"):
        replay.delivery(source, town.city, waiting(town, first.run_id))
    fix(town, source, 1, kind="noise")
    assert again(town, source, first.run_id, kept).account.inserted == 1


def test_alike_rows_without_a_key_that_are_mended_one_by_one_all_land_and_stay_when_their_file_comes_again(town):
    keyless = {"key": None, "columns": INCIDENTS["columns"]}
    first = town.load_calls(call(1, kind="?"), call(2), call(1, kind="?"), call(1, kind="?"), **keyless)
    source = town.source(INCIDENTS, **keyless)
    run_id = first.run_id
    for row_number in (3, 1, 4):
        fix(town, source, row_number, kind="theft")
        result = again(town, source, run_id)
        assert result.account.inserted == 1
        run_id = result.run_id
    keys = [row["source_key"] for row in town.rows("select source_key from onemap.incident order by 1")]
    assert len(keys) == 4
    assert sorted(key.partition("#")[2] for key in keys) == ["", "", "2", "3"]


def test_nothing_to_play_again_is_told(town):
    result = town.load_calls(call(1))
    with pytest.raises(BadValue, match=f"nothing of run {result.run_id} is in quarantine"):
        waiting(town, result.run_id)


def test_rows_of_a_push_are_played_again_and_let_go_when_none_waits(town):
    pushed = town.source(INCIDENTS, format="push", file=None)
    rows = [call(1), call(2, kind="?"), call(3, kind="?")]
    push_id = town.rows(
        """insert into onemap.push (source, idempotency_key, body_sha256, received_at, row_count, rows)
        values ('calls', 'k', 'abc', now(), 3, %s) returning push_id""",
        Jsonb(rows),
    )[0]["push_id"]
    (run_id,) = Town(town.folder, town.url, town.clock).push(push_id, lambda *_: None)
    assert town.rows("select rows is null as gone from onemap.push") == [{"gone": False}]
    fix(town, pushed, 2, kind="theft")
    result = again(town, pushed, run_id)
    assert (result.account.inserted, result.account.quarantined) == (1, 1)
    with connect(town.url) as connection:
        quarantine.dismiss(
            connection, quarantine.listed(connection, None, 9)[0]["quarantine_id"], town.clock.now()
        )
    assert town.rows("select rows is null as gone from onemap.push") == [{"gone": True}]


def test_a_push_of_which_every_row_landed_is_let_go_at_once(town):
    town.source(INCIDENTS, format="push", file=None)
    town.rows(
        """insert into onemap.push (source, idempotency_key, body_sha256, received_at, row_count, rows)
        values ('calls', 'k', 'abc', now(), 1, %s) returning push_id""",
        Jsonb([call(1)]),
    )
    Town(town.folder, town.url, town.clock).push(1, lambda *_: None)
    assert town.rows("select rows is null as gone from onemap.push") == [{"gone": True}]


def test_a_feed_says_how_it_is_asked_again(town):
    first = town.load_calls(call(1, kind="?"))
    feed = town.source(INCIDENTS, format="ogcapi", file=None, feed={"url": "http://127.0.0.1:9/items"})
    with pytest.raises(BadSource, match="onemap etl run calls --since DAY"):
        replay.delivery(feed, town.city, waiting(town, first.run_id))


def test_a_fix_changes_no_key_of_rows_that_are_known_by_their_content(town):
    at = datetime(2025, 1, 2, 3, 4, 5)
    rows = [call(n, kind=kind) | {"at": at} for n, kind in enumerate(("noise", "?", "fire"))]
    pq.write_table(pa.Table.from_pylist(rows), town.folder / "calls.parquet")
    source = town.source(INCIDENTS, file="calls.parquet", format="parquet", key=[], mode="snapshot")
    first = town.run(source)
    assert first.account.quarantined == 2
    with (town.folder / "categories.toml").open("a") as file:
        file.write('\n[[categories]]\ncode = "fire"\nname = { zh = "火", en = "Fire" }\nweight = 1\n')
    town.write_words()
    fix(town, source, 2, kind="theft", at="2025-01-02T03:04:05")
    assert again(town, source, first.run_id).account.inserted == 2
    account = town.run(source).account
    assert (account.unchanged, account.quarantined, account.inserted, account.deleted) == (2, 1, 0, 0)
    assert len(town.rows("select 1 from onemap.incident")) == 3


def test_a_shapefile_of_several_parts_is_known_again(town):
    columns = {name: value for name, value in call(1, kind="?").items() if name not in {"lon", "lat"}}
    frame = gpd.GeoDataFrame(
        {k: [v] for k, v in columns.items()}, geometry=[shapely.Point(10.02, 50.02)], crs=4326
    )
    frame.to_file(town.folder / "calls.shp")
    fields = {name: column for name, column in INCIDENTS["columns"].items() if name not in {"lon", "lat"}}
    source = town.source(INCIDENTS, file="calls.shp", format="shapefile", columns=fields)
    first = town.run(source)
    fix(town, source, 1, kind="noise")
    assert again(town, source, first.run_id).account.inserted == 1


def test_a_line_that_cannot_be_read_waits_on_and_one_that_was_dismissed_does_not(town):
    path = town.csv("calls.csv", [call(1), call(2, kind="?")])
    path.write_text(path.read_text() + "c3,noise\n")
    source = town.source(INCIDENTS)
    first = town.run(source)
    with connect(town.url) as connection:
        dismissed, _ = quarantine.listed(connection, None, 9)
        quarantine.dismiss(connection, dismissed["quarantine_id"], town.clock.now())
    second = again(town, source, first.run_id)
    assert (second.account.rows_read, second.account.quarantined) == (1, 1)
    assert list(town.reasons(second.run_id)) == [3]


def test_rows_that_fail_again_are_never_too_many_and_each_keeps_its_own_fix(town):
    calls = [call(1, kind="?"), call(2, kind="?"), *[call(n) for n in range(3, 9)]]
    first = town.load_calls(*calls, max_quarantined=0.5)
    source = town.source(INCIDENTS, max_quarantined=0.5)
    fix(town, source, 1, kind="worse")
    fix(town, source, 2, kind="worst")
    second = again(town, source, first.run_id)
    assert second.account.quarantined == 2
    with connect(town.url) as connection:
        kept = {row["row_number"]: row["fix"] for row in quarantine.listed(connection, None, 9)}
    assert kept == {1: {"kind": "worse"}, 2: {"kind": "worst"}}
    with pytest.raises(BadValue, match=f"nothing of run {first.run_id} is in quarantine"):
        waiting(town, first.run_id)


def test_a_line_that_cannot_be_read_and_was_dismissed_is_not_played_again(town):
    path = town.csv("calls.csv", [call(1), call(2, kind="?")])
    path.write_text(path.read_text() + "c3,noise\n")
    source = town.source(INCIDENTS)
    first = town.run(source)
    with connect(town.url) as connection:
        _, dismissed = quarantine.listed(connection, None, 9)
        quarantine.dismiss(connection, dismissed["quarantine_id"], town.clock.now())
    assert again(town, source, first.run_id).account.rows_read == 1


def test_a_row_keeps_the_place_that_its_file_gives_it(town):
    def feature(number, lon, kind):
        row = call(number, kind=kind)
        properties = {name: row[name] for name in ("id", "kind", "at", "state", "street")}
        place = {"type": "Point", "coordinates": [lon, 50.02]}
        return {"type": "Feature", "properties": properties, "geometry": place}

    town.geojson("calls.geojson", [feature(1, 10.01, "noise"), feature(2, 10.07, "?")])
    fields = {name: column for name, column in INCIDENTS["columns"].items() if name not in {"lon", "lat"}}
    source = town.source(INCIDENTS, file="calls.geojson", format="geojson", columns=fields)
    first = town.run(source)
    fix(town, source, 2, kind="noise")
    again(town, source, first.run_id)
    assert town.rows("select st_x(geom) as lon from onemap.incident where source_key = 'c2'") == [{"lon": 10.07}]
