"""Chicago, the city of four levels: its folder is built from data that are not shipped, and loads.

The figures are those that the data's own notes and an independent count give.
"""

import csv
import json
import os
import re
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from etl import pipeline, vocabulary
from etl.load import stored
from etl.spec import sources
from etl.tag import NOWHERE, finest_area
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.migrate import migrate

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CHICAGO_DATA", ROOT.parent / "shared" / "data"))
GOLDEN = DATA / "reference" / "golden_chicago_2018_beats.csv"
BEATS = 275

pytestmark = pytest.mark.skipif(
    not (DATA / "chicago").is_dir(), reason=f"the data sets are not in {DATA}; CHICAGO_DATA names their folder"
)


@pytest.fixture(scope="module")
def build():
    return runpy.run_path(str(ROOT / "data" / "chicago" / "build.py"))["main"]


@pytest.fixture(scope="module")
def folder(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cities") / "chicago"
    build(folder, DATA)
    return folder


@pytest.fixture(scope="module")
def city(folder):
    return City.load(folder)


@pytest.fixture(scope="module")
def areas(folder):
    return json.loads((folder / "areas.geojson").read_text("utf-8"))["features"]


@pytest.fixture(scope="module")
def sample(folder):
    """Every twentieth row of 2002, and all of its rows that are a trap: far away, or of a case that stands twice."""
    year = pq.read_table(folder / "incidents_2002.parquet")
    cases = pc.value_counts(year["case_number"].combine_chunks())
    twice = cases.field("values").filter(pc.greater(cases.field("counts"), 1))
    chosen = np.zeros(len(year), np.bool_)
    chosen[::20] = True
    chosen |= np.nan_to_num(year["lat"].to_numpy(), nan=90) < 41
    chosen |= np.asarray(pc.is_in(year["case_number"], twice))
    return year.filter(pa.array(chosen))


@pytest.fixture(scope="module")
def town(cluster, template, folder, city, sample):
    """URL of a database with the areas, the risk areas and the sample, and what each run said."""
    for link in folder.glob("incidents_*.parquet"):
        if link.stem != "incidents_2018":
            link.unlink()
    (folder / "incidents_2018.parquet").rename(folder / "year_2018.parquet")
    pq.write_table(sample, folder / "incidents_2002.parquet")
    cluster.create_database("chicago")
    url = cluster.url("chicago")
    with connect(url) as connection:
        migrate(connection)
        vocabulary.write(connection, city)
    ran = {}
    for source in sources(city):
        if source.target != "roads":
            (ran[source.target],) = pipeline.run(url, city, source, Clock())
    return url, ran


def rows(town, query):
    with connect(town[0]) as connection:
        return connection.execute(query.encode()).fetchall()


# the folder


def test_without_the_data_the_script_says_which_folder_it_looked_for(build, tmp_path):
    with pytest.raises(SystemExit, match=r"chicago: there is no such folder; name the one that holds it"):
        build(tmp_path / "city", tmp_path)


def test_four_levels_nest_by_their_codes(areas, city):
    levels = [each["properties"]["level"] for each in areas]
    assert Counter(levels) == {"city": 1, "district": 23, "sector": 68, "beat": BEATS}
    assert list(dict.fromkeys(levels)) == [level.code for level in city.levels]
    patterns = {level.code: level.pattern for level in city.levels}
    for each in areas:
        said = each["properties"]
        assert re.fullmatch(patterns[said["level"]], said["code"])
        above = {"city": None, "district": "CHI"}.get(said["level"], said["code"][:-1])
        assert said["parent_code"] == above


def test_an_area_is_the_union_of_what_is_below_it(areas):
    shapes = {each["properties"]["code"]: shapely.from_geojson(json.dumps(each["geometry"])) for each in areas}
    below = {}
    for each in areas:
        below.setdefault(each["properties"]["parent_code"], []).append(shapes[each["properties"]["code"]])
    for parent, children in below.items():
        if parent is not None:
            assert shapely.coverage_is_valid(children)
            assert shapely.union_all(children).equals(shapes[parent]), parent
    assert len(shapely.get_parts(shapes["3100"])) == 3
    assert len(shapely.get_parts(shapes["CHI"])) == 1


def test_every_distinct_place_of_a_set_is_one_risk_area(folder, city):
    with (folder / "risk_areas.csv").open(encoding="utf-8", newline="") as file:
        places = list(csv.DictReader(file))
    assert Counter((each["zone_type"], each["influence_m"]) for each in places) == {
        ("liquor", "150"): 891, ("abandoned", "200"): 3134, ("lights", "200"): 11949, ("sanitation", "200"): 15009,
    }  # fmt: skip
    assert len({(each["zone_type"], each["lon"], each["lat"]) for each in places}) == len(places)
    assert len({each["code"] for each in places}) == len(places)
    assert {zone.code for zone in city.zone_types} == {each["zone_type"] for each in places}


def test_each_category_of_any_year_is_one_of_the_city_and_has_an_origin(folder, city):
    named = set()
    for path in sorted((DATA / "chicago").glob("incidents_*.parquet")):
        named |= set(pq.read_table(path, columns=["category"])["category"].unique().to_pylist())
    words = next(source for source in sources(city) if source.target == "incidents").values  # noqa: PD011
    assert set(words["category"]) == set(words["origin"]) == named
    assert set(words["category"].values()) == {category.code for category in city.categories}


def test_only_what_the_map_needs_is_taken(city):
    taken = next(source for source in sources(city) if source.target == "incidents").taken
    assert taken == ["beat", "case_number", "category", "lat", "location_type", "lon", "occurred_at"]


# the load


def test_every_row_is_accounted_for(town, sample):
    _, ran = town
    assert ran["areas"].account.inserted == 1 + 23 + 68 + BEATS
    assert ran["risk_areas"].account.inserted == 30_983
    account = ran["incidents"].account
    assert account.balanced
    assert account.rows_read == len(sample)
    assert account.superseded == 0


def test_only_rows_without_a_place_or_far_away_are_in_quarantine(town, sample):
    found = Counter(tuple(row["reasons"]) for row in rows(town, "select reasons from onemap.quarantine"))
    far = {reasons: n for reasons, n in found.items() if reasons != ("lon is missing", "lat is missing")}
    assert found[("lon is missing", "lat is missing")] == sample["lon"].null_count > 0
    assert sum(far.values()) == pc.sum(pc.less(sample["lat"], 41)).as_py() > 0
    assert set(far) == {("coordinate -91.68657, 36.61945 lies outside the extent of chicago",)}


def test_all_the_dead_of_one_case_count(town, sample):
    stored_cases = Counter(
        row["case"] for row in rows(town, "select attributes->>'case_number' as case from onemap.incident")
    )
    there = sample.filter(sample["lon"].is_valid())
    there = there.filter(pc.greater(there["lat"], 41))
    assert stored_cases == Counter(there["case_number"].to_pylist())
    assert max(stored_cases.values()) > 1


def test_the_same_rows_in_another_order_change_nothing(town, city, folder, sample):
    order = np.random.default_rng(3).permutation(len(sample))
    pq.write_table(sample.take(pa.array(order)), folder / "incidents_2002.parquet")
    source = next(source for source in sources(city) if source.target == "incidents")
    (again,) = pipeline.run(town[0], city, source, Clock())
    assert again.account.changed == 0
    assert again.account.unchanged == town[1]["incidents"].account.inserted


def test_midnight_is_local_whatever_the_season(town, sample):
    there = sample.filter(sample["lat"].is_valid())
    there = there.filter(pc.greater(there["lat"], 41))["occurred_at"].to_pandas()
    midnights = Counter(there[there == there.dt.normalize()].dt.month)
    found = rows(
        town,
        """select extract(month from at)::int as month, count(*) as n from (
          select occurred_at at time zone 'America/Chicago' as at from onemap.incident
        ) local where at::time = '00:00' group by 1""",
    )
    assert {row["month"]: row["n"] for row in found} == midnights
    assert len(midnights) == 12
    assert 0.010 < sum(midnights.values()) / len(there) < 0.024, "where a time that is not known is put"


def test_a_zone_mask_says_which_sets_reach_a_point(town):
    checked = rows(
        town,
        """select zones, coalesce((
            select bit_or(1 << bit) from onemap.risk_area_version version join onemap.risk_area using (risk_area_id)
            join onemap.zone_type on zone_type.code = zone_type where st_covers(version.influence, incident.geom)
          ), 0) as expected from onemap.incident order by incident_id limit 500""",
    )
    assert [row["zones"] for row in checked] == [row["expected"] for row in checked]
    assert len({row["zones"] for row in checked}) > 5


# the beats of 2018


@pytest.fixture(scope="module")
def year(town, folder):
    """Of each incident of 2018 with a place: the beat that it names, the beat that it is tagged with, its point."""
    table = pq.read_table(folder / "year_2018.parquet")
    table = table.filter(table["lon"].is_valid())
    points = np.asarray(shapely.points(table["lon"].to_numpy(), table["lat"].to_numpy()), np.object_)
    at = table["occurred_at"].to_numpy().astype("datetime64[us]")
    with connect(town[0]) as connection:
        known = connection.execute("select area_id, code from onemap.area").fetchall()
        tags = finest_area(points, at, stored.areas(connection))
    codes = {row["area_id"]: row["code"] for row in known} | {NOWHERE: None}
    return pd.DataFrame(
        {"named": table["beat"].cast(pa.string()).to_pylist(), "beat": [codes[tag] for tag in tags.tolist()],
         "point": points}
    )  # fmt: skip


def test_beats_count_what_an_independent_count_gives_and_the_points_on_their_borders(year, areas):
    golden = pd.read_csv(GOLDEN, dtype={"beat_num": str}).set_index("beat_num")["n"]
    counted = year["beat"].value_counts().sort_index()
    assert len(golden) == len(counted) == BEATS
    assert (counted >= golden.sort_index()).all()
    # The other count leaves out what lies on a border: here that is in the beat of the lowest code.
    shapes = {
        each["properties"]["code"]: shapely.from_geojson(json.dumps(each["geometry"]))
        for each in areas
        if each["properties"]["level"] == "beat"
    }
    tagged = year.dropna(subset="beat")
    on_border = ~shapely.contains_properly(np.array([shapes[code] for code in tagged["beat"]]), tagged["point"])
    assert on_border.sum() == 135
    pd.testing.assert_series_equal(
        tagged["beat"][~on_border].value_counts().sort_index(), golden.sort_index(), check_names=False
    )
    for _, row in tagged[on_border].iterrows():
        assert row["beat"] == min(code for code, shape in shapes.items() if shape.covers(row["point"]))


def test_nine_in_ten_incidents_lie_in_the_beat_that_they_name(year):
    tagged = year.dropna(subset="beat")
    assert len(year) - len(tagged) == 664
    assert (tagged["named"] == tagged["beat"]).mean() == pytest.approx(0.9168, abs=0.0005)
