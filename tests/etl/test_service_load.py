"""Service load from a file into its table: what is refused, and what of it is hidden."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from etl import service_kind
from layers.core.audience import FEWEST
from layers.core.db import connect
from layers.core.errors import BadSource, UnreadableFile
from tests.reckoner import families, solved, unsaid
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


def test_what_one_source_hides_the_total_of_another_does_not_tell_whichever_comes_first(town, load):
    load(count("V1", "60", "28"), count("V2", "4", "2"))
    assert [row[4] for row in stored(town)] == [False, True]
    load(count("D", "64", "30"), id="registry", file="load.csv")
    assert [(row[0], row[4]) for row in stored(town)] == [("D", False), ("V1", True), ("V2", True)]
    # The same counted twice and not alike: what is left over is near the truth, or all of it.
    load(count("D", "65", "30"), id="third", file="load.csv")
    assert {(row[0], row[4]) for row in stored(town)} >= {("D", True), ("V2", True)}
    assert ("D", False) not in {(row[0], row[4]) for row in stored(town)}


@pytest.mark.parametrize("below", ["(,2025-03-01)", "[2025-01-10,2025-01-20)"])
def test_counts_are_guarded_below_the_area_that_theirs_lay_in_then(town, load, below):
    with connect(town.url) as connection:  # at any other time they lie nowhere below D
        connection.execute(
            """with moved as (
              update onemap.area_version set valid = %(below)s where parent_id is not null
              returning area_id, geom, run_id
            ) insert into onemap.area_version (area_id, parent_id, valid, geom, run_id)
            select area_id, null, other, geom, run_id from moved, (
              select unnest(tstzmultirange(tstzrange(null, null)) - tstzmultirange(%(below)s::tstzrange)) as other
            ) others""",
            {"below": below},
        )
    load(count("D", "100", "50"), count("V1", "96", "48"), count("V2", "4", "2"))
    assert [row[4] for row in stored(town)] == [False, True, True]


@pytest.mark.parametrize("seed", range(6))
def test_nobody_reckons_out_a_hidden_count_from_what_the_room_reads_of_all_sources_periods_and_trees(
    town, load, seed
):
    chance = random.Random(seed)
    months = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    with connect(town.url) as connection:
        areas = {
            row["code"]: row["area_id"] for row in connection.execute("select code, area_id from onemap.area")
        }
        for _ in range(8):
            move(connection, chance, areas, months)
            connection.execute("delete from onemap.service_load")
            for at, name, kind, source in product(range(3), sorted(areas), ("care", "visit"), ("a", "b")):
                if chance.random() < (0.8 if source == "a" else 0.3):
                    done, left = chance.choices([0, 4, 10, 25, 25, 60, 60], k=2)
                    connection.execute(
                        """insert into onemap.service_load (source, source_key, area_id, class, since, until, due,
                          done, content_hash, run_id) values (%s, %s, %s, %s, %s, %s, %s, %s, '', 1)""",
                        [source, f"{name}{kind}{at}", areas[name], kind, *months[at : at + 2], done + left, done],
                    )
            service_kind.hide(connection)
            rows = connection.execute("select * from onemap.service_load").fetchall()
            connection.execute("select set_config('onemap.area_id', '', true)")
            connection.execute("set local role onemap_room")
            seen = connection.execute("select * from onemap.service_figure").fetchall()
            connection.execute("reset role")
            for kind, at in product(("care", "visit"), range(3)):
                reckoned(connection, rows, seen, kind, *months[at : at + 2])


def move(connection, chance, areas, months):
    """Have some areas lie below others, from some day on."""
    connection.execute(
        """delete from onemap.area_version where area_version_id not in (
          select min(area_version_id) from onemap.area_version group by area_id)"""
    )
    connection.execute("update onemap.area_version set valid = tstzrange(null, null)")
    order = sorted(areas, key=lambda code: (len(code), code))
    for place, code in enumerate(order[1:], 1):
        if chance.random() < 0.4:
            edge = chance.choice(months) + timedelta(days=chance.choice([0, 10]))
            connection.execute(
                "update onemap.area_version set valid = tstzrange(null, %s) where area_id = %s",
                [edge, areas[code]],
            )
            connection.execute(
                """insert into onemap.area_version (area_id, parent_id, valid, geom, run_id)
                select area_id, %s, tstzrange(%s, null), geom, run_id from onemap.area_version where area_id = %s""",
                [areas[chance.choice(order[:place])], edge, areas[code]],
            )


def reckoned(connection, rows, seen, kind, since, until):
    """Nothing that is hidden of a class and period is determined in the tree of any of its days, or of today."""
    told, shown = defaultdict(set), defaultdict(set)
    for found, given in ((told, rows), (shown, seen)):
        for row in given:
            if (row["class"], row["since"]) == (kind, since):
                found[row["area_id"]].add((row["due"], row["done"]))
    hidden = {area_id for area_id, pairs in shown.items() if (None, None) in pairs}
    for area_id, pairs in shown.items():
        assert pairs == ({(None, None)} if area_id in hidden else told[area_id]), (
            "hidden of one source, hidden of all"
        )
        assert area_id in hidden or not any(0 < n < FEWEST for due, done in pairs for n in (due, done, due - done))
    ids = sorted(told)
    places = {ids.index(area_id) for area_id in hidden}
    for day in (
        *(since + timedelta(days=day) for day in range((until - since).days)),
        datetime(2030, 1, 1, tzinfo=UTC),
    ):
        tree = tree_of(connection, ids, day)
        small, contradicting = unsaid(tree, [told[area_id] for area_id in ids], FEWEST)
        assert solved(tree, places, small) == set()
        for each in contradicting:
            assert each in places or not places & set(families(tree)[each])


def tree_of(connection, ids, day):
    """The place in `ids` of the nearest of them above each on a day, none where there is none."""
    query = "select area_id, parent_id from onemap.area_version where valid @> %s"
    above = {row["area_id"]: row["parent_id"] for row in connection.execute(query, [day])}
    tree = []
    for area_id in ids:
        parent = above[area_id]
        while parent is not None and parent not in ids:
            parent = above[parent]
        tree.append(None if parent is None else ids.index(parent))
    return tree


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
