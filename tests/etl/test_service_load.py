"""Service load from a file into its table: what is refused, and what of it is hidden."""

import pytest

from layers.core.errors import BadSource, UnreadableFile
from tests.workshop import AREAS, COMMON, tree

FIELDS = ("level", "area", "class", "since", "until", "due", "done", "link")
LOAD = COMMON | {
    "id": "care_office",
    "target": "service_load",
    "file": "load.csv",
    "format": "csv",
    "columns": {name: name for name in FIELDS},
}
LINK = "https://office.example/care/2025-01"
STORED = """select area.code, class, due, done, hidden from onemap.service_load
join onemap.area using (area_id) order by since, class, level_rank, area.code"""


def count(area="V1", due="40", done="20", **changes):
    row = {"level": "district" if area == "D" else "village", "area": area, "class": "care", "since": "2025-01-01",
           "until": "2025-02-01", "due": due, "done": done, "link": LINK}  # fmt: skip
    return row | changes


@pytest.fixture
def load(town):
    town.geojson("tree.geojson", tree())
    town.run(town.source(AREAS))

    def made(*rows, **changes):
        town.csv("load.csv", rows)
        return town.run(town.source(LOAD, **changes))

    return made


def stored(town):
    return [tuple(row.values()) for row in town.rows(STORED)]


def test_counts_land_and_small_ones_are_hidden_with_what_would_tell_them(town, load):
    found = load(
        count("D", "64", "30"), count("V1", "60", "28"), count("V2", "4", "2"), count("V2", **{"class": "visit"})
    )
    assert (found.account.inserted, found.account.balanced) == (4, True)
    assert stored(town) == [
        ("D", "care", 64, 30, False),
        ("V1", "care", 60, 28, True),
        ("V2", "care", 4, 2, True),
        ("V2", "visit", 40, 20, False),
    ]
    assert town.rows("select distinct link from onemap.service_load") == [{"link": LINK}]
    again = load(count("D", "80", "50"), count("V1", "60", "28"), count("V2", "20", "10"))
    assert (again.account.updated, again.account.unchanged) == (2, 1)
    assert [row[4] for row in stored(town)] == [False] * 4
    assert load(count("V1", "60", "28"), mode="snapshot").account.deleted == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"level": "grid", "area": "V1G1"}, "level 'grid' is not known"),
        ({"area": "V9"}, "there is no such area of that level"),
        ({"class": "ex-convict"}, "class 'ex-convict' is not known"),
        ({"due": ""}, "due is missing"),
        ({"due": "-1"}, "due is below zero"),
        ({"due": "4.5"}, "due '4.5' is not a whole number"),
        ({"done": "41"}, "more is done than is due"),
        ({"until": "2025-01-01"}, "since is not before until"),
        ({"link": "https://office.example/x?id=11010519491231002X"}, "link names a person"),
        ({"link": "https://office.example/x/20250117"}, "link holds a long number"),
        ({"link": "https://zhang@office.example/"}, "link is no http or https address without a name in it"),
        ({"since": "2025-01-15"}, "its period cuts across another one"),
    ],
)
def test_a_row_that_could_be_more_than_a_count_is_quarantined_with_its_reason(town, load, changes, reason):
    load(count("V2"))
    account = load(count("V1") | changes).account
    assert (account.rows_read, account.quarantined, account.balanced) == (1, 1, True)
    (row,) = town.rows("select reasons from onemap.quarantine")
    assert any(reason in each for each in row["reasons"]), row
    assert [row[0] for row in stored(town)] == ["V2"]


def test_a_file_with_any_further_column_is_refused_whole(town, load):
    with pytest.raises(UnreadableFile, match="columns that may not be there: address, name"):
        load(count() | {"name": "x", "address": "y"})
    assert stored(town) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": LOAD["columns"] | {"name": "name"}}, "service_load have no field 'name'"),
        ({"attributes": {"note": "note"}}, "service_load keep none"),
        ({"format": "push", "file": None}, "service_load comes as csv, tsv, xlsx or parquet"),
        ({"key": ["area"]}, "key"),
    ],
)
def test_a_source_cannot_ask_for_more_than_counts(town, changes, said):
    with pytest.raises(BadSource, match=said):
        town.source(LOAD, **changes)
