import shutil
import sqlite3
from pathlib import Path

import pytest

from etl.readers import gdal
from etl.readers.flatgeobuf import read_flatgeobuf
from etl.readers.geopackage import read_geopackage
from layers.core.errors import UnreadableFile

FIXTURES = Path(__file__).parent / "fixtures"
ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select"


@pytest.fixture
def changed(tmp_path):
    def made(*statements):
        path = tmp_path / "f.gpkg"
        shutil.copy(FIXTURES / "towns.gpkg", path)
        database = sqlite3.connect(path)
        for (name,) in database.execute("select name from sqlite_schema where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{name}"')
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()
        return path

    return made


def test_a_layer_must_be_named_where_there_are_several_and_is_told(changed):
    path = FIXTURES / "towns.gpkg"
    assert read_geopackage(path, ["name"], "curves").told == {"layer": "curves"}
    with pytest.raises(
        UnreadableFile, match=r"towns\.gpkg: 'layer' must name one of its layers; it has curves, towns"
    ):
        read_geopackage(path, ["name"])
    with pytest.raises(UnreadableFile, match=r"towns\.gpkg: there is no layer 'roads'; it has curves, towns"):
        read_geopackage(path, ["name"], "roads")
    alone = changed("delete from gpkg_contents where table_name = 'curves'")
    assert read_geopackage(alone, ["name"]).told == {"layer": "towns"}


def test_a_curve_is_a_broken_row_and_what_is_flat_high_or_nowhere_passes():
    raw = read_geopackage(FIXTURES / "towns.gpkg", ["name"], "curves").whole()
    assert raw.table["name"].to_pylist() == ["flat", "high", "none"]
    assert [shape and shape.wkt for shape in raw.shapes] == [
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "POINT Z (1 2 3)",
        None,
    ]
    assert raw.rows.tolist() == [2, 4, 5]
    assert raw.broken == [
        (row, "geometry has curves, which are not read; make them lines first") for row in (1, 3)
    ]


@pytest.mark.parametrize("number", [0, -1])
def test_coordinates_that_nobody_knows_are_undeclared(changed, number):
    path = changed(
        f"update gpkg_geometry_columns set srs_id = {number}", f"update gpkg_contents set srs_id = {number}"
    )
    assert read_geopackage(path, ["name"], "towns").crs is None


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            ("alter table towns rename to t", f"create view towns as {ENDLESS} x fid, null geom, 'a' name from n"),
            "'towns' is a view or a virtual table",
        ),
        (
            (
                "alter table curves rename to c",
                f"create view Curves as {ENDLESS} x fid, null geom, 'a' name from n",
            ),
            "'Curves' is a view or a virtual table",
        ),
        (
            (
                "alter table gpkg_contents rename to c",
                f"create view gpkg_contents as {ENDLESS} x table_name from n",
            ),
            "'gpkg_contents' is a view or a virtual table",
        ),
        (
            ("drop table towns", "create virtual table towns using fts5(name)"),
            "'towns' is a view or a virtual table",
        ),
        (
            ("alter table towns add column x text generated always as (printf('%.*c', 1000000000, 'x'))",),
            "column 'x' of 'towns' is computed",
        ),
        (("drop table gpkg_contents",), "this GeoPackage cannot be read: no such table: gpkg_contents"),
        (("drop table towns",), "this GeoPackage cannot be read: no such table: towns"),
    ],
)
def test_what_is_not_simply_stored_is_refused(changed, statements, said):
    with pytest.raises(UnreadableFile, match=rf"f\.gpkg: {said}"):
        read_geopackage(changed(*statements), ["name"], "towns")


def test_a_view_that_is_no_layer_and_what_an_index_is_made_of_do_no_harm(changed):
    path = changed(f"create view endless as {ENDLESS} x from n", "create virtual table r using rtree(id, a, b)")
    assert len(read_geopackage(path, ["name"], "towns").whole()) == 3


def test_a_text_that_is_no_utf8_is_a_broken_row(changed):
    path = changed("update towns set name = cast(x'd6d0' as text) where fid = 2")
    raw = read_geopackage(path, ["name"], "towns").whole()
    assert raw.broken == [(2, "column 'name' is not text in utf-8")]
    assert raw.rows.tolist() == [1, 3]


def test_a_column_of_bytes_is_refused(changed):
    path = changed("alter table towns add column photo blob")
    with pytest.raises(UnreadableFile, match=r"f\.gpkg: column 'photo' holds bytes, not plain values"):
        read_geopackage(path, ["photo"], "towns")
    assert len(read_geopackage(path, ["name"], "towns").whole()) == 3


def test_a_count_that_the_file_keeps_is_not_believed(changed):
    path = changed(
        "create table gpkg_ogr_contents (table_name text primary key, feature_count integer)",
        "insert into gpkg_ogr_contents values ('towns', 100)",
    )
    assert len(read_geopackage(path, ["name"], "towns").whole()) == 3


def test_rows_that_are_not_in_the_file_yet_are_told(changed):
    path = changed()
    (path.parent / "f.gpkg-wal").write_bytes(b"x")
    with pytest.raises(UnreadableFile, match=r"f\.gpkg: f\.gpkg-wal holds rows that are not in it yet"):
        read_geopackage(path, ["name"], "towns")


def test_damage_in_the_middle_is_told(changed):
    path = changed()
    raw = bytearray(path.read_bytes())
    at = raw.index("甲乙丙".encode()) // 1024 * 1024
    raw[at : at + 1024] = b"\xff" * 1024
    path.write_bytes(raw)
    with pytest.raises(
        UnreadableFile, match=r"f\.gpkg: this GeoPackage cannot be read: database disk image is malformed"
    ):
        read_geopackage(path, ["name"], "towns")


def test_batches_number_their_rows_through_the_file_and_say_how_far_they_are(monkeypatch):
    monkeypatch.setattr(gdal, "BATCH_ROWS", 2)
    for reading in (
        read_geopackage(FIXTURES / "towns.gpkg", ["name"], "towns"),
        read_flatgeobuf(FIXTURES / "towns.fgb", ["name"]),
    ):
        batches = list(reading.batches)
        assert [batch.rows.tolist() for batch in batches] == [[1, 2], [3]]
        assert [batch.through for batch in batches] == [pytest.approx(2 / 3), 1.0]
