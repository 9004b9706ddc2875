import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from etl.readers.registry import read
from etl.validate.incidents import attributes, check
from layers.geo import hexgrid
from tests.workshop import INCIDENTS, NOW, call


@pytest.fixture
def checked(shop):
    def made(*rows, **changes):
        shop.csv("calls.csv", rows)
        source = shop.source(INCIDENTS, **changes)
        return check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)

    return made


def test_a_good_row_becomes_typed_values(checked):
    found = checked(call(1, kind="theft", state="open"))
    (row,) = found.table.to_pylist()
    assert found.findings.bad() == []
    assert row["source_key"] == "c1"
    assert (row["category"], row["severity"], row["origin"], row["state"]) == ("theft", 3, "citizen", "open")
    assert row["occurred_at"] == datetime(2025, 1, 2, 2, 4, 5, tzinfo=UTC)  # Berlin is an hour ahead
    assert (row["lon"], row["lat"]) == (10.02, 50.02)
    assert row["cell"] == int(hexgrid.index(np.array([[10.02, 50.02]]), 10)[0])
    assert json.loads(row["attributes"]) == {"street": "Long Street"}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"at": "yesterday"}, ["occurred_at 'yesterday' is not an ISO 8601 time"]),
        ({"at": " "}, ["occurred_at is missing"]),
        ({"at": "2026-03-01T13:05:01"}, ["occurred_at 2026-03-01T12:05:01.000000Z lies in the future"]),
        ({"lon": ""}, ["lon is missing"]),
        ({"lon": "east"}, ["lon 'east' is not a number"]),
        ({"lat": "1e999"}, ["lat is not a finite number"]),
        ({"lon": "11"}, ["coordinate 11.00000, 50.02000 lies outside the extent of toy"]),
        (
            {"lon": "50.02", "lat": "10.02"},
            ["coordinate 50.02000, 10.02000 lies outside the extent of toy; lon and lat look swapped"],
        ),
        ({"kind": "Homicide"}, ["category 'Homicide' is not known"]),
        ({"kind": ""}, ["category is missing"]),
        ({"id": ""}, ["key id is missing"]),
        ({"state": "op\0en"}, ["column 'state' holds a NUL character"]),
        ({"kind": "x", "at": "x", "lon": "x"}, [
            "category 'x' is not known", "occurred_at 'x' is not an ISO 8601 time", "lon 'x' is not a number",
        ]),
    ],
)  # fmt: skip
def test_every_reason_against_a_row_is_told_and_the_others_pass(checked, changes, reasons):
    found = checked(call(1), call(2, **changes), call(3))
    assert found.findings.of(1) == reasons
    assert found.findings.bad() == [1]


def test_five_minutes_ahead_of_our_clock_is_not_yet_the_future(checked):
    assert checked(call(at="2026-03-01T13:05:00")).findings.bad() == []


def test_a_due_time_may_lie_in_the_future_but_a_closing_time_may_not(checked):
    columns = INCIDENTS["columns"] | {"due_at": "due", "closed_at": "closed"}
    good = checked(call(due="2027-01-01", closed="2025-02-01"), columns=columns)
    assert good.findings.bad() == []
    bad = checked(call(due="2027-01-01", closed="2027-01-01"), columns=columns)
    assert bad.findings.of(0) == ["closed_at 2026-12-31T23:00:00.000000Z lies in the future"]


def test_points_on_the_edge_of_the_extent_are_inside(checked):
    assert checked(call(lon="10.0", lat="50.0"), call(2, lon="10.1", lat="50.06")).findings.bad() == []


def test_a_projected_source_is_brought_to_lonlat(checked):
    east, north = Transformer.from_crs(4326, 32632, always_xy=True).transform(10.02, 50.02)
    found = checked(call(lon=str(east), lat=str(north)), datum="EPSG:32632")
    assert found.findings.bad() == []
    lonlat = [found.table["lon"][0].as_py(), found.table["lat"][0].as_py()]
    np.testing.assert_allclose(lonlat, [10.02, 50.02], atol=1e-9)


def test_gap_and_fold_are_counted(checked):
    found = checked(call(1, at="2025-03-30T02:30:00"), call(2, at="2025-10-26T02:30:00"), call(3))
    assert found.notes == {"dst_gap": 1, "dst_fold": 1}


def test_a_source_may_have_a_time_zone_of_its_own(checked):
    found = checked(call(at="2025-01-02T10:00:00"), time_zone="Asia/Shanghai")
    assert found.table["occurred_at"][0].as_py() == datetime(2025, 1, 2, 2, tzinfo=UTC)


def test_what_a_row_says_and_what_follows_from_it_is_in_its_content_hash(checked):
    rows = [
        call(),
        call(kind="theft"),
        call(lon="10.03"),
        call(street="x"),
        call(at="2025-01-02T03:04:06"),
        call(),
    ]
    hashes = checked(*rows).table["content_hash"].to_pylist()
    assert hashes[0] == hashes[5]
    assert len(set(hashes)) == 5


def test_an_incident_file_may_carry_points_of_its_own(shop):
    feature = {"type": "Feature", "properties": {"id": 1, "kind": "noise", "at": "2025-01-01", "street": None}}
    line = {"type": "LineString", "coordinates": [[10.02, 50.02], [10.03, 50.02]]}
    point = {"type": "Point", "coordinates": [10.02, 50.02, 5]}
    shop.geojson("calls.geojson", [feature | {"geometry": shape} for shape in (point, line, None)])
    columns = {"category": "kind", "occurred_at": "at"}
    source = shop.source(INCIDENTS, columns=columns, format="geojson", file="calls.geojson", key=[])
    found = check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)
    assert found.table["lat"].to_pylist() == [50.02, None, None]
    assert (found.findings.of(1), found.findings.of(2)) == (["geometry is a linestring"], ["geometry is missing"])


@given(st.lists(st.tuples(st.none() | st.integers(-3, 3), st.sampled_from(["x", "中", '"', None])), max_size=20))
def test_attributes_are_json_of_what_is_there(rows):
    table = pa.table(
        {"n": pa.array([n for n, _ in rows], pa.int64()), "s": pa.array([s for _, s in rows], pa.string())}
    )
    kept = {"number": table["n"].combine_chunks(), "said": table["s"].combine_chunks()}
    found = attributes(kept, len(rows)).to_pylist()
    wanted = [{k: v for k, v in (("number", n), ("said", s)) if v is not None} for n, s in rows]
    assert [json.loads(text) for text in found] == wanted


def test_attributes_keep_times_as_text_and_leave_out_what_is_no_number():
    kept = {"t": pa.array([datetime(2025, 1, 1)]), "x": pa.array([float("nan")])}
    assert json.loads(attributes(kept, 1)[0].as_py()) == {"t": "2025-01-01T00:00:00"}
