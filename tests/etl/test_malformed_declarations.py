"""A source's TOML that cannot be followed: it is refused by file and key before anything is read."""

import pytest

from etl.spec import Source
from layers.core.errors import BadSource, UnknownDatum, UnreadableFile
from tests.etl.malformed import calls, fails, table
from tests.workshop import INCIDENTS

COLUMNS = INCIDENTS["columns"]


@pytest.mark.parametrize(
    ("changes", "said"),
    table(
        ("a key is unknown", {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ("a key is missing", {"datum": None}, "datum: Field required"),
        ("a value is of another type", {"max_quarantined": "0.5"}, "max_quarantined: Input should be a valid number"),
        ("a share is above one", {"max_quarantined": 2}, "max_quarantined: Input should be less than or equal to 1"),
        ("columns are a list", {"columns": ["id"]}, "columns: Input should be a valid dictionary"),
        ("a field is unknown", {"columns": COLUMNS | {"phone": "phone"}}, "incidents have no field 'phone'"),
        ("a field is missing", {"columns": {"category": "kind", "lon": "lon", "lat": "lat"}},
         "field 'occurred_at' is missing"),
        ("a field is a constant too", {"constants": {"origin": "citizen", "state": "x"}}, "'state' is a column too"),
        ("lat is missing", {"columns": {k: v for k, v in COLUMNS.items() if k != "lat"}}, "lon and lat go together"),
        ("a format is unknown", {"format": "kml"}, "format: Input should be 'geojson'"),
        ("a zone is unknown", {"time_zone": "Mars/North"}, "time_zone: 'Mars/North' is not a time zone"),
        ("a zone is a folder", {"time_zone": "Asia"}, "time_zone: 'Asia' is not a time zone"),
        ("a schedule is none", {"schedule": "every day"}, "schedule: 'every day' is no cron line"),
        ("a scope begins at no time", {"mode": "snapshot", "scope": {"since": "soon"}}, "scope.since: 'soon' is not"),
        ("only a snapshot has a scope", {"scope": {"since": "2025-01-01"}}, "scope: only a snapshot of incidents"),
        ("a snapshot is of many files", {"mode": "snapshot", "file": "*.csv"}, "file: a snapshot is one file"),
        ("tombstones come without changes", {"columns": COLUMNS | {"deleted": "d"}}, "only mode 'changes' has"),
        ("versions come without a key", {"columns": COLUMNS | {"version": "v"}, "key": []}, "key: states of a row"),
        ("a file is a feed too", {"feed": {"url": "https://example.org"}}, "feed: a csv source has none"),
        ("a column is called by a NUL", {"columns": COLUMNS | {"state": "a\0"}}, "it holds a NUL character"),
    ),
)  # fmt: skip
def test_a_declaration_is_refused_when(shop, changes, said):
    with pytest.raises(BadSource) as caught:
        shop.source(INCIDENTS, **changes)
    assert str(caught.value).startswith(str(shop.folder / "sources"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    table(
        ("two columns are named for one field", '"lon" = "lon"', '"lon" = "lon", "lon" = "x"', "Duplicate inline table key"),
        ("a key stands twice", "mode =", 'mode = "append"\nmode =', "Cannot overwrite a value"),
        ("an id leads elsewhere", '"calls"', '"../../etc/x"', "id: String should match pattern"),
        ("a line breaks off", 'licence = "none"', "licence = ", "is not TOML: Invalid value"),
        ("it is in another encoding", "made up", "\udcff", "is not TOML: 'utf-8' codec"),
        ("it is nested without end", 'licence = "none"', "licence = " + "[" * 5000, "is not TOML"),
    ),
)  # fmt: skip
def test_a_toml_is_refused_when(shop, old, new, said):
    text = shop.source(INCIDENTS).path.read_text()
    path = shop.write("sources/calls.toml", text.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(BadSource) as caught:
        Source.load(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_toml_may_begin_with_a_byte_order_mark(shop):
    source = shop.source(INCIDENTS)
    assert Source.load(shop.write("sources/calls.toml", b"\xef\xbb\xbf" + source.path.read_bytes())) == source


@pytest.mark.parametrize(
    ("datum", "said"),
    table(
        ("it is unknown to PROJ", "EPSG:999999", "PROJ does not know EPSG:999999"),
        ("it is no code", "wgs84", "'wgs84' is no datum known here"),
        ("it counts from the middle of the earth", "EPSG:4978", "Geocentric CRS: it has no places on a map"),
        ("it is a height", "EPSG:5773", "Vertical CRS: it has no places on a map"),
    ),
)
def test_a_datum_is_refused_when(shared_town, datum, said):
    source = calls({}, datum=datum)(shared_town)
    with pytest.raises(UnknownDatum, match=said):
        shared_town.run(source)
    assert not shared_town.rows("select from onemap.incident where source = %s", source.id)


@pytest.mark.parametrize(
    ("pattern", "kind", "said"),
    table(
        ("no file fits it", "calls_*.csv", UnreadableFile, r"calls_\*\.csv: no file fits this pattern"),
        ("it is absolute", "/etc/*.csv", BadSource, "file: Non-relative patterns are unsupported"),
        ("it has ** within a name", "a**.csv", BadSource, "file: Invalid pattern"),
    ),
)
def test_a_pattern_is_refused_when(shop, pattern, kind, said):
    with pytest.raises(kind, match=said):
        shop.source(INCIDENTS, file=pattern).files(shop.folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    table(
        (
            "a column is called by nothing",
            {"columns": COLUMNS | {"state": ""}},
            "there is no column ''; it has id",
        ),
        ("its key is not in the file", {"key": ["number"]}, "there is no column 'number'; it has id"),
        ("its format is another", {"format": "geojson"}, "this GeoJSON cannot be read"),
    ),
)
def test_a_file_fails_whole_when(shared_town, changes, said):
    fails(shared_town, calls({}, **changes), said)


def test_a_code_that_the_city_does_not_know_is_told_row_by_row(shared_town):
    result = shared_town.run(calls({}, values={"category": {"noise": "uproar"}})(shared_town))
    assert shared_town.reasons(result.run_id) == {1: ["category 'uproar' is not known"]}
