import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from etl.datum import check_declared
from etl.readers.geoparquet import read_geoparquet
from layers.core.errors import BadSource, MissingColumn, UnreadableFile

TOWNS = Path(__file__).parent / "fixtures" / "towns.parquet"
CURVE = bytes.fromhex(
    "01080000000300000000000000000000000000000000000000000000000000f03f000000000000f03f00000000000000400000000000000000"
)


def geoparquet(folder, shapes=None, geo=None, **about):
    path = folder / "f.parquet"
    blobs = shapes or [shapely.to_wkb(shapely.Point(1, 2))]
    column = {"encoding": "WKB", "geometry_types": []} | about
    geo = geo if geo is not None else {"version": "1.1.0", "primary_column": "g", "columns": {"g": column}}
    table = pa.table({"a": pa.array(range(len(blobs))), "g": pa.array(blobs, pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def test_the_primary_geometry_is_told():
    assert read_geoparquet(TOWNS, ["name"]).told == {"geometry": "geometry"}


@pytest.mark.parametrize(
    ("about", "crs"),
    [
        ({}, "OGC:CRS84"),
        ({"crs": None}, None),
        ({"crs": {"id": {"authority": "EPSG", "code": 4490}}}, "EPSG:4490"),
        ({"crs": "EPSG:4490"}, "EPSG:4490"),
    ],
)
def test_silence_is_crs84_and_null_is_nothing(tmp_path, about, crs):
    assert read_geoparquet(geoparquet(tmp_path, **about), ["a"]).crs == crs


def test_crs84_is_epsg_4326(tmp_path):
    check_declared("EPSG:4326", read_geoparquet(geoparquet(tmp_path), ["a"]).crs, "f")


def test_coordinates_without_a_code_are_given_whole(tmp_path):
    long = CRS.from_epsg(4490).to_json_dict()
    del long["id"]
    said = read_geoparquet(geoparquet(tmp_path, crs=long), ["a"]).crs
    check_declared("EPSG:4490", said, "f")


def test_a_shape_that_cannot_be_read_is_a_broken_row(tmp_path):
    good = shapely.to_wkb(shapely.Point(1, 2))
    for bad, reason in (
        (b"\x01\x01", "geometry cannot be read: Unexpected EOF parsing WKB"),
        (CURVE, "geometry has curves, which are not read; make them lines first"),
        (
            b"\x01\x03\0\0\0\xff\xff\xff\x7f",
            "geometry cannot be read: Input buffer is smaller than requested object size",
        ),
    ):
        raw = read_geoparquet(geoparquet(tmp_path, [good, bad, None, good]), ["a"]).whole()
        assert raw.table["a"].to_pylist() == [0, 2, 3]
        assert raw.rows.tolist() == [1, 3, 4]
        assert [shape is None for shape in raw.shapes] == [False, True, False]
        assert raw.broken == [(2, reason)]


@pytest.mark.parametrize(
    ("geo", "said"),
    [
        ({}, "its 'geo' metadata do not describe 'None'"),
        ({"primary_column": "h", "columns": {"g": {"encoding": "WKB"}}}, "its 'geo' metadata do not describe 'h'"),
        ({"primary_column": "g", "columns": {"g": {"encoding": "point"}}}, "encoded as point; only WKB is read"),
        ([], "this is no GeoParquet: it has no 'geo' metadata"),
    ],
)
def test_metadata_that_cannot_be_followed_are_named(tmp_path, geo, said):
    with pytest.raises(UnreadableFile, match=rf"f\.parquet: .*{said}"):
        read_geoparquet(geoparquet(tmp_path, geo=geo), ["a"])


def test_parquet_without_metadata_is_no_geoparquet(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "f.parquet")
    with pytest.raises(UnreadableFile, match=r"f\.parquet: this is no GeoParquet: it has no 'geo' metadata"):
        read_geoparquet(tmp_path / "f.parquet", ["a"])


def test_the_geometry_is_no_plain_value(tmp_path):
    with pytest.raises(UnreadableFile, match="column 'g' is its geometry"):
        read_geoparquet(geoparquet(tmp_path), ["g"])
    geo = {"primary_column": "h", "columns": {"h": {"encoding": "WKB"}}}
    with pytest.raises(MissingColumn, match="there is no column 'h'; it has a, g"):
        read_geoparquet(geoparquet(tmp_path, geo=geo), ["a"])


def test_coordinates_in_the_words_of_esri_are_those_that_epsg_numbers(tmp_path):
    said = read_geoparquet(geoparquet(tmp_path, crs=CRS.from_epsg(4547).to_wkt("WKT1_ESRI")), ["a"]).crs
    check_declared("EPSG:4547", said, "f")
    with pytest.raises(BadSource, match="but its TOML says EPSG:4490"):
        check_declared("EPSG:4490", said, "f")
