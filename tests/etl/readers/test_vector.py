"""The same three towns, in every format that carries geometry, as another program wrote them."""

import shutil
import tempfile
from pathlib import Path

import pyogrio
import pytest

from etl.datum import check_declared
from etl.readers.flatgeobuf import read_flatgeobuf
from etl.readers.geojson import read_geojson, read_geojsonseq
from etl.readers.geopackage import read_geopackage
from etl.readers.geoparquet import read_geoparquet
from etl.readers.shapefile import read_shapefile
from layers.core.errors import MissingColumn, UnreadableFile

FIXTURES = Path(__file__).parent / "fixtures"
COLUMNS = ["name", "编号"]
READERS = {
    "towns.fgb": read_flatgeobuf,
    "towns.geojson": read_geojson,
    "towns.geojsonl": read_geojsonseq,
    "towns.geojsons": read_geojsonseq,
    "towns.gpkg": lambda path, columns: read_geopackage(path, columns, "towns"),
    "towns.parquet": read_geoparquet,
    "towns.zip": lambda path, columns: read_shapefile(path, columns, "gbk/towns"),
}
UNDECLARED = {"towns.geojsonl", "towns.geojsons"}


@pytest.fixture(params=READERS)
def name(request):
    return request.param


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path, monkeypatch):
    (scratch := tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield
    assert not list(scratch.iterdir())


def test_every_format_gives_the_same_rows_with_their_shapes(name):
    raw = READERS[name](FIXTURES / name, COLUMNS).whole()
    assert raw.table.column_names == COLUMNS
    towns = zip(*(raw.table[column].to_pylist() for column in COLUMNS), raw.shapes, strict=True)
    found = sorted((int(code), town or None, shape.bounds) for town, code, shape in towns)
    assert found == [
        (1, "甲乙丙", (114.1, 22.5, 114.2, 22.6)),
        (2, "中文名称", (114.2, 22.5, 114.3, 22.6)),
        (3, None, (114.3, 22.5, 114.4, 22.6)),
    ]
    assert raw.rows.tolist() == [1, 2, 3]
    assert (raw.broken, raw.through) == ([], 1.0)


def test_what_a_file_says_of_its_coordinates_is_held_against_its_toml(name):
    said = READERS[name](FIXTURES / name, COLUMNS).crs
    assert said == (None if name in UNDECLARED else "EPSG:4490")
    check_declared("EPSG:4490", said, name)


def test_dates_are_texts_that_begin_with_the_day(name):
    days = READERS[name](FIXTURES / name, ["day"]).whole().table["day"].to_pylist()
    if name != "towns.parquet":  # which has a type for it
        assert sorted(day[:10] for day in days if day) == ["2025-01-02", "2025-01-03"]


def test_a_column_that_is_not_there_is_named(name):
    with pytest.raises(MissingColumn, match=f"{name}: there is no column 'naam'; it has ") as caught:
        READERS[name](FIXTURES / name, ["naam"])
    assert "编号" in str(caught.value)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_a_truncated_file_is_named(name, share, tmp_path):
    whole = (FIXTURES / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: int(len(whole) * share)])
    if name not in UNDECLARED:
        with pytest.raises(UnreadableFile, match=name):
            READERS[name](cut, COLUMNS).whole()
    elif share <= 0.3:
        with pytest.raises(UnreadableFile, match="no feature can be read: this is not JSON"):
            READERS[name](cut, COLUMNS)
    else:  # nothing says how long a sequence is: its last line is broken
        raw = READERS[name](cut, COLUMNS).whole()
        assert [number for number, _ in raw.broken] == [len(raw) + 1]


@pytest.mark.parametrize(
    "content",
    [b"", b"lon,lat\n1,2\n", b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>', b"\0" * 4096],
)
def test_another_format_under_its_name_is_refused(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    if name in UNDECLARED and not content:  # a sequence of nothing
        assert len(READERS[name](path, COLUMNS).whole()) == 0
        return
    with pytest.raises(UnreadableFile, match=name):
        READERS[name](path, COLUMNS)


def test_a_format_is_not_taken_for_another(name, tmp_path):
    for other, reader in READERS.items():
        if other != name and not {name, other} <= UNDECLARED | {"towns.geojson"}:
            path = tmp_path / other
            shutil.copy(FIXTURES / name, path)
            with pytest.raises(UnreadableFile, match=other):
                reader(path, COLUMNS)


def test_a_collection_is_not_taken_for_a_sequence_silently():
    raw = read_geojsonseq(FIXTURES / "towns.geojson", COLUMNS).whole()
    assert len(raw) + len(raw.broken) == 10
    assert raw.broken[0] == (1, "this is not JSON: unexpected end of data: line 1 column 2 (char 1)")


def test_a_folder_and_what_is_not_there_are_no_file(name, tmp_path):
    (tmp_path / name).mkdir()
    for path in (tmp_path / name, tmp_path / "none", Path("/vsicurl/http://127.0.0.1/x"), Path("PG:dbname=x")):
        with pytest.raises(UnreadableFile, match="there is no such file"):
            READERS[name](path, COLUMNS)


@pytest.mark.parametrize("called", ["a.zip", "x!y.csv", "PG:host=x", "zip+http:", "a\nb", "名"])
def test_what_a_file_is_called_means_nothing(name, called, tmp_path):
    path = tmp_path / called
    shutil.copy(FIXTURES / name, path)
    assert len(READERS[name](path, COLUMNS).whole()) == 3


def test_a_reading_that_nobody_takes_leaves_nothing_behind(name):
    reading = READERS[name](FIXTURES / name, COLUMNS)
    del reading


def test_gdal_knows_no_format_that_follows_names():
    READERS["towns.fgb"](FIXTURES / "towns.fgb", COLUMNS)
    assert set(pyogrio.list_drivers()) == {"ESRI Shapefile", "FlatGeobuf", "GPKG", "GeoJSON"}
