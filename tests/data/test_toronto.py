"""The sample city keeps the promises of data/README.md."""

import csv
import itertools
import re
import runpy
import tomllib
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from dateutil.easter import easter

from etl.spec import sources
from layers.cases.sla import Policies, Subject
from layers.cases.workflow import workflows
from layers.cases.worktime import Unit, WorkTime
from layers.catalog.city import City

FOLDER = Path(__file__).parents[2] / "data" / "toronto"
UTM = 32617


@pytest.fixture(scope="module")
def city():
    return City.load(FOLDER)


@pytest.fixture(scope="module")
def areas():
    return gpd.read_file(FOLDER / "areas.geojson")


@pytest.fixture(scope="module")
def incidents():
    frame = pd.read_parquet(FOLDER / "incidents.parquet")
    points = gpd.points_from_xy(frame["lon"], frame["lat"], crs=4326)
    return gpd.GeoDataFrame(frame, geometry=points)


@pytest.fixture(scope="module")
def places():
    frame = pd.read_csv(FOLDER / "risk_areas.csv")
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"], crs=4326))


def shapes(areas, level):
    return areas.loc[areas["level"] == level, "geometry"].to_numpy()


def share_inside(areas, incidents):
    """Share of the incidents inside the neighbourhood that they name, border included."""
    own = areas[areas["level"] == "neighbourhood"].set_index("name_en")["geometry"]
    return shapely.intersects(own[incidents["neighbourhood"]].to_numpy(), incidents["geometry"].to_numpy()).mean()


# areas


def test_every_neighbourhood_that_an_incident_names_has_one_area(areas, incidents):
    named = areas.loc[areas["level"] == "neighbourhood", "name_en"]
    assert sorted(named) == sorted(incidents["neighbourhood"].unique())


def test_a_chinese_name_is_given_where_the_list_has_one_and_is_the_english_one_elsewhere(areas):
    listed = tomllib.loads((FOLDER / "names_zh.toml").read_text("utf-8"))
    neighbourhoods = areas[areas["level"] == "neighbourhood"].set_index("name_en")["name_zh"]
    assert set(listed) <= set(neighbourhoods.index)
    assert {en: zh for en, zh in neighbourhoods.items() if en != zh} == listed


def test_a_grid_area_is_named_by_its_neighbourhood_and_number(areas):
    grid = areas[areas["level"] == "grid"]
    parent = areas.set_index("code").loc[grid["parent_code"]]
    number = grid["code"].str[-3:].astype(int).astype(str)
    for name in ("name_en", "name_zh"):
        assert grid[name].tolist() == [f"{a} {b}" for a, b in zip(parent[name], number, strict=True)]


def test_codes_are_unique_and_match_the_pattern_of_their_level(areas, city):
    assert areas["code"].is_unique
    assert areas["level"].unique().tolist() == [level.code for level in city.levels]
    for level in city.levels:
        codes = areas.loc[areas["level"] == level.code, "code"]
        assert [code for code in codes if not re.fullmatch(level.pattern, code)] == []


def test_a_code_begins_with_the_code_of_its_parent(areas):
    top, rest = areas[areas["parent_code"].isna()], areas[areas["parent_code"].notna()]
    assert top["level"].tolist() == ["city"]
    assert (rest["code"].str[:-3] == rest["parent_code"]).all()
    assert set(rest["parent_code"]) < set(areas["code"])


def test_neighbourhood_numbers_follow_the_alphabet_of_their_names(areas):
    neighbourhoods = areas[areas["level"] == "neighbourhood"].sort_values("code")
    assert neighbourhoods["name_en"].tolist() == sorted(neighbourhoods["name_en"])


def test_grid_numbers_run_west_to_east_and_then_north_to_south(areas):
    grid = areas[areas["level"] == "grid"].to_crs(UTM).sort_values("code")
    centroids = grid.centroid
    place = pd.DataFrame({"row": -(centroids.y // 500), "x": centroids.x, "parent": grid["parent_code"]})
    for _, inside in place.groupby("parent"):
        order = list(zip(inside["row"], inside["x"], strict=True))
        assert order == sorted(order)
    sequence = grid["code"].str[-3:].astype(int)
    assert (sequence == grid.groupby("parent_code").cumcount() + 1).all()


@pytest.mark.parametrize("level", ["neighbourhood", "grid"])
def test_areas_of_one_level_are_valid_and_never_overlap(areas, level):
    assert shapely.is_valid(shapes(areas, level)).all()
    assert shapely.coverage_is_valid(shapes(areas, level))


def test_the_children_of_an_area_fill_it_exactly(areas):
    by_code = areas.set_index("code")["geometry"]
    for parent, children in areas.dropna(subset="parent_code").groupby("parent_code"):
        union = shapely.union_all(children["geometry"].to_numpy())
        assert shapely.equals(union, by_code[parent]), parent
        assert shapely.symmetric_difference(union, by_code[parent]).area == 0, parent


def test_the_city_is_one_polygon_without_a_hole(areas):
    (outline,) = shapes(areas, "city")
    assert (outline.geom_type, len(outline.interiors)) == ("Polygon", 0)


def test_every_area_is_one_polygon_and_no_grid_area_is_a_sliver(areas):
    assert set(areas.geom_type) == {"Polygon"}
    grid = areas[areas["level"] == "grid"].to_crs(UTM)
    assert grid.area.min() > 500**2 / 4 * 0.999
    assert grid.area.median() == pytest.approx(500**2, rel=0.05)


def test_the_city_and_every_incident_lie_inside_the_declared_extent(areas, incidents, city):
    extent = shapely.box(*city.extent)
    assert shapely.contains_properly(extent, shapes(areas, "city")[0])
    assert shapely.contains_properly(extent, incidents["geometry"].to_numpy()).all()


def test_every_incident_lies_in_the_city(areas, incidents):
    outline = shapes(areas, "city")[0]
    shapely.prepare(outline)
    assert shapely.intersects(outline, incidents["geometry"].to_numpy()).all()


def test_coordinates_have_six_decimals_and_the_file_stays_small(areas):
    xy = shapely.get_coordinates(areas["geometry"].to_numpy())
    np.testing.assert_array_equal(xy, np.round(xy, 6))
    assert (FOLDER / "areas.geojson").stat().st_size < 2.5e6


def test_building_again_gives_the_same_bytes_and_prints_the_share(areas, incidents, tmp_path, capsys):
    target = tmp_path / "areas.geojson"
    share = runpy.run_path(str(FOLDER / "build.py"))["main"](target)
    assert target.read_bytes() == (FOLDER / "areas.geojson").read_bytes()
    assert share >= 0.92
    # A point on a border belongs to both sides here and to the lower code there.
    assert share == pytest.approx(share_inside(areas, incidents), abs=1e-4)
    printed = capsys.readouterr().out
    assert f"{share:.1%} of {len(incidents)} incidents keep their own neighbourhood's name" in printed
    assert f"**{share:.1%}".replace("%", " %") in (FOLDER.parent / "README.md").read_text("utf-8")


# key zones


def test_there_are_six_zone_types_with_at_least_eight_of_60_to_100_places_each(places, city):
    count = places["zone_type"].value_counts()
    assert [zone.code for zone in city.zone_types] == [
        "campus", "hospital", "transport", "commerce", "waterfront", "industry",
    ]  # fmt: skip
    assert set(count.index) == {zone.code for zone in city.zone_types}
    assert count.min() >= 8
    assert 60 <= len(places) <= 100


def test_every_place_has_its_own_code_two_names_and_a_bounded_influence(places):
    assert places["code"].is_unique
    assert (places["code"].str[:-3] == places["zone_type"]).all()
    for name in ("name_en", "name_zh"):
        assert places[name].is_unique
    assert places["name_zh"].str.contains(r"[\u4e00-\u9fff]").all()
    assert places["influence_m"].between(200, 1000).all()
    assert places["approximate"].all()


def test_every_place_lies_inside_the_city(places, areas):
    outside = ~shapely.contains(shapes(areas, "city")[0], places["geometry"].to_numpy())
    assert places.loc[outside, "name_en"].tolist() == []


@pytest.mark.parametrize(("zone_type", "premises"), [("campus", "Educational"), ("transport", "Transit")])
def test_places_have_incidents_of_their_own_premises_within_500_metres(places, incidents, zone_type, premises):
    mine = places[places["zone_type"] == zone_type].to_crs(UTM)
    matching = incidents[incidents["premises_type"] == premises].to_crs(UTM)["geometry"].to_numpy()
    near, _ = shapely.STRtree(matching).query(mine["geometry"].to_numpy(), predicate="dwithin", distance=500)
    assert mine["name_en"].drop(mine.index[np.unique(near)]).tolist() == []


def test_the_six_colours_are_distinct_and_stand_out_on_a_dark_map(city):
    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    colours = [zone.colour for zone in city.zone_types]
    assert len(set(colours)) == 6
    assert min((luminance(c) + 0.05) / (luminance("#10151c") + 0.05) for c in colours) > 4.5


# the rest of the folder


def test_sources_load_in_order_and_each_column_they_take_is_in_their_file(city, areas, places, incidents):
    frames = {"areas": areas, "risk_areas": places, "incidents": incidents}
    found = sources(city)
    assert [source.target for source in found] == list(frames)
    for source in found:
        assert set(source.taken) <= set(frames[source.target].columns)


def test_each_category_of_the_file_is_mapped_to_one_of_the_city(city, incidents):
    mapped = sources(city)[-1].values["category"]  # noqa: PD011 - a field of Source, not of a frame
    assert set(mapped) == set(incidents["category"])
    assert set(mapped.values()) == {category.code for category in city.categories}


def test_every_stage_of_every_workflow_has_a_term_in_the_sample_policy_for_every_category(city):
    policies = Policies.load(FOLDER, WorkTime.of(city))
    stages = {state.stage for each in workflows(FOLDER).values() for state in each.states if state.stage}
    found = {
        (stage, category.code): policies.policy(stage, Subject(category.code, category.weight, frozenset())).term
        for stage in (*stages, "handle")
        for category in city.categories
    }
    assert stages == {"accept", "acknowledge", "arbitrate"}
    assert {(term.amount, term.unit) for (stage, _), term in found.items() if stage == "handle"} == {
        (days, Unit.WORKING_DAY) for days in (3, 7, 13)
    }


def test_a_place_is_read_as_it_is_written():
    with (FOLDER / "risk_areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in rows)
    assert {row["approximate"] for row in rows} == {"true"}


def ontario_holidays(year):
    """The nine statutory holidays, and the working days in lieu of those that fall on a weekend."""

    def weekday(month, which):  # the Monday number `which` of a month
        first = date(year, month, 1)
        return first + timedelta(days=-first.weekday() % 7 + 7 * (which - 1))

    victoria = date(year, 5, 24) - timedelta(days=date(year, 5, 24).weekday())
    statutory = [
        date(year, 1, 1), weekday(2, 3), easter(year) - timedelta(days=2), victoria, date(year, 7, 1),
        weekday(9, 1), weekday(10, 2), date(year, 12, 25), date(year, 12, 26),
    ]  # fmt: skip
    free = set(statutory)
    for day in (day for day in statutory if day.isoweekday() > 5):
        free.add(
            next(d for n in itertools.count(1) if (d := day + timedelta(n)) not in free and d.isoweekday() <= 5)
        )
    return free


def test_the_calendar_works_on_weekdays_that_are_no_holidays_of_ontario(city):
    holidays = {day for year in range(2014, 2023) for day in ontario_holidays(year)}
    days = [date(2014, 1, 1) + timedelta(days=n) for n in range(365 * 9)]
    work = WorkTime.of(city)
    wrong = [day for day in days if work.works(day) != (day.isoweekday() <= 5 and day not in holidays)]
    assert wrong == []


def test_the_map_names_both_licences_and_says_that_outlines_are_derived(city):
    assert "Open Government Licence – Toronto" in city.attribution
    assert "Open Government Licence – Ontario" in city.attribution
    assert "derived" in city.notice.en
    assert "推算" in city.notice.zh
