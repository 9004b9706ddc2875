import json

import pytest
import shapely

from etl.readers import geojson as module
from etl.readers import json_text
from etl.readers.geojson import read_geojson, read_geojsonseq
from layers.core.errors import MissingColumn, UnreadableFile

POINT = {"type": "Feature", "properties": {"a": "x", "n": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}


def geojson(folder, features, name="f.geojson", **members):
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection"} | members | {"features": features}))
    return path


def seq(folder, *lines):
    path = folder / "f.geojsonl"
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines))
    return path


def properties(**values):
    return POINT | {"properties": values}


def test_geojson_gives_the_columns_asked_for_and_its_geometry(tmp_path):
    nowhere = POINT | {"geometry": None}
    raw = read_geojson(geojson(tmp_path, [POINT, nowhere]), ["a"]).whole()
    assert raw.table.to_pydict() == {"a": ["x", "x"]}
    assert raw.rows.tolist() == [1, 2]
    assert shapely.to_wkt(raw.shapes[0]) == "POINT (1 2)"
    assert raw.shapes[1] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2025-01-01T00:00:00+08:00", "2025-01-01T00:00:00+08:00"),
        (12345678901234567890, "12345678901234567890"),
        (1.50, "1.5"),
        (True, "true"),
        (None, None),
        ("", ""),
        (["中", 1], '["中", 1]'),
        ({"b": None}, '{"b": null}'),
    ],
)
def test_a_property_comes_as_it_is_written(tmp_path, value, text):
    assert read_geojson(geojson(tmp_path, [properties(t=value)]), ["t"]).whole().table["t"].to_pylist() == [text]


def test_a_property_that_a_feature_lacks_is_missing_in_it(tmp_path):
    raw = read_geojson(geojson(tmp_path, [properties(b=1), properties(a=2)]), ["a", "b"]).whole()
    assert raw.table.to_pydict() == {"a": [None, "2"], "b": ["1", None]}


def test_an_id_is_the_features_own_unless_a_property_is_called_so(tmp_path):
    features = [POINT | {"id": 7}, properties(id="x") | {"id": 8}, POINT]
    assert read_geojson(geojson(tmp_path, features), ["id"]).whole().table["id"].to_pylist() == ["7", "x", None]


def test_mixed_kinds_and_heights_pass_through(tmp_path):
    shapes = ["POINT Z (1 2 3)", "LINESTRING (0 0, 1 1)", "GEOMETRYCOLLECTION (POINT (1 2))", "POLYGON EMPTY"]
    features = [POINT | {"geometry": json.loads(shapely.to_geojson(shapely.from_wkt(each)))} for each in shapes]
    raw = read_geojson(geojson(tmp_path, features), ["a"]).whole()
    assert [shape.wkt for shape in raw.shapes] == shapes


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("urn:ogc:def:crs:EPSG::32632", "EPSG:32632"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"),
        ("EPSG:4490", "EPSG:4490"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_only_what_the_file_itself_says_is_its_crs(tmp_path, name, crs, after):
    said = {"type": "name", "properties": {"name": name}}
    path = geojson(tmp_path, [POINT], crs=said)
    if after:
        path.write_text(json.dumps({"features": [POINT], "crs": said}))
    assert read_geojson(path, ["a"]).crs == crs
    assert read_geojson(geojson(tmp_path, [POINT]), ["a"]).crs is None
    assert read_geojson(geojson(tmp_path, [POINT], crs=None), ["a"]).crs is None


def test_a_crs_that_is_a_link_is_given_whole(tmp_path):
    link = {"type": "link", "properties": {"href": "http://example.org/"}}
    assert read_geojson(geojson(tmp_path, [POINT], crs=link), ["a"]).crs == json.dumps(link)


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (None, "this is no Feature but NoneType"),
        ("x", "this is no Feature but str"),
        ({"type": "Point", "coordinates": [1, 2]}, "this is no Feature but Point"),
        (POINT | {"properties": [1]}, "its properties are no record"),
        (properties(a="\ud800"), "property 'a' holds half a surrogate pair"),
        (
            POINT | {"geometry": {"type": "Point", "coordinates": [float("nan"), 2]}},
            "coordinate that is not finite",
        ),
        (
            POINT | {"geometry": {"type": "Point", "coordinates": [1, float("inf")]}},
            "coordinate that is not finite",
        ),
        (POINT | {"geometry": {"type": "Point", "coordinates": ["1", 2]}}, "type must be number, but is string"),
        (
            POINT | {"geometry": {"type": "Point", "coordinates": [1]}},
            "Expected two or three coordinates found one",
        ),
        (
            POINT | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}},
            "closed linestring",
        ),
        (POINT | {"geometry": {"type": "Circle"}}, "Unknown geometry type"),
        (POINT | {"geometry": {"coordinates": [1, 2]}}, "key 'type' not found"),
    ],
)
def test_what_is_no_feature_is_a_broken_row_and_the_others_keep_their_numbers(tmp_path, feature, reason):
    raw = read_geojson(geojson(tmp_path, [POINT, feature, POINT]), ["a"]).whole()
    assert raw.rows.tolist() == [1, 3]
    assert raw.table["a"].to_pylist() == ["x", "x"]
    assert len(raw.shapes) == 2
    [(number, told)] = raw.broken
    assert number == 2
    assert reason in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("   \n", "it is cut off"),
        ("<gml/>", "< stands where { is needed"),
        ("[1]", r"\[ stands where { is needed"),
        ("{}", "it has no list 'features'"),
        ('{"type": "Point", "coordinates": [1, 2]}', "it has no list 'features'"),
        ('{"features": {}}', "it has no list 'features'"),
        ('{"features": []} x', "something stands after its end"),
        ('{"features": [1 2]}', "2 stands where , or ] is needed"),
        ('{"features": [' + "[" * 200_000, "it is nested too deep"),
        ('{"features": [{"a" 1}' + " " * 100, "Expecting ':' delimiter"),
        ('{"features": [{"a": "x', "it is cut off: Unterminated string"),
        ('{"features": [{"a": 1}', "it is cut off"),
        ('{"features": [', "it is cut off"),
        ("{a: 1}", 'a stands where " is needed'),
    ],
)
def test_what_is_no_geojson_is_told_with_its_place(tmp_path, text, said):
    path = tmp_path / "f.geojson"
    path.write_text(text)
    with pytest.raises(
        UnreadableFile, match=rf"f\.geojson: this GeoJSON cannot be read( after item \d)?.*: {said}"
    ):
        read_geojson(path, ["a"]).whole()


def test_geojson_in_another_encoding_is_told(tmp_path):
    path = tmp_path / "f.geojson"
    path.write_bytes(json.dumps({"features": [properties(a="中")]}, ensure_ascii=False).encode("gbk"))
    with pytest.raises(UnreadableFile, match="it is not in UTF-8"):
        read_geojson(path, ["a"])


def test_a_byte_order_mark_is_no_part_of_it(tmp_path):
    path = geojson(tmp_path, [POINT])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_geojson(path, ["a"]).whole()) == 1
    assert len(read_geojsonseq(seq(tmp_path, "\ufeff" + json.dumps(POINT)), ["a"]).whole()) == 1


def test_a_file_without_features_lacks_no_column(tmp_path):
    raw = read_geojson(geojson(tmp_path, []), ["a"]).whole()
    assert (len(raw), raw.table.column_names) == (0, ["a"])


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_where_the_pieces_of_a_file_end_means_nothing(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(json_text, "_PIECE_BYTES", piece)
    values = ["\\\"中'}]", 12.5, -1e-7, 123456789, True, None, {"x": [{}]}]
    path = geojson(tmp_path, [properties(a=value) for value in values], bbox=[1, 2, 3, 4], total=1234567890)
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, indent=1))
    whole = read_geojson(path, ["a"]).whole().table
    lines = [json.dumps(properties(a=value), ensure_ascii=False) for value in values]
    assert read_geojsonseq(seq(tmp_path, *lines), ["a"]).whole().table.equals(whole)
    assert whole["a"].to_pylist()[:4] == ["\\\"中'}]", "12.5", "-1e-07", "123456789"]


def test_a_value_that_does_not_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(json_text, "_PIECE_BYTES", 64)
    monkeypatch.setattr(json_text, "_LONGEST", 1000)
    with pytest.raises(UnreadableFile, match="a value in it is longer than"):
        read_geojson(geojson(tmp_path, [properties(a="x" * 5000)]), ["a"])
    with pytest.raises(UnreadableFile, match="a record in it is longer than"):
        read_geojsonseq(seq(tmp_path, "x" * 5000), ["a"])


def test_a_long_file_comes_in_batches_that_say_how_far_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH_ROWS", 4)
    monkeypatch.setattr(json_text, "_PIECE_BYTES", 100)
    features = [properties(a=n) if n != 5 else None for n in range(10)]
    batches = list(read_geojson(geojson(tmp_path, features), ["a"]).batches)
    assert [batch.rows.tolist() for batch in batches] == [[1, 2, 3, 4], [5, 7, 8], [9, 10]]
    assert [batch.broken for batch in batches] == [[], [(6, "this is no Feature but NoneType")], []]
    shares = [batch.through for batch in batches]
    assert 0.3 < shares[0] < shares[1] < shares[2] <= 1


def test_a_column_may_come_late_and_one_that_never_comes_is_named_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH_ROWS", 4)
    features = [POINT] * 9 + [properties(late="y")]
    assert read_geojson(geojson(tmp_path, features), ["late"]).whole().table["late"].to_pylist() == [None] * 9 + [
        "y"
    ]
    reading = read_geojson(geojson(tmp_path, features), ["never"])
    with pytest.raises(MissingColumn, match="no column 'never'; it has a, late, n"):
        reading.whole()


def test_a_long_file_says_its_coordinates_before_its_features(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH_ROWS", 4)
    path = tmp_path / "f.geojson"
    path.write_text(json.dumps({"features": [POINT] * 9, "crs": {"properties": {"name": "EPSG:4490"}}}))
    with pytest.raises(UnreadableFile, match=r"f\.geojson: its member 'crs' must stand before its features"):
        read_geojson(path, ["a"]).whole()


def test_a_line_that_is_no_feature_is_a_broken_row_and_a_blank_one_is_none(tmp_path):
    good = json.dumps(POINT)
    raw = read_geojsonseq(seq(tmp_path, good, "", "{oops", good, b'{"a":"\xff"}', "[]", good[:-5]), ["a"]).whole()
    assert raw.rows.tolist() == [1, 3]
    assert [(number, why.split(":")[0]) for number, why in raw.broken] == [
        (2, "this is not JSON"),
        (4, "this is not JSON"),
        (5, "this is no Feature but list"),
        (6, "this is not JSON"),
    ]


def test_a_sequence_without_any_feature_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match=r"f\.geojsonl: no feature can be read: this is not JSON"):
        read_geojsonseq(seq(tmp_path, "lon,lat", "1,2"), ["a"])


def test_a_record_between_separators_may_have_several_lines(tmp_path):
    path = tmp_path / "f.geojsons"
    path.write_text("".join(f"\x1e{json.dumps(properties(a=n), indent=2)}\n" for n in range(3)))
    assert read_geojsonseq(path, ["a"]).whole().table["a"].to_pylist() == ["0", "1", "2"]


def test_rows_that_break_for_different_reasons_are_all_told_in_their_order(tmp_path):
    circle = POINT | {"geometry": {"type": "Circle"}}
    raw = read_geojson(geojson(tmp_path, [circle, None, POINT, circle]), ["a"]).whole()
    assert [number for number, _ in raw.broken] == [1, 2, 4]
