import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.plane import LEAST_WIDTH_M, metres_per_degree, square_metres
from etl.repair import multi
from etl.topology import report
from etl.tree import NONE, Tree
from tests import toy
from tests.workshop import TREE

LAT = 50.0
EAST, NORTH = metres_per_degree(np.array([LAT]))[0].tolist()
"""Metres of a degree where the boxes are."""


def box(west_m, south_m, east_m, north_m):
    """A box in metres from 10 E, 50 N."""
    return shapely.box(10 + west_m / EAST, LAT + south_m / NORTH, 10 + east_m / EAST, LAT + north_m / NORTH)


def table(*areas):
    """Areas given as (level, code, parent, shape) and, where they matter, official_code, valid_from and valid_to."""
    columns = ("level_rank", "code", "parent_code", "geom", "official_code", "valid_from", "valid_to")
    rows = [dict(zip(columns, area, strict=False)) for area in areas]
    shapes = multi(np.array([row["geom"] for row in rows], np.object_))
    stamp = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "level_rank": pa.array([row["level_rank"] for row in rows], pa.int16()),
            "geom": pa.array(shapely.to_wkb(shapely.set_srid(shapes, 4326), include_srid=True), pa.binary()),
            **{name: pa.array([row.get(name) for row in rows], pa.string()) for name in ("code", "official_code", "parent_code")},
            **{name: pa.array(np.array([row.get(name) for row in rows], "datetime64[us]"), stamp) for name in ("valid_from", "valid_to")},
        }
    )  # fmt: skip


def told(*areas, standing=None, city=toy.CITY):
    """What is told of areas in the rows 1, 2, 3 ..."""
    tree = Tree.of(table(*areas), np.arange(1, len(areas) + 1), None if standing is None else table(*standing))
    return report(tree, city)


def fitting(width_m=1000.0):
    """A parent of two children that share a border in the middle."""
    half = width_m / 2
    return [
        (1, "V1", None, box(0, 0, width_m, 400)),
        (2, "V1G1", "V1", box(0, 0, half, 400)),
        (2, "V1G2", "V1", box(half, 0, width_m, 400)),
    ]


def test_of_areas_that_fit_nothing_is_told():
    assert told(*fitting()) == []
    ranks = {level.code: rank for rank, level in enumerate(toy.CITY.levels)}
    whole = [(ranks[level], code, parent, shapely.box(*bounds)) for level, code, parent, bounds in TREE]
    assert told(*whole) == []


@given(st.floats(-80, 80), st.floats(50, 900))
def test_a_border_that_is_shifted_overlaps_or_gapes_by_its_length_times_the_shift(shift_m, length_m):
    parent = (1, "V1", None, box(0, 0, 1000, length_m))
    west = (2, "V1G1", "V1", box(0, 0, 500 + shift_m, length_m))
    east = (2, "V1G2", "V1", box(500, 0, 1000, length_m))
    entries = told(parent, west, east)
    # A strip of the least width and of some length is a little narrower on average, for its short sides count too.
    if abs(shift_m) < LEAST_WIDTH_M:
        assert entries == []
    elif abs(shift_m) > LEAST_WIDTH_M * 1.01:
        (entry,) = entries
        assert entry.kind == ("sibling_overlap" if shift_m > 0 else "gap")
        assert entry.subject == ("V1G1, V1G2" if shift_m > 0 else "V1")
        assert entry.row_number == (2 if shift_m > 0 else 1)
        assert (entry.changed, entry.unit) == (False, "m2")
        assert entry.amount == pytest.approx(abs(shift_m) * length_m, rel=1e-3)
        assert square_metres(np.array([entry.place])) == pytest.approx(entry.amount)


def test_cousins_that_overlap_are_told_apart_from_siblings():
    entries = told(
        (1, "V1", None, box(0, 0, 500, 400)),
        (1, "V2", None, box(500, 0, 1000, 400)),
        (2, "V1G1", "V1", box(0, 0, 510, 400)),
        (2, "V2G1", "V2", box(500, 0, 1000, 400)),
    )
    assert [(entry.kind, entry.subject, round(entry.amount)) for entry in entries] == [
        ("overlap", "V1G1, V2G1", 4000),
        ("outside_parent", "V1G1, V1", 4000),
    ]
    assert entries[1].message.startswith("V1G1 reaches out of V1 by 4,000 m2 at 10.0")


def test_gaps_of_one_area_are_one_entry_that_tells_the_largest():
    hole, strip = box(100, 100, 120, 120), box(900, 0, 1000, 400)
    entries = told(
        (0, "D", None, box(0, 0, 1000, 400)),
        (1, "V1", "D", box(0, 0, 900, 400).difference(hole)),
    )
    (gap,) = entries
    assert (gap.kind, gap.subject, len(gap.place.geoms)) == ("gap", "D", 2)
    assert gap.place.symmetric_difference(hole.union(strip)).area < 1e-12
    assert gap.message.startswith("nothing below D covers 40,399 m2 in 2 pieces, the largest 39,999 m2 at ")


def test_noise_is_not_told():
    speck = box(100, 100, 100.9, 100.9)
    assert told((0, "D", None, box(0, 0, 1000, 400)), (1, "V1", "D", box(0, 0, 1000, 400).difference(speck))) == []


def test_an_area_that_equals_another_and_one_inside_another_overlap():
    one, inner = box(0, 0, 100, 100), box(20, 20, 30, 30)
    entries = told((1, "V1", None, one), (1, "V2", None, one), (1, "V3", None, inner))
    assert [(entry.subject, round(entry.amount)) for entry in entries] == [
        ("V1, V2", 10_000),
        ("V1, V3", 100),
        ("V2, V3", 100),
    ]


def test_areas_that_hold_at_different_times_are_not_held_against_each_other():
    old = (1, "V1", None, box(0, 0, 100, 100), None, None, "2025-01-01")
    new = (1, "V2", None, box(0, 0, 100, 100), None, "2025-01-01", None)
    assert told(old, new) == []
    (entry,) = told(old, (*new[:5], "2024-12-31", None))
    assert entry.kind == "overlap"


def test_areas_that_stand_are_held_against_the_files_but_not_among_themselves():
    standing = [
        (1, "V1", None, box(0, 0, 1000, 400)),
        (2, "V1G1", "V1", box(0, 0, 500, 400)),
        (2, "V1G3", "V1", box(490, 0, 600, 400)),
        (2, "V1G2", "V1", box(0, 0, 1, 1)),
        (1, "V2", None, box(1000, 0, 2000, 400)),
        (2, "V2G1", "V2", box(1100, 0, 2100, 400)),
    ]
    new = (2, "V1G2", "V1", box(590, 0, 990, 400))
    entries = told(new, standing=standing)
    assert [(entry.kind, entry.subject, entry.row_number, round(entry.amount)) for entry in entries] == [
        ("sibling_overlap", "V1G2, V1G3", 1, 4000),
        ("gap", "V1", None, 4000),
    ]


def test_a_tree_knows_parents_rows_and_families():
    tree = Tree.of(table(*fitting()[1:]), np.array([7, 9]), table(*fitting()))
    assert tree.code == ["V1G1", "V1G2", "V1"]
    assert tree.row.tolist() == [7, 9, NONE]
    assert tree.parent.tolist() == [2, 2, NONE]
    assert {parent: children.tolist() for parent, children in tree.families().items()} == {2: [0, 1]}


@given(st.data())
def test_moving_the_whole_tree_changes_nothing(data):
    shift = data.draw(st.tuples(st.floats(-0.5, 0.5), st.floats(-0.001, 0.001)))
    areas = [*fitting(), (2, "V1G3", "V1", box(490, -20, 700, 200))]
    moved = [(*area[:3], shapely.transform(area[3], lambda xy: xy + shift)) for area in areas]
    before, after = told(*areas), told(*moved)
    assert [(entry.kind, entry.subject) for entry in before] == [(entry.kind, entry.subject) for entry in after]
    np.testing.assert_allclose([e.amount for e in before], [e.amount for e in after], rtol=1e-3)


CHICAGO = Path(__file__).parents[3] / "shared" / "data" / "chicago" / "boundaries"


@pytest.mark.skipif(not CHICAGO.exists(), reason="the boundaries of Chicago are not here")
def test_the_beats_of_chicago_fit_their_districts_but_for_the_two_that_the_city_surrounds():
    def features(name):
        return json.loads((CHICAGO / name).read_text())["features"]

    def grouped(key):
        found = {}
        for feature in features("police_beats.geojson"):
            found.setdefault(feature["properties"][key], []).append(
                shapely.from_geojson(json.dumps(feature["geometry"]))
            )
        return {code: shapely.union_all(shapes) for code, shapes in found.items()}

    city = shapely.union_all([shapely.from_geojson(json.dumps(f["geometry"])) for f in features("city.geojson")])
    districts, beats = grouped("district"), grouped("beat_num")
    areas = [(0, "CHI", None, city)]
    areas += [(1, code, "CHI", shape) for code, shape in districts.items()]
    areas += [(2, code, str(int(code[:2])), shape) for code, shape in beats.items()]
    levels = [SimpleNamespace(code=code) for code in ("city", "district", "beat")]
    entries = told(*areas, city=SimpleNamespace(levels=levels))
    assert {entry.kind for entry in entries} == {"outside_parent", "gap"}
    reaching = {entry.subject: entry.amount for entry in entries if entry.kind == "outside_parent"}
    assert max(reaching, key=reaching.__getitem__) == "16, CHI"  # the airport's far side
    assert reaching["16, CHI"] == pytest.approx(36.4e6, rel=0.01)
    assert all(subject.endswith(", CHI") for subject in reaching)
