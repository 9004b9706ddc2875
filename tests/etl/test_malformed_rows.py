"""Rows that cannot be taken: each is in quarantine by its number and reason, and every other row has landed."""

import json

import pytest

from tests.etl.malformed import calls, declared, pointed, refuses, table
from tests.workshop import INCIDENTS, call

SQUARE = [[10, 50], [10.05, 50], [10.05, 50.05], [10, 50.05], [10, 50]]
SIGN = "\N{REPLACEMENT CHARACTER}"


def no_time(written, hint=""):
    return f"occurred_at '{written}' is not an ISO 8601 time{hint}"


def no_number(written):
    return f"lon '{written}' is not a number"


def outside(x, y, hint=""):
    return f"coordinate {x}, {y} lies outside the extent of toy{hint}"


CALLS = table(
    ("a number is written with a comma", {"lon": "10,02"}, no_number("10,02")),
    ("a number has separators of thousands", {"lon": "1,002.5"}, no_number("1,002.5")),
    ("a number is in full-width digits", {"lon": "１０.０２"}, no_number("１０.０２")),
    ("a number hides a space", {"lon": "10.02\u200b"}, no_number("10.02" + SIGN)),
    ("a coordinate is NaN", {"lon": "NaN"}, no_number("NaN")),
    ("a coordinate is infinite", {"lon": "-Infinity"}, no_number("-Infinity")),
    ("a coordinate is more than a number can be", {"lon": "1e999"}, "lon is not a finite number"),
    ("a coordinate is empty", {"lon": ""}, "lon is missing"),
    ("lon and lat are swapped", {"lon": "50.02", "lat": "10.02"},
     outside("50.02000", "10.02000", "; lon and lat look swapped")),
    ("a place lies at null island", {"lon": "0", "lat": "0"}, outside("0.00000", "0.00000")),
    ("a place lies at the antimeridian", {"lon": "-180"}, outside("-180.00000", "50.02000")),
    ("a category is in another case", {"kind": "Noise"}, "category 'Noise' is not known"),
    ("a category is empty", {"kind": " "}, "category is missing"),
    ("a text holds a NUL", {"street": "a\0b"}, "column 'street' holds a NUL character"),
    ("a key holds a NUL", {"id": "a\0b"}, "column 'id' holds a NUL character"),
    ("a key is missing", {"id": " "}, "key id is missing"),
    ("a key names a person", {"id": "13800138000"}, "key id names a person"),
    ("a key is too long for an index", {"id": "k" * 1001}, "key id is longer than 1,000 bytes"),
    ("a time is a time of day", {"at": "08:30"}, no_time("08:30")),
    ("a time is 24:00", {"at": "2025-01-02 24:00"}, no_time("2025-01-02 24:00")),
    ("a time is a leap second", {"at": "2016-12-31T23:59:60Z"}, no_time("2016-12-31T23:59:60Z")),
    ("an offset is beyond a day", {"at": "2025-01-02T03:04:05+25:00"}, no_time("2025-01-02T03:04:05+25:00")),
    ("a day is in no calendar", {"at": "2025-02-30"}, no_time("2025-02-30")),
    ("a day comes before its month", {"at": "31/01/2025"}, no_time("31/01/2025")),
    ("a time is in full-width digits", {"at": "２０２５-01-02"}, no_time("２０２５-01-02")),
    ("a time is a spreadsheet's number", {"at": "45658.5"},
     no_time("45658.5", "; it looks like a spreadsheet's serial number")),
    ("a time is a number of seconds", {"at": "1735786800"}, no_time("##########")),
    ("a time lies before 1900", {"at": "1899-12-30"}, "occurred_at 1899-12-29T23:00:00.000000Z lies before 1900"),
    ("a time lies in the far future", {"at": "2999-01-01"},
     "occurred_at 2998-12-31T23:00:00.000000Z lies in the future"),
    ("a time is the last that there is", {"at": "9999-12-31"},
     no_time("9999-12-31", "; times lie from 0001-01-02 to 9999-12-29")),
    ("everything is wrong at once", {"kind": "?", "at": "?", "lon": "?"},
     ["category '?' is not known", no_time("?"), no_number("?")]),
)  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CALLS)
def test_a_call_is_refused_when(shared_town, change, reason):
    result = refuses(shared_town, calls({}, change, {}), {2: reason})
    kept = shared_town.rows("select source_key from onemap.incident where run_id = %s order by 1", result.run_id)
    assert kept == [{"source_key": "c1"}, {"source_key": "c3"}]


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "EPSG:4547"])
def test_a_coordinate_of_1e308_has_no_place_in_any_datum(shared_town, datum):
    (reason,) = (f"coordinate has no place on earth in {datum}",)
    source = calls({"lon": "1e308", "lat": "-1e308"}, datum=datum)
    refuses(shared_town, source, {1: reason}, landed=0)


def test_a_coordinate_of_1e308_is_not_told_digit_by_digit(shared_town):
    result = shared_town.run(calls({}, {"lon": "1e308"})(shared_town))
    ((reason,),) = shared_town.reasons(result.run_id).values()
    assert "lies outside the extent" in reason
    assert len(reason) < 200


def test_rows_keep_their_numbers_among_quotes_of_several_lines_blank_lines_and_headers(shared_town):
    header = ",".join(call())
    good, bad = "c{},noise,2025-01-02,10.02,50.02,,{}", "c{},noise,soon,10.02,50.02,,x"
    lines = [header, good.format(1, '"a\nb"'), "", bad.format(2), "c3,noise", header, good.format(5, "x")]
    shared_town.write("calls.csv", "\n".join(lines))
    refuses(
        shared_town,
        lambda town: declared(town, INCIDENTS),
        {2: no_time("soon"), 3: "2 values where 7 are needed", 4: "this is the header again"},
    )


def test_a_key_that_comes_again_with_other_content_is_refused_wherever_it_stands(shared_town):
    reason = "key 'x' stands in rows 2, 4 with different content"
    refuses(
        shared_town, calls({}, {"id": "x"}, {}, {"id": "x", "kind": "theft"}, {"id": "c1"}), {2: reason, 4: reason}
    )


def test_a_tombstone_needs_a_key_and_a_plain_word(shared_town):
    rows = [{"del": "0"}, {"del": "true", "id": "", "kind": "?"}, {"del": "perhaps"}, {"del": "1", "at": "?"}]
    source = calls(*rows, mode="changes", columns=INCIDENTS["columns"] | {"deleted": "del"})
    refuses(shared_town, source, {2: "key id is missing", 3: "deleted is neither true nor false"})


def test_a_version_is_a_whole_number_or_a_time(shared_town):
    said = "version '{}' is neither a whole number nor a time"
    rows = [{"v": text} for text in ("1", "two", "", "1.5", "2025-01-02", "9" * 20)]
    refuses(
        shared_town,
        calls(*rows, columns=INCIDENTS["columns"] | {"version": "v"}),
        {2: said.format("two"), 3: "version is missing", 4: said.format("1.5"), 6: said.format("#" * 20)},
    )


def test_a_formula_lands_as_the_text_that_it_is(shared_town):
    text = "=cmd|'/C calc'!A0"
    result = refuses(shared_town, calls({"street": text, "state": "@SUM(1)"}), {}, landed=1)
    found = shared_town.rows("select state, attributes from onemap.incident where run_id = %s", result.run_id)
    assert found == [{"state": "@SUM(1)", "attributes": {"street": text}}]


def features(*bad):
    """A GeoJSON of calls, of which the first and last are good."""
    fields = {name: value for name, value in call().items() if name not in {"id", "lon", "lat"}}
    good = {"type": "Feature", "properties": fields, "geometry": {"type": "Point", "coordinates": [10.02, 50.02]}}
    made = [good | {"id": 1}, *[good | one | {"id": 2} for one in bad], good | {"id": 3}]
    return json.dumps({"type": "FeatureCollection", "features": made})


POINTS = table(
    ("has no geometry", None, "geometry is missing"),
    ("is an empty point", {"type": "Point", "coordinates": []}, "geometry is empty"),
    ("is a polygon among points", {"type": "Polygon", "coordinates": [SQUARE]}, "geometry is a polygon"),
    ("is a collection", {"type": "GeometryCollection", "geometries": []}, "geometry is a geometrycollection"),
    ("is a curve", {"type": "CircularString", "coordinates": SQUARE},
     "geometry cannot be read: Unknown geometry type!"),
    ("has a NaN", {"type": "Point", "coordinates": [float("nan"), 50]},
     "geometry has a coordinate that is not finite"),
    ("has one coordinate", {"type": "Point", "coordinates": [10.02]},
     "geometry cannot be read: Expected two or three coordinates found one"),
    ("is nested", {"type": "Point", "coordinates": json.loads("[" * 300 + "]" * 300)},
     "geometry cannot be read: Recursion limit reached"),
)  # fmt: skip


@pytest.mark.parametrize(("geometry", "reason"), POINTS)
def test_a_feature_is_refused_when_it(shared_town, geometry, reason):
    shared_town.write("calls.geojson", features({"geometry": geometry}))
    base = pointed(INCIDENTS, file="calls.geojson", format="geojson")
    refuses(shared_town, lambda town: declared(town, base), {2: reason})


@pytest.mark.parametrize(
    ("feature", "reason"),
    table(
        ("has half a surrogate pair", {"properties": {"street": "\ud800"}},
         "property 'street' holds half a surrogate pair"),
        ("calls itself by half a surrogate pair", {"type": "\ud800\0"}, f"this is no Feature but {SIGN}{SIGN}"),
        ("calls itself by a person", {"type": "13800138000" + "x" * 99},
         "this is no Feature but [phone]" + "x" * 52 + "…"),
        ("has a list of properties", {"properties": [1]}, "its properties are no record"),
    ),
)  # fmt: skip
def test_what_is_no_feature_is_refused_when_it(shared_town, feature, reason):
    shared_town.write("calls.geojson", features(feature))
    base = pointed(INCIDENTS, file="calls.geojson", format="geojson")
    refuses(shared_town, lambda town: declared(town, base), {2: reason})


def test_a_point_with_a_height_lands_without_it(shared_town):
    shared_town.write("calls.geojson", features({"geometry": {"type": "Point", "coordinates": [10.02, 50.02, 7]}}))
    base = pointed(INCIDENTS, file="calls.geojson", format="geojson")
    result = refuses(shared_town, lambda town: declared(town, base), {}, landed=3)
    flat = shared_town.rows(
        "select distinct st_ndims(geom) as n from onemap.incident where run_id = %s", result.run_id
    )
    assert flat == [{"n": 2}]
