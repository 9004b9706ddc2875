"""A made-up town near Heyuan, where GCJ-02 lies 560 m away, and two real cities where their data are at hand."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from etl.datum import to_lonlat
from etl.plane import metres_per_degree
from etl.shift import MAX_PLACES, MIN_PLACES, judge
from layers.geo.china import wgs84_to_bd09, wgs84_to_gcj02

DATA = Path(__file__).parents[3] / "shared/data"
WUHAN = DATA / "wuhan_roads_osm/wuhan_8989_original.parquet"
HEYUAN = DATA / "heyuan/heyuan_counties_cgcs2000.geojson"

NONE = np.empty(0, np.object_)
CENTRE = np.array([114.7, 23.7])
SCALE = metres_per_degree(CENTRE[1:])[0]
SIDE_M = 16_000
OFFSET = {"EPSG:4326": lambda xy: xy, "gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}
ALL = [(declared, true) for declared in OFFSET for true in OFFSET]


def lonlat(metres):
    return CENTRE + metres / SCALE


def lines(ends):
    """Streets from float64[k, 2, 2] in metres."""
    return shapely.linestrings(lonlat(ends))


def town(rng, count=400):
    """Streets of 2 km each, in all directions."""
    start, angle = rng.uniform(0, SIDE_M, (count, 2)), rng.uniform(0, 2 * np.pi, count)
    return np.stack([start, start + 2000 * np.column_stack([np.cos(angle), np.sin(angle)])], axis=1)


def along(ends, rng, count, beside_m=0.0, noise_m=15.0):
    """Points on streets, or that far beside them."""
    at, share = rng.integers(0, len(ends), count), rng.uniform(size=(count, 1))
    way = ends[at, 1] - ends[at, 0]
    side = way[:, ::-1] * [-1, 1] / np.linalg.norm(way, axis=1)[:, None]
    return lonlat(ends[at, 0] + share * way + beside_m * side + rng.normal(0, noise_m, (count, 2)))


def within(shape, rng, count):
    found = rng.uniform(shape.bounds[:2], shape.bounds[2:], (4 * count, 2))
    return found[shapely.contains_xy(shape, found)][:count]


def landed(points, declared, true):
    """Where points end up whose numbers are in one datum while the source declares another."""
    return to_lonlat(declared)(OFFSET[true](points))


@pytest.mark.parametrize(("declared", "true"), ALL)
def test_the_datum_of_points_along_streets_is_named_whatever_was_declared(declared, true):
    rng = np.random.default_rng(1)
    streets = town(rng)
    points = landed(along(streets, rng, 1000), declared, true)
    verdict = judge(declared, points, NONE, lines(streets))
    assert verdict.datum == true
    assert verdict.suspect == (None if declared == true else true)
    (share,) = verdict.shares.values()
    assert max(share, key=share.get) == true
    assert share[true] > 0.7


def test_the_message_says_what_was_declared_what_is_likely_and_on_what_grounds():
    rng = np.random.default_rng(1)
    streets = town(rng)
    points = landed(along(streets, rng, 1000, noise_m=5), "EPSG:4326", "gcj02")
    verdict = judge("EPSG:4326", points, np.array([shapely.box(*CENTRE - 1, *CENTRE + 1)]), lines(streets))
    share = verdict.shares["within 25 m of a road"]
    assert verdict.message == (
        "declared as EPSG:4326, but the points look like gcj02: read so, "
        f"{share['gcj02']:.1%} of 1000 places are within 25 m of a road (as EPSG:4326: {share['EPSG:4326']:.1%}) and "
        "100.0% of 1000 places are inside the areas (as EPSG:4326: 100.0%)"
    )
    assert judge("gcj02", along(streets, rng, 1000), NONE, lines(streets)).message == (
        "1000 places fit the city as declared, in gcj02"
    )


def test_a_projected_datum_is_held_against_the_offsets_too():
    rng = np.random.default_rng(1)
    streets = town(rng)
    verdict = judge("EPSG:4547", wgs84_to_bd09(along(streets, rng, 1000)), NONE, lines(streets))
    assert verdict.suspect == "bd09"
    assert judge("EPSG:4547", along(streets, rng, 1000), NONE, lines(streets)).datum == "EPSG:4547"


@pytest.mark.parametrize("declared", OFFSET)
@pytest.mark.parametrize("count", [200, 2000])
def test_points_that_have_nothing_to_do_with_streets_accuse_nobody(declared, count):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        streets = town(rng)
        anywhere = lonlat(rng.uniform(0, SIDE_M, (count, 2)))
        assert judge(declared, anywhere, NONE, lines(streets)).datum is None
        # They shun the street, so that any move brings them nearer to one.
        parcels = along(streets, rng, count, beside_m=60, noise_m=5)
        assert judge(declared, parcels, NONE, lines(streets)).suspect is None


@pytest.mark.parametrize("period_m", [150, 250, 400, 560, 700, 1120, 1300])
def test_parcels_in_a_regular_grid_of_streets_accuse_nobody(period_m):
    ticks = np.arange(0, SIDE_M, period_m, dtype=np.float64)
    end = np.full_like(ticks, SIDE_M)
    across = np.stack([np.column_stack([ticks, 0 * ticks]), np.column_stack([ticks, end])], axis=1)
    streets = np.concatenate([across, across[:, :, ::-1]])
    rng = np.random.default_rng(period_m)
    middle = (rng.integers(1, len(ticks) - 1, (1000, 2)) + 0.5) * period_m
    points = lonlat(middle + rng.normal(0, 10, (1000, 2)))
    for declared in OFFSET:
        assert judge(declared, points, NONE, lines(streets)).suspect is None


def test_many_points_at_few_addresses_are_few_witnesses():
    rng = np.random.default_rng(1)
    streets = town(rng)
    addresses = along(streets, rng, 9, noise_m=0)
    points = addresses[rng.integers(0, 9, 5000)] + rng.normal(0, 5, (5000, 2)) / SCALE
    assert judge("EPSG:4326", wgs84_to_gcj02(points), NONE, lines(streets)).datum is None


def test_the_outline_tells_where_points_lie_up_to_the_border():
    county = shapely.Point(*CENTRE).buffer(0.08)
    halves = np.array([county & shapely.box(114, 23, 114.7, 24), county & shapely.box(114.7, 23, 115, 24)])
    for declared, true in ALL:
        points = landed(within(county, np.random.default_rng(1), 4000), declared, true)
        assert judge(declared, points, halves, NONE).datum == true


def test_the_outline_tells_nothing_of_points_in_the_middle_or_on_both_sides_of_the_border():
    county = np.array([shapely.Point(*CENTRE).buffer(0.08)])
    rng = np.random.default_rng(1)
    middle, both_sides = (rng.uniform(CENTRE - reach, CENTRE + reach, (5000, 2)) for reach in (0.03, 0.2))
    for points in (middle, both_sides):
        for datum in OFFSET.values():
            assert judge("EPSG:4326", datum(points), county, NONE).datum is None


def test_streets_and_outline_that_contradict_each_other_tell_nothing():
    rng = np.random.default_rng(1)
    streets, county = town(rng), shapely.box(*lonlat(np.full(2, 2000)), *lonlat(np.full(2, 14_000)))
    points = np.vstack([along(streets, rng, 2000), within(county, rng, 3000)])
    points = points[shapely.contains_xy(county, points)]
    wrong = shapely.transform(lines(streets), wgs84_to_gcj02)
    assert judge("gcj02", points, NONE, wrong).datum == "EPSG:4326"
    assert judge("gcj02", points, np.array([county]), NONE).datum == "gcj02"
    assert judge("gcj02", points, np.array([county]), wrong).datum is None


def test_too_few_places_tell_nothing_and_neither_do_rows_that_repeat_or_lack_them():
    rng = np.random.default_rng(1)
    streets = town(rng)
    places = along(streets, rng, MIN_PLACES, noise_m=1)
    full = judge("EPSG:4326", places, NONE, lines(streets))
    assert (full.datum, full.places) == ("EPSG:4326", MIN_PLACES)
    short = judge(
        "EPSG:4326", np.vstack([np.repeat(places[1:], 50, axis=0), [[np.nan, np.nan]]]), NONE, lines(streets)
    )
    assert (short.datum, short.places) == (None, MIN_PLACES - 1)
    assert short.message == "cannot tell the datum: 99 distinct places in and around China, 100 are needed"
    assert judge("EPSG:4326", np.empty((0, 2)), NONE, lines(streets)).places == 0


def test_a_city_without_streets_and_areas_tells_nothing():
    verdict = judge("EPSG:4326", lonlat(np.random.default_rng(1).uniform(0, SIDE_M, (1000, 2))), NONE, NONE)
    assert (verdict.datum, verdict.shares) == (None, {})


def test_no_more_than_a_sample_is_looked_at():
    rng = np.random.default_rng(1)
    streets = town(rng)
    assert judge("EPSG:4326", along(streets, rng, 20_000), NONE, lines(streets)).places == MAX_PLACES


def test_far_from_china_nobody_is_suspected():
    rng = np.random.default_rng(1)
    streets = town(rng)
    toronto = np.array([-79.4, 43.7]) - CENTRE
    moved = shapely.transform(lines(streets), lambda xy: xy + toronto)
    verdict = judge("EPSG:4326", wgs84_to_gcj02(along(streets, rng, 1000) + toronto), NONE, moved)
    assert (verdict.datum, verdict.places) == (None, 0)


@pytest.mark.skipif(
    not WUHAN.exists(), reason="the streets of Wuhan are not there: ../shared/data/wuhan_roads_osm"
)
def test_in_wuhan_every_shift_is_named_from_200_points_along_its_streets():
    metric = gpd.read_parquet(WUHAN)
    roads = metric.to_crs(4326).geometry.to_numpy()
    outline = np.array([shapely.box(*shapely.total_bounds(roads))])
    length = metric.geometry.length.to_numpy()
    for declared, true in ALL:
        rng = np.random.default_rng(1)
        street = roads[rng.choice(len(roads), 200, p=length / length.sum())]
        points = shapely.get_coordinates(
            shapely.line_interpolate_point(street, rng.uniform(size=200), normalized=True)
        )
        points += rng.normal(0, 1, (200, 2)) * rng.uniform(10, 30, (200, 1)) / metres_per_degree(points[:1, 1])
        verdict = judge(declared, landed(points, declared, true), outline, roads)
        assert verdict.datum == true
        anywhere = within(outline[0], rng, 1000)
        assert judge(declared, anywhere, NONE, roads).datum is None


@pytest.mark.skipif(not HEYUAN.exists(), reason="the counties of Heyuan are not there: ../shared/data/heyuan")
def test_in_heyuan_the_outline_of_a_county_names_the_shift_and_is_silent_on_few_points():
    counties = gpd.read_file(HEYUAN).set_index("adcode").geometry
    county = counties[counties.index.astype(str) == "441602"].to_numpy()
    for declared, true in ALL:
        points = landed(within(county[0], np.random.default_rng(1), 5000), declared, true)
        assert judge(declared, points, county, NONE).datum == true
        assert judge(declared, points[:200], county, NONE).datum is None
