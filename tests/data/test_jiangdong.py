"""Jiangdong keeps the promises of data/README.md: real names and codes, and everything else invented and said to be."""

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from data.jiangdong.make.__main__ import main
from data.partition import collection
from etl.spec import sources
from layers.cases.sla import Policies, Subject
from layers.cases.worktime import WorkTime
from layers.catalog.city import City

FOLDER = Path(__file__).parents[2] / "data" / "jiangdong"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "heyuan" / "heyuan_villages.csv"


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def city():
    return City.load(FOLDER)


@pytest.fixture(scope="module")
def features():
    return {
        path.stem: json.loads(path.read_text("utf-8"))["features"] for path in sorted(FOLDER.glob("*.geojson"))
    }


@pytest.fixture(scope="module")
def areas(features):
    """Per level: the properties, and the shapes by code."""
    found = {}
    for each in features["areas"]:
        shape = shapely.from_geojson(json.dumps(each["geometry"]))
        found.setdefault(each["properties"]["level"], {})[each["properties"]["code"]] = (each["properties"], shape)
    return found


@pytest.fixture(scope="module")
def incidents():
    return pd.read_parquet(FOLDER / "incidents.parquet")


def test_three_towns_under_two_counties_have_thirty_villages_and_five_communities(areas):
    villages = rows_of(FOLDER / "villages.csv")
    assert Counter(row["kind"] for row in villages) == {"village": 30, "community": 5}
    assert {code[:6] for code in areas["town"]} == {"441602", "441621"}
    assert {row["code"] for row in villages} == set(areas["village"])
    assert {row["town_code"] for row in villages} == set(areas["town"])
    assert [row["name_zh"] for row in villages].count("胜利村") == 2
    assert len(areas["grid"]) == 210
    assert set(Counter(code[:12] for code in areas["grid"]).values()) == {6}
    assert all(
        own["official_code"] == code for level in ("town", "village") for code, (own, _) in areas[level].items()
    )
    assert areas["district"]["JD"][0]["official_code"] is None


def test_names_and_codes_are_those_of_the_statistics(areas):
    if not SHARED.exists():
        pytest.skip("the list of all villages is beside the project, and is absent")
    listed = [row for row in rows_of(SHARED) if row["jiangdong_new_area"] == "True"]
    assert {row["village_code12"] for row in listed} == set(areas["village"])
    for row in listed:
        name = areas["village"][row["village_code12"]][0]["name_zh"]
        assert row["village"].removeprefix("源城区城东街道").startswith(name)


def test_levels_nest_without_gap_or_overlap(areas, city):
    patterns = {level.code: level.pattern for level in city.levels}
    assert list(areas) == list(patterns)
    for level, shapes in areas.items():
        assert shapely.coverage_is_valid([shape for _, shape in shapes.values()]), level
        assert all(pd.Series(list(shapes)).str.fullmatch(patterns[level]))
    for upper, lower in (("district", "town"), ("town", "village"), ("village", "grid")):
        for code, (_, shape) in areas[upper].items():
            own = [(own, part) for own, part in areas[lower].values() if own["parent_code"] == code]
            assert shapely.equals(shapely.coverage_union_all([part for _, part in own]), shape)
            assert sum(own["households"] for own, _ in own) == areas[upper][code][0]["households"]


def test_the_seats_of_two_towns_lie_in_their_communities(areas):
    for lon, lat, name in ((114.69397, 23.65125, "临江镇社区"), (114.70569, 23.51572, "古竹社区")):
        found = [
            own["name_zh"] for own, shape in areas["village"].values() if shapely.contains_xy(shape, lon, lat)
        ]
        assert found == [name]


def test_everything_invented_says_so(features, incidents, city):
    for each in features.values():
        assert all(feature["properties"]["synthetic"] is True for feature in each)
    rows = rows_of(FOLDER / "resources.csv")
    assert {row["synthetic"] for row in rows} == {"true"}
    assert incidents["synthetic"].all()
    declared = sources(city)
    assert {source.target for source in declared} <= set(city.synthetic)
    assert all("ynthetic" in source.attribution for source in declared)
    assert "合成数据" in city.notice.zh
    assert city.described("incidents", "Events.").startswith("Synthetic")
    assert city.described("findings", "Findings.") == "Findings."


def test_one_team_a_village_and_no_person_in_any_row(city):
    rows = rows_of(FOLDER / "resources.csv")
    teams = [row["unit"] for row in rows if row["kind"] == "team"]
    assert len(teams) == len(set(teams)) == 35
    kinds = {kind.code: kind.device for kind in city.resource_kinds}
    assert {row["kind"] for row in rows} == set(kinds)
    assert all(bool(row["device_id"]) == kinds[row["kind"]] for row in rows)


def test_roads_hang_together_and_stay_inside(features, areas):
    ends, inside = {}, areas["district"]["JD"][1].buffer(0.0005)
    shapely.prepare(inside)

    def root(at):
        while ends[at] != at:
            at = ends[at]
        return at

    for feature in features["roads"]:
        xy = [tuple(each) for each in feature["geometry"]["coordinates"]]
        assert inside.covers(shapely.LineString(xy))
        for at in (xy[0], xy[-1]):
            ends.setdefault(at, at)
        ends[root(xy[0])] = root(xy[-1])
    assert len({root(at) for at in ends}) == 1


def test_incidents_have_a_rhythm_grow_and_lie_in_the_district(incidents, areas, city):
    assert shapely.contains_xy(areas["district"]["JD"][1], incidents["lon"], incidents["lat"]).all()
    assert set(incidents["category"]) == {category.code for category in city.categories}
    assert incidents["number"].is_unique
    assert (incidents["occurred_at"].diff().dropna() >= pd.Timedelta(0)).all()
    local = incidents["occurred_at"].dt.tz_convert("Asia/Shanghai")
    a_year = local.dt.year.value_counts().sort_index()
    assert a_year.loc[2021:2025].is_monotonic_increasing
    noise = local[incidents["category"] == "noise"].dt.hour
    assert noise.isin(range(17, 24)).mean() > 0.5
    fights = local[incidents["category"] == "fight"].dt.day_of_week
    assert (fights >= 5).mean() > 0.36  # two days of seven are 0.29
    water = local[incidents["category"] == "water"].dt.month
    assert water.isin([4, 5, 6, 7, 8, 9]).mean() > 0.85


def test_most_are_closed_in_time_and_the_last_ones_are_open(incidents):
    closed = incidents[incidents["state"] == "closed"]
    assert 0.88 < (closed["closed_at"] <= closed["due_at"]).mean() < 0.97
    still = incidents[incidents["state"] == "open"]
    assert still["closed_at"].isna().all()
    assert 50 < len(still) < 400
    assert (still["occurred_at"] > incidents["occurred_at"].max() - pd.Timedelta(days=120)).all()


def test_what_is_near_a_campus_happens_there_only_since_it_opened(features, incidents):
    zone = next(each for each in features["risk_areas"] if each["properties"]["name_zh"] == "大学城二期")
    shape = shapely.from_geojson(json.dumps(zone["geometry"]))
    inside = shapely.contains_xy(shape, incidents["lon"], incidents["lat"]) & (incidents["category"] == "bullying")
    years = incidents["occurred_at"].dt.year[inside]
    assert (years >= int(zone["properties"]["valid_from"][:4])).mean() > 0.9
    assert len(years) > 5


def test_a_long_holiday_puts_a_term_off_and_a_make_up_day_counts(city):
    policies, zone = Policies.load(FOLDER, WorkTime.of(city)), city.zone
    subject = Subject("noise", 1, None)
    # Labour Day 2026 is 1 to 5 May, and Saturday 9 May makes up for it.
    begun = datetime(2026, 4, 30, 9, tzinfo=zone)
    due = policies.deadline("accept", subject, begun).due
    assert due.astimezone(zone).date().isoformat() == "2026-04-30"
    late = policies.deadline("accept", subject, datetime(2026, 4, 30, 17, tzinfo=zone)).due
    assert late.astimezone(zone).date().isoformat() == "2026-05-06"
    saturday = policies.deadline("accept", subject, datetime(2026, 5, 9, 9, tzinfo=zone)).due
    assert saturday.astimezone(zone).date().isoformat() == "2026-05-09"


def test_making_it_again_gives_the_same_bytes(tmp_path, capsys):
    main(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        if path.suffix == ".parquet":
            assert pq.read_table(path).equals(pq.read_table(FOLDER / path.name))
        else:
            assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name
    assert "incidents.parquet" in capsys.readouterr().out


def test_a_collection_of_nothing_is_a_file_all_the_same():
    assert json.loads(collection([])) == {"type": "FeatureCollection", "features": []}
