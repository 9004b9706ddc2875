"""Files that cannot be taken: each fails whole, with a message that names it and what is wrong."""

import io
import os
import stat
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import console, pipeline
from layers.core.errors import EmptySnapshot, MissingColumn, TooManyBad, UnreadableFile
from tests.etl.malformed import calls, declared, fails, pointed, table
from tests.workshop import INCIDENTS, call

FIXTURES = Path(__file__).parent / "readers" / "fixtures"
HEADER = "id,kind,at,lon,lat,state,street\n"
GOOD = "c1,noise,2025-01-02,10.02,50.02,,Long Street\n"
TOWN = pointed(INCIDENTS, columns={"category": "name", "occurred_at": "day"}, key=["编号"], attributes={})
ROAD = TOWN | {"target": "roads", "columns": {"class": "class"}, "constants": {}, "key": ["id"]}
ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
PLAIN = {"format": "parquet"} | {name: INCIDENTS[name] for name in ("columns", "key", "attributes")}
VRT = "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
AS = {
    "geojson": "geojson", "geojsonl": "geojsonseq", "fgb": "flatgeobuf", "gpkg": "geopackage",
    "parquet": "geoparquet", "zip": "shapefile", "csv": "csv", "xlsx": "xlsx", "pbf": "osm",
}  # fmt: skip


def of(content, suffix, **changes):
    """A source of one file with that content, in the format that its name promises."""
    base = {"csv": INCIDENTS, "xlsx": INCIDENTS, "pbf": ROAD | {"kind": "roads"}}.get(suffix, TOWN)

    def make(town):
        town.write(f"input.{suffix}", content)
        return declared(town, base, **({"file": f"input.{suffix}", "format": AS[suffix]} | changes))

    return make


def cut(name):
    whole = (FIXTURES / name).read_bytes()
    return whole[: len(whole) * 6 // 10]


def parquet(columns, geo=None):
    rows = pa.table({name: [value] for name, value in call().items()} | columns)
    out = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata({b"geo": geo} if geo else None), out)
    return out.getvalue()


def zipped(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def linked(name):
    link = zipfile.ZipInfo(name)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


def without(part):
    with zipfile.ZipFile(FIXTURES / "towns.zip") as archive:
        return zipped(*[(n, archive.read(n)) for n in archive.namelist() if n.startswith("gbk") and part not in n])


BROKEN = table(
    ("a FlatGeobuf is cut off", of(cut("towns.fgb"), "fgb"), "breaks off: only 0 of 3 rows"),
    ("a GeoPackage is cut off", of(cut("towns.gpkg"), "gpkg", layer="towns"), "GeoPackage cannot be read"),
    ("a GeoJSON is cut off", of(cut("towns.geojson"), "geojson"), "after item 1 of 'features': it is cut off"),
    ("a GeoJSONSeq is cut off in its first line", of(b'{"type": "Fea', "geojsonl"), "no feature can be read"),
    ("a GeoParquet is cut off", of(cut("towns.parquet"), "parquet"), "GeoParquet cannot be read"),
    ("a Parquet is cut off", of(cut("towns.parquet"), "parquet", **PLAIN), "Parquet cannot be read"),
    ("a zip archive is cut off", of(cut("towns.zip"), "zip"), "zip archive cannot be read"),
    ("a workbook is cut off", of(cut("calls_1900.xlsx"), "xlsx"), "truncated or damaged"),
    ("an OSM extract is cut off", of(cut("crossroads.osm.pbf"), "pbf"), "PBF cannot be read"),
    ("a CSV is cut off in a quote", of(HEADER + GOOD + '"c2,noi', "csv"), "row 2: a quote is never closed"),
    *[(f"an empty file is called {suffix}", of(b"", suffix), r"input\." + suffix)
      for suffix in AS if suffix != "geojsonl"],
    *[(f"NUL bytes are called {suffix}", of(bytes(4096), suffix), r"input\." + suffix) for suffix in AS],
    *[(f"a VRT that leads to another file is called {suffix}", of(VRT, suffix), r"input\." + suffix)
      for suffix in AS],
    ("a KML with an entity is called GeoJSON", of(ENTITY + "<kml>&e;</kml>", "geojson"), "< stands where { is"),
    ("an SVG with an entity is called XLSX", of(ENTITY + "<svg>&e;</svg>", "xlsx"), "HTML or XML, not XLSX"),
    ("a GML with an entity is called FlatGeobuf", of(ENTITY + "<gml>&e;</gml>", "fgb"), "no FlatGeobuf"),
    ("a workbook is called CSV", of((FIXTURES / "calls_1900.xlsx").read_bytes(), "csv"), "this is no text"),
    ("a page to log in is called CSV", of("<html>log in</html>", "csv"), "no column 'at'; it has <html>"),
    ("a GeoJSON is called a shapefile", of(b'{"type": "FeatureCollection"}', "zip"), r"no \.shp and no zip"),
    ("a CSV is in Latin-1", of((HEADER + GOOD + "Straße").encode("latin-1"), "csv"), "line 3 is not UTF-8"),
    ("a CSV is in UTF-32", of((HEADER + GOOD).encode("utf-32"), "csv"), "in UTF-32, which is not read"),
    ("a CSV is in UTF-16 without a mark", of((HEADER + GOOD).encode("utf-16-le"), "csv"), "this is no text"),
    ("a CSV has half a surrogate pair", of(HEADER.encode() + b"\xed\xa0\x80\n", "csv"), "neither UTF-8 .*line 2"),
    ("a GeoJSON is in GBK", of('{"街": 1}'.encode("gbk"), "geojson"), "it is not in UTF-8"),
    ("a GeoJSON is nested without end", of('{"features": [' + "[" * 100_000, "geojson"), "nested too deep"),
    ("a GeoJSON holds a number without end", of('{"features": [' + "9" * 5000 + "]}", "geojson"), "4300 digits"),
    ("a GeoJSON goes on after its end", of('{"features": []}]', "geojson"), "something stands after its end"),
    ("a GeoJSON has no features", of('{"type": "Topology"}', "geojson"), "it has no list 'features'"),
    ("a GeoJSON names its coordinates by half a surrogate pair",
     of('{"crs": "\\ud800", "features": []}', "geojson"), "PROJ does not know what it says"),
    ("a CSV has no header", of("c1,张先生,13800138000\n", "csv"), r"it has c1, \[name\]先生, \[phone\]$"),
    ("a CSV lacks a column", of(HEADER.replace("lat", "y"), "csv"), "no column 'lat'; it has id, kind, at, lon, y"),
    ("a CSV has a column twice", of(HEADER.replace("state", "lon"), "csv"), "column 'lon' stands 2 times"),
    ("a column is called by a NUL", of('{"features": [{"type": "Feature", "properties": {"a\\u0000": 1}}]}', "geojson"),
     "no column 'day'; it has a\N{REPLACEMENT CHARACTER}"),
    ("a Parquet column holds lists", of(parquet({"street": [[1]]}), "parquet", **PLAIN), "column 'street' holds list"),
    ("a Parquet column holds bytes", of(parquet({"street": [b"\xff"]}), "parquet", **PLAIN), "cannot be read.*UTF8"),
    ("a GeoParquet's geometry is a number",
     of(parquet({"name": ["a"], "day": ["b"], "编号": [1], "g": [1]},
                b'{"primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}'), "parquet"),
     "column 'g' holds int64, not WKB"),
    ("a GeoParquet is encoded as nobody knows",
     of(parquet({"g": [1]}, b'{"primary_column": "g", "columns": {"g": {"encoding": "\\u0000\\ud800"}}}'), "parquet"),
     "encoded as \N{REPLACEMENT CHARACTER}{2}; only WKB is read"),
    ("a zip archive is a bomb", of(zipped(("a.shp", bytes(10_000_000))), "zip"), "like a zip bomb"),
    ("a zip archive leads out of its folder", of(zipped(("../a.shp", "")), "zip"), r"'\.\./a\.shp' would leave"),
    ("a zip archive is nested", of(zipped(("a.shp", ""), ("b.zip", "")), "zip"), "an archive in the archive"),
    ("a zip archive holds a link", of(zipped((linked("a.shp"), "/etc/passwd")), "zip"), "is a symbolic link"),
    ("a zip archive holds too many", of(zipped(*[(f"{n}", "") for n in range(201)]), "zip"), "201 members"),
    ("a zip archive holds no shapefile", of(zipped(("a.txt", "")), "zip"), "of those in it: none"),
    ("a zip archive holds two shapefiles", of((FIXTURES / "towns.zip").read_bytes(), "zip"), "gbk/.*, utf8/"),
    ("a shapefile has no dbf", of(without(".dbf"), "zip"), r"its part \.dbf is missing"),
    ("a workbook has no such sheet", of((FIXTURES / "calls_1900.xlsx").read_bytes(), "xlsx", layer="x"), "no sheet 'x'"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "said"), BROKEN)
def test_the_file_fails_whole_when(shared_town, make, said):
    before = time.monotonic()
    fails(shared_town, make, said)
    assert time.monotonic() - before < 10


def named(name, lay=None):
    """A source of a file of that name, which `lay` puts there."""

    def make(town):
        if lay is not None:
            lay(town.folder / name)
        return declared(town, INCIDENTS, file=name)

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    table(
        ("nothing is there", named("calls.csv"), "there is no such file"),
        ("it is a folder", named("calls.csv", Path.mkdir), "there is no such file"),
        ("it is a pipe, which would never end", named("calls.csv", os.mkfifo), "there is no such file"),
        ("it is a link to itself", named("a.csv", lambda path: path.symlink_to(path)), "there is no such file"),
        ("its name is longer than any may be", named("n" * 300), "there is no such file"),
    ),
)
def test_the_file_is_none_when(shared_town, make, said):
    fails(shared_town, make, said, UnreadableFile)


def test_a_file_called_in_another_encoding_is_named(shared_town):
    shared_town.folder.joinpath("calls_\udcbd.csv").write_text(HEADER + GOOD)
    fails(shared_town, named("calls_*.csv"), "calls_\N{REPLACEMENT CHARACTER}.csv: its name is not in UTF-8")


def test_a_file_that_its_user_may_not_read_is_named(shared_town, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    fails(shared_town, calls({}), "it may not be read by the user")


@pytest.mark.parametrize(
    ("name", "recorded"),
    table(
        ("a line break", "a\nb.csv", "a b.csv"),
        ("a sign that turns its direction", "a\u202evsc.csv", "a\N{REPLACEMENT CHARACTER}vsc.csv"),
        ("250 characters", "n" * 246 + ".csv", "n" * 246 + ".csv"),
        ("signs of a terminal", "a\x1b]0;b.csv", "a\N{REPLACEMENT CHARACTER}]0;b.csv"),
    ),
)
def test_a_file_lands_whatever_its_name_holds(shared_town, name, recorded):
    shared_town.write(name, HEADER + GOOD)
    result = shared_town.run(declared(shared_town, INCIDENTS, file=name))
    assert result.account.inserted == 1
    found = shared_town.rows("select file_name from onemap.run where run_id = %s", result.run_id)
    assert found == [{"file_name": recorded}]


def test_a_name_is_shown_as_it_is_and_gives_a_terminal_no_orders(shared_town, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    path = shared_town.write("a[red]\x1b[2J.csv", HEADER + GOOD)
    source = declared(shared_town, INCIDENTS)
    shared_town.write_words()
    console.accounts(pipeline.run(shared_town.url, shared_town.city, source, shared_town.clock, path=path))
    assert "a[red]\N{REPLACEMENT CHARACTER}[2J.csv" in capsys.readouterr().out


def test_a_pattern_that_no_file_fits_fails_by_its_name(shared_town):
    with pytest.raises(UnreadableFile, match=r"calls_\*\.csv: no file fits this pattern"):
        shared_town.run(declared(shared_town, INCIDENTS, file="calls_*.csv"))


@pytest.mark.parametrize("suffix", ["csv", "geojson", "geojsonl"])
def test_a_snapshot_without_rows_would_delete_everything(shared_town, suffix):
    content = {"csv": HEADER, "geojson": '{"features": []}', "geojsonl": ""}[suffix]
    fails(shared_town, of(content, suffix, mode="snapshot"), "it has no rows", EmptySnapshot)


def test_more_bad_rows_than_allowed_fail_the_file_and_keep_their_quarantine(shared_town):
    source = calls({}, {"kind": "?"}, {"kind": "?"}, max_quarantined=0.5)(shared_town)
    with pytest.raises(TooManyBad, match=r"calls\.csv: 2 of 3 rows did not pass") as caught:
        shared_town.run(source)
    assert list(shared_town.reasons(caught.value.context["run"])) == [2, 3]
    assert not shared_town.rows("select from onemap.incident where source = %s", source.id)


def test_a_missing_column_is_an_error_of_its_own_kind(shared_town):
    fails(shared_town, of(HEADER.replace("at", "when"), "csv"), "no column 'at'", MissingColumn)
