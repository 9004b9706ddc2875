import struct
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import CRS

from etl.datum import check_declared
from etl.readers.shapefile import read_shapefile
from layers.core.errors import BadSource, MissingColumn, UnreadableFile

TOWNS = Path(__file__).parent / "fixtures" / "towns.zip"
NAMES = ["甲乙丙", "中文名称", None]


@pytest.fixture(params=["gbk", "utf8"])
def towns(tmp_path, request):
    with zipfile.ZipFile(TOWNS) as archive:
        archive.extractall(tmp_path)
    return tmp_path / request.param / "towns.shp"


def written(folder, texts, encoding="utf-8", shapes=None, name="f.shp"):
    path = folder / name
    shapes = shapes if shapes is not None else [shapely.Point(n, n) for n in range(len(texts))]
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array(shapes)), [np.array(texts, object)], ["name"], geometry_type="Point",
        crs="EPSG:4490", driver="ESRI Shapefile", encoding=encoding,
    )  # fmt: skip
    return path


def patched(path, at, new):
    raw = bytearray(path.read_bytes())
    raw[at : at + len(new)] = new
    path.write_bytes(raw)


def names(path):
    return read_shapefile(path, ["name"]).whole().table["name"].to_pylist()


def test_texts_are_in_the_encoding_of_the_cpg_and_that_is_told(towns):
    reading = read_shapefile(towns, ["编号", "name"])
    assert reading.told == {"encoding": {"gbk": "GBK", "utf8": "UTF-8"}[towns.parent.name]}
    assert reading.whole().table.to_pydict() == {"编号": [1, 2, 3], "name": NAMES}


@pytest.mark.parametrize("word", [None, "", "System"])
def test_without_a_cpg_the_encoding_is_found_in_the_texts_and_told(towns, word):
    towns.with_suffix(".cpg").unlink()
    if word is not None:
        towns.with_suffix(".cpg").write_text(word)
    reading = read_shapefile(towns, ["编号", "name"])
    assert reading.told == {"encoding": {"gbk": "GB18030", "utf8": "UTF-8"}[towns.parent.name]}
    assert reading.whole().table.to_pydict() == {"编号": [1, 2, 3], "name": NAMES}


@pytest.mark.parametrize(
    ("word", "text"),
    [("936", "中"), ("OEM 936", "中"), ("cp936", "中"), ("GB2312", "中"), ("ANSI 1252", "é"), ("1251", "я"),
     ("ISO-8859-1", "é"), ("88591", "é"), ("8859_15", "€"), ("BIG5", "中"), ("65001", "中"), ("utf8\n", "中")],
)  # fmt: skip
def test_whatever_a_writer_calls_an_encoding_is_understood(tmp_path, word, text):
    codec = {"ANSI 1252": "cp1252", "1251": "cp1251", "ISO-8859-1": "latin-1", "88591": "latin-1"} | {
        "8859_15": "iso8859-15", "BIG5": "big5", "65001": "utf-8", "utf8\n": "utf-8",
    }  # fmt: skip
    path = written(tmp_path, ["x" * 10])
    patched(path.with_suffix(".dbf"), 66, text.encode(codec.get(word, "gbk")).ljust(10))
    path.with_suffix(".cpg").write_text(word)
    assert names(path) == [text]


@pytest.mark.parametrize("word", ["klingon", "base64", "undefined", "1", "\0"])
def test_an_encoding_that_nobody_knows_is_named(towns, word):
    towns.with_suffix(".cpg").write_text(word)
    with pytest.raises(UnreadableFile, match=r"towns\.shp: its \.cpg says '.*', which is no encoding known here"):
        read_shapefile(towns, ["name"])


def test_texts_of_no_encoding_are_refused_rather_than_garbled(tmp_path):
    path = written(tmp_path, ["Straße", "Öl", "à"], "ISO-8859-1")
    assert names(path) == ["Straße", "Öl", "à"]
    path.with_suffix(".cpg").unlink()
    with pytest.raises(UnreadableFile, match=r"has no \.cpg, and its texts are neither UTF-8 nor GB18030"):
        read_shapefile(path, ["name"])


def test_a_text_that_is_not_what_the_cpg_says_is_a_broken_row(tmp_path):
    path = written(tmp_path, ["中", "ab", "文"], "gbk")
    path.with_suffix(".cpg").write_text("UTF-8")
    raw = read_shapefile(path, ["name"]).whole()
    assert (raw.table["name"].to_pylist(), raw.rows.tolist(), len(raw.shapes)) == (["ab"], [2], 1)
    assert raw.broken == [(row, "column 'name' is not text in utf-8") for row in (1, 3)]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_character_that_the_width_of_the_column_cuts_is_left_out(tmp_path, labelled):
    path = written(tmp_path, ["中文中文", "文文文文"])
    patched(path.with_suffix(".dbf"), 66, "中文中文".encode()[:11] + b" ")
    raw = path.with_suffix(".dbf").read_bytes()
    width = raw[32 + 16]
    patched(path.with_suffix(".dbf"), 66, ("中" * width).encode()[:width])
    if not labelled:
        path.with_suffix(".cpg").unlink()
    assert names(path) == ["中" * (width // 3), "文文文文"]


@pytest.mark.parametrize("code", [4490, 4547, 4526, 4326, 3857, 4214, 4610])
def test_a_prj_of_esri_declares_the_code_that_epsg_gives_it(towns, code):
    towns.with_suffix(".prj").write_text(CRS.from_epsg(code).to_wkt("WKT1_ESRI"))
    said = read_shapefile(towns, ["name"]).crs
    check_declared(f"EPSG:{code}", said, "f")
    for other in {4490, 4326, 4214, 4547} - {code}:
        with pytest.raises(BadSource, match="but its TOML says"):
            check_declared(f"EPSG:{other}", said, "f")


def test_without_a_prj_nothing_is_declared(towns):
    towns.with_suffix(".prj").unlink()
    assert read_shapefile(towns, ["name"]).crs is None


def test_suffixes_may_be_in_capitals_and_other_files_are_not_looked_at(towns):
    for part in list(towns.parent.iterdir()):
        part.rename(part.with_suffix(part.suffix.upper()))
    (towns.parent / "towns.qix").write_bytes(b"garbage")
    assert names(towns.with_suffix(".SHP")) == NAMES


def test_the_hash_is_that_of_all_the_parts(towns):
    before = read_shapefile(towns, ["name"]).sha256
    assert read_shapefile(towns, ["name"]).sha256 == before
    patched(towns.with_suffix(".dbf"), 1, b"\x63")
    assert read_shapefile(towns, ["name"]).sha256 != before


def test_deleted_records_are_no_rows_and_the_others_keep_their_numbers(tmp_path):
    path = written(tmp_path, ["a", "b", "c"])
    header, width = struct.unpack("<HH", path.with_suffix(".dbf").read_bytes()[8:12])
    patched(path.with_suffix(".dbf"), header + width, b"*")
    raw = read_shapefile(path, ["name"]).whole()
    assert (raw.table["name"].to_pylist(), raw.rows.tolist(), raw.through) == (["a", "c"], [1, 3], 1.0)


def test_a_null_shape_is_none(tmp_path):
    raw = read_shapefile(written(tmp_path, ["a", "b"], shapes=[None, shapely.Point(1, 2)]), ["name"]).whole()
    assert [shape and shape.wkt for shape in raw.shapes] == [None, "POINT (1 2)"]


def test_a_file_without_rows_gives_one_empty_batch(tmp_path):
    raw = read_shapefile(written(tmp_path, [], shapes=[]), ["name"]).whole()
    assert (len(raw), raw.table.column_names, len(raw.shapes)) == (0, ["name"], 0)


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_missing_part_is_named(towns, part):
    towns.with_suffix(part).unlink()
    with pytest.raises(UnreadableFile, match=rf"towns\.shp: its part \{part} is missing"):
        read_shapefile(towns, ["name"])


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
@pytest.mark.parametrize("cut", [10, 110])
def test_a_part_that_is_cut_off_is_named(towns, part, cut):
    towns.with_suffix(part).write_bytes(towns.with_suffix(part).read_bytes()[:cut])
    with pytest.raises(UnreadableFile, match=rf"towns\.shp: (its part \{part} is cut off|this is no .shp)"):
        read_shapefile(towns, ["name"])


@pytest.mark.parametrize(
    ("part", "at", "new", "said"),
    [
        (".shx", 24, struct.pack(">i", 2**30), "its part .shx is cut off: it says 2147483648 bytes and has 124"),
        (".shx", 24, struct.pack(">i", -1), "its part .shx is cut off"),
        (".shx", 24, struct.pack(">i", 54), "it has 1 shapes, but 3 records"),
        (".shx", 100, struct.pack(">i", 2**30), "its part .shx puts shape 1 beyond its .shp"),
        (".shx", 112, struct.pack(">i", 2**30), "its part .shx puts shape 2 beyond its .shp"),
        (".shx", 0, b"oops", "its part .shx is of another format"),
        (".dbf", 4, struct.pack("<I", 2**31), "its part .dbf is cut off"),
        (".dbf", 4, struct.pack("<I", 2), "it has 3 shapes, but 2 records"),
        (".shp", 0, b"oops", r"this is no \.shp and no zip archive"),
    ],
)
def test_parts_that_contradict_themselves_or_each_other_are_named(towns, part, at, new, said):
    patched(towns.with_suffix(part), at, new)
    with pytest.raises(UnreadableFile, match=rf"towns\.shp: {said}"):
        read_shapefile(towns, ["name"])


def test_a_column_is_asked_for_by_its_name_in_the_files_encoding(towns):
    with pytest.raises(
        MissingColumn, match=r"towns\.shp: there is no column 'Name'; it has 编号, name, share, day"
    ):
        read_shapefile(towns, ["Name"])


def test_the_layer_of_an_archive_is_told():
    reading = read_shapefile(TOWNS, ["name"], "utf8/towns")
    assert reading.told == {"layer": "utf8/towns.shp", "encoding": "UTF-8"}
    with pytest.raises(
        UnreadableFile, match=r"towns\.zip.*must name one dataset .*: gbk/towns.shp, utf8/towns.shp"
    ):
        read_shapefile(TOWNS, ["name"])


def test_a_part_that_lacks_in_an_archive_is_named(tmp_path):
    with zipfile.ZipFile(TOWNS) as whole, zipfile.ZipFile(tmp_path / "f.zip", "w") as part:
        for name in ("gbk/towns.shp", "gbk/towns.shx"):
            part.writestr(name, whole.read(name))
    with pytest.raises(UnreadableFile, match=r"f\.zip: its part \.dbf is missing"):
        read_shapefile(tmp_path / "f.zip", ["name"])


def test_the_encoding_is_found_in_the_names_of_columns_too(tmp_path):
    path = written(tmp_path, ["a"])
    patched(path.with_suffix(".dbf"), 32, "名称".encode("gbk"))
    path.with_suffix(".cpg").unlink()
    reading = read_shapefile(path, ["名称"])
    assert reading.told == {"encoding": "GB18030"}
    assert reading.whole().table["名称"].to_pylist() == ["a"]
