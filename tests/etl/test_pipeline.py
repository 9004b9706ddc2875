import threading
from itertools import count

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import pipeline
from etl.account import Account
from etl.load import told
from layers.core.errors import BadSource, MissingColumn, UnknownDatum, UnreadableFile
from tests.workshop import AREAS, INCIDENTS, area, call, tree


def parquet(town, *rows):
    pq.write_table(pa.Table.from_pylist(list(rows)), town.folder / "calls.parquet")
    return {"file": "calls.parquet", "format": "parquet"}


# bad input: the run's record says why, and nothing of the source has landed


def failed(town, kind, said, load):
    with pytest.raises(kind, match=said):
        load()
    (run,) = town.rows("select * from onemap.run order by run_id desc limit 1")
    assert run["state"] == "failed"
    assert run["finished_at"] is not None
    assert run["message"].startswith(str(town.folder)) or kind is UnknownDatum
    assert town.rows("select count(*) as n from onemap.incident") == [{"n": 0}]
    assert town.rows("select count(*) as n from onemap.outbox") == [{"n": 0}]


def test_a_missing_file_fails_by_name(town):
    source = town.source(INCIDENTS)
    failed(town, UnreadableFile, r"calls\.csv: there is no such file", lambda: town.run(source))


def test_a_wrong_column_fails_by_name(town):
    columns = INCIDENTS["columns"] | {"lon": "longitude"}
    failed(
        town, MissingColumn, "no column 'longitude'; it has id", lambda: town.load_calls(call(), columns=columns)
    )


def test_a_truncated_parquet_fails_by_name(town):
    source = town.source(INCIDENTS, **parquet(town, *[call(n) for n in range(100)]))
    path = town.folder / "calls.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    failed(town, UnreadableFile, r"calls\.parquet: this Parquet cannot be read", lambda: town.run(source))


def test_a_file_that_declares_another_crs_fails_by_name(town):
    utm = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    town.geojson("tree.geojson", tree(), crs=utm)
    source = town.source(AREAS)
    failed(
        town,
        BadSource,
        r"tree\.geojson: it says EPSG:32632, but its TOML says EPSG:4326",
        lambda: town.run(source),
    )


def test_an_unknown_datum_fails_by_name(town):
    failed(town, UnknownDatum, "EPSG:999999", lambda: town.load_calls(call(), datum="EPSG:999999"))


# bad input: bad rows are in quarantine with their reasons, and the good ones land


def test_bad_rows_are_in_quarantine_and_good_ones_land(town):
    result = town.load_calls(
        call(1),
        call(2, lon="11.5"),
        call(3, lon="50.02", lat="10.02"),
        call(4, at="soon"),
        call(5),
        call(5, kind="theft"),
        call(7, kind="murder", street="phone 13800138000"),
        call(8),
    )
    assert (result.account.inserted, result.account.quarantined, result.account.balanced) == (2, 6, True)
    assert town.reasons(result.run_id) == {
        2: ["coordinate 11.50000, 50.02000 lies outside the extent of toy"],
        3: ["coordinate 50.02000, 10.02000 lies outside the extent of toy; lon and lat look swapped"],
        4: ["occurred_at 'soon' is not an ISO 8601 time"],
        5: ["key 'c5' stands in rows 5, 6 with different content"],
        6: ["key 'c5' stands in rows 5, 6 with different content"],
        7: ["category 'murder' is not known"],
    }
    assert town.rows("select source_key from onemap.incident order by 1") == [
        {"source_key": "c1"},
        {"source_key": "c8"},
    ]


def test_a_file_in_the_wrong_datum_is_refused_row_by_row(town):
    result = town.load_calls(call(1, lon="573000", lat="5541000"), call(2))
    assert list(town.reasons(result.run_id)) == [1]
    assert "lies outside the extent" in town.reasons(result.run_id)[1][0]


def test_a_line_that_cannot_be_read_is_in_quarantine_by_its_number(town):
    path = town.csv("calls.csv", [call(1), call(2), call(3)])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "c2,noise", *lines[3:]]))
    result = town.run(town.source(INCIDENTS))
    assert (result.account.rows_read, result.account.inserted, result.account.balanced) == (3, 2, True)
    assert town.reasons(result.run_id) == {2: ["2 values where 7 are needed"]}


def test_a_file_without_rows_changes_nothing(town):
    town.load_tree()
    path = town.csv("calls.csv", [call(1)])
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert town.run(town.source(INCIDENTS)).account == Account()
    assert town.run(town.source(INCIDENTS, key=[], **parquet(town, call(1)))).account.inserted == 1
    pq.write_table(pq.read_table(town.folder / "calls.parquet").slice(0, 0), town.folder / "calls.parquet")
    assert town.run(town.source(INCIDENTS, key=[], file="calls.parquet", format="parquet")).account == Account()


# modes


def test_rows_that_say_the_same_give_way_to_one(town):
    account = town.load_calls(call(1), call(1), call(1), call(2)).account
    assert (account.inserted, account.superseded, account.quarantined) == (2, 2, 0)


def test_in_a_file_of_changes_the_last_version_of_a_key_counts(town):
    account = town.load_calls(call(1), call(2), call(1, kind="theft"), mode="changes").account
    assert (account.inserted, account.superseded, account.balanced) == (2, 1, True)
    found = town.rows("select category from onemap.incident order by source_key")
    assert found == [{"category": "theft"}, {"category": "noise"}]


def test_in_a_file_of_changes_the_last_good_version_counts(town):
    account = town.load_calls(call(1), call(1, kind="theft"), call(1, at="?"), mode="changes").account
    assert (account.inserted, account.superseded, account.quarantined) == (1, 1, 1)
    assert town.rows("select category from onemap.incident") == [{"category": "theft"}]


def test_a_snapshot_deletes_what_is_missing_but_not_what_is_in_quarantine(town):
    town.load_calls(call(1), call(2), call(3), mode="snapshot")
    result = town.load_calls(call(1), call(2, at="?"), mode="snapshot")
    assert (result.account.unchanged, result.account.quarantined, result.account.deleted) == (1, 1, 1)
    assert result.account.balanced
    assert town.rows("select source_key from onemap.incident order by 1") == [
        {"source_key": "c1"},
        {"source_key": "c2"},
    ]
    assert town.rows("select source_key from onemap.incident_history") == [{"source_key": "c3"}]


@pytest.mark.parametrize("unreadable", ["{id}\n", "{id},noise\n"])
def test_a_snapshot_with_a_row_that_may_be_any_deletes_nothing(town, unreadable):
    town.load_tree()
    town.load_calls(call(1), call(2), mode="snapshot")
    path = town.csv("calls.csv", [call(1)])
    path.write_text(path.read_text() + unreadable)
    result = town.run(town.source(INCIDENTS, mode="snapshot"))
    assert (result.account.deleted, result.notes) == (0, {"rows_without_key": 1})


# the law


def test_the_record_of_a_run_says_what_the_result_says(town):
    town.load_tree()
    result = town.load_calls(call(1), call(2, at="2025-03-30T02:30:00"), call(3, kind="?"))
    (run,) = town.rows("select * from onemap.run where run_id = %s", result.run_id)
    assert {name: run[name] for name in vars(result.account)} == vars(result.account)
    assert (run["state"], run["message"], run["notes"]) == ("done", None, {"dst_gap": 1})
    assert (run["source"], run["target"], run["mode"], run["file_name"]) == (
        "calls",
        "incidents",
        "append",
        "calls.csv",
    )
    assert len(run["file_sha256"]) == 64


calls = st.lists(
    st.builds(
        call,
        st.integers(1, 6),
        kind=st.sampled_from(["noise", "theft", "murder"]),
        lon=st.sampled_from(["10.02", "10.03", "99"]),
        id=st.sampled_from(["c1", "c2", "c3", "c4", ""]),
    ),
    min_size=1,
    max_size=10,
)
ids = count()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(calls, min_size=1, max_size=3), st.sampled_from(["append", "changes", "snapshot"]), st.booleans())
def test_every_row_of_any_file_in_any_mode_is_accounted_for(town, files, mode, keyed):
    source_id = f"s{next(ids)}"
    key = ["id"] if keyed else []
    attributes = {"id": "id"}
    for rows in files:
        before = {
            row["source_key"]
            for row in town.rows("select source_key from onemap.incident where source = %s", source_id)
        }
        result = town.load_calls(*rows, id=source_id, mode=mode, key=key, attributes=attributes)
        after = town.rows("select source_key, run_id from onemap.incident where source = %s", source_id)
        account = result.account
        assert account.rows_read == len(rows)
        assert account.balanced
        assert len(after) == len(before) + account.inserted - account.deleted
        assert sum(row["run_id"] == result.run_id for row in after) == account.inserted + account.updated
        assert len(town.reasons(result.run_id)) == account.quarantined
        again = town.load_calls(*rows, id=source_id, mode=mode, key=key, attributes=attributes).account
        assert (again.changed, again.rows_read, again.balanced) == (0, len(rows), True)


# one at a time, and all or nothing


def test_a_load_that_breaks_leaves_nothing_but_its_record(town, monkeypatch):
    town.load_calls(call(1))

    def broken(*_args, **_named):
        raise RuntimeError("disk full")

    monkeypatch.setattr(told, "tell", broken)
    with pytest.raises(RuntimeError):
        town.load_calls(call(1, kind="theft"), call(2), call(3, kind="?"))
    assert town.rows("select source_key, category from onemap.incident") == [
        {"source_key": "c1", "category": "noise"}
    ]
    assert town.rows("select count(*) as n from onemap.incident_history") == [{"n": 0}]
    assert town.rows("select count(*) as n from onemap.quarantine") == [{"n": 0}]
    runs = town.rows("select state, message from onemap.run order by run_id")
    assert runs == [{"state": "done", "message": None}, {"state": "failed", "message": "disk full"}]


def test_a_run_that_was_killed_is_closed_by_the_next(town):
    town.rows(
        """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state)
        values ('calls', 'incidents', 'append', 'calls.csv', '', now(), 'running') returning run_id"""
    )
    town.load_calls(call(1))
    states = town.rows("select state, message from onemap.run order by run_id")
    assert states == [{"state": "failed", "message": "interrupted"}, {"state": "done", "message": None}]


@pytest.mark.parametrize("held", ["incidents", "areas"])
def test_a_load_waits_for_another_of_its_target_or_of_what_it_leans_on(town, held):
    town.load_tree()
    place = pipeline._TARGETS.index(held)
    with psycopg.connect(town.url, autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s, %s)", [pipeline._LOCK, place])
        loading = threading.Thread(target=town.load_calls, args=[call(1)])
        loading.start()
        loading.join(0.5)
        assert loading.is_alive()
        other.execute("select pg_advisory_unlock_all()")
        loading.join(20)
    assert town.rows("select count(*) as n from onemap.incident") == [{"n": 1}]


def test_progress_only_grows_and_ends_at_the_end(town):
    town.csv("calls.csv", [call(n) for n in range(50)])
    town.load_tree([area("district", "D", None, (10.0, 50.0, 10.1, 50.06))])
    heard: list[tuple[str, float, int]] = []
    pipeline.run(town.url, town.city, town.source(INCIDENTS), town.clock, lambda *said: heard.append(said))
    shares = [share for _, share, _ in heard]
    assert shares == sorted(shares)
    assert heard[-1] == ("done", 1.0, 50)
    assert {"reading", "merging", "publishing"} <= {step for step, *_ in heard}


def test_a_row_that_gave_way_and_fails_later_is_counted_once(town):
    orphan = area("grid", "V9G1", "V9", (10.0, 50.0, 10.01, 50.01))
    account = town.load_tree([*tree(), orphan, orphan]).account
    assert (account.inserted, account.superseded, account.quarantined, account.balanced) == (5, 0, 2, True)


def test_a_new_number_of_households_changes_the_area_and_opens_no_version(town):
    columns = AREAS["columns"] | {"households": "homes"}
    for homes, done in ((100, "inserted"), (100, "unchanged"), (150, "updated")):
        features = tree()
        features[3]["properties"]["homes"] = homes
        account = town.load_tree(features, columns=columns).account
        assert getattr(account, done) >= 1, done
    assert town.rows("select households from onemap.area where households is not null") == [{"households": 150}]
    assert town.rows("select count(*) as n from onemap.area_version") == [{"n": 5}]
