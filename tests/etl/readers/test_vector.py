import json
import zipfile

import pytest
import shapely

from etl.readers.vector import read_geojson
from layers.core.errors import MissingColumn, UnreadableFile

POINT = {"type": "Feature", "properties": {"a": "x", "n": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}


def geojson(folder, features, name="f.geojson", **members):
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection"} | members | {"features": features}))
    return path


def test_geojson_gives_the_columns_asked_for_and_its_geometry(tmp_path):
    nowhere = POINT | {"geometry": None}
    raw = read_geojson(geojson(tmp_path, [POINT, nowhere]), ["a"])
    assert raw.table.to_pydict() == {"a": ["x", "x"]}
    assert raw.rows.tolist() == [1, 2]
    assert shapely.to_wkt(raw.shapes[0]) == "POINT (1 2)"
    assert raw.shapes[1] is None


def test_times_stay_as_they_are_written(tmp_path):
    feature = POINT | {"properties": {"t": "2025-01-01T00:00:00+08:00"}}
    assert read_geojson(geojson(tmp_path, [feature]), ["t"]).table["t"].to_pylist() == [
        "2025-01-01T00:00:00+08:00"
    ]


def test_only_what_the_file_itself_says_is_its_crs(tmp_path):
    utm = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    assert read_geojson(geojson(tmp_path, [POINT]), ["a"]).crs is None
    assert read_geojson(geojson(tmp_path, [POINT], crs=utm), ["a"]).crs == "EPSG:32632"


def test_another_format_is_not_guessed(tmp_path):
    path = tmp_path / "f.geojson"
    path.write_text("lon,lat,a\n1,2,x\n")
    with pytest.raises(UnreadableFile, match=r"f\.geojson: this GeoJSON cannot be read"):
        read_geojson(path, ["a"])


@pytest.mark.parametrize("name", ["g.zip", "g"])
def test_no_archive_is_looked_into(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.write(geojson(tmp_path, [POINT]), "f.geojson")
    with pytest.raises(UnreadableFile, match=r"g(\.zip)?: (this|a) GeoJSON"):
        read_geojson(tmp_path / name, ["a"])


def test_truncated_geojson_is_named(tmp_path):
    path = geojson(tmp_path, [POINT] * 20)
    path.write_text(path.read_text()[:-200])
    with pytest.raises(UnreadableFile, match=r"f\.geojson: this GeoJSON cannot be read"):
        read_geojson(path, ["a"])


def test_a_property_that_no_feature_has_is_named(tmp_path):
    with pytest.raises(MissingColumn, match="no column 'b'; it has a, n"):
        read_geojson(geojson(tmp_path, [POINT]), ["b"])
