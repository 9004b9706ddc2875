import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.plane import metres_per_degree, slivers, square_metres
from etl.repair import multi, repair

SQUARE = shapely.box(0, 0, 1, 1)
BOW_TIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
CLOCKWISE = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
M = 1e-5  # degrees: about a metre at the equator


def mended(shape):
    """One shape repaired, and what was done to it."""
    done = repair(np.array([shape], np.object_))
    return done.shapes[0], [entry for _, entry in done.entries]


def rings(shape):
    return [ring for part in shape.geoms for ring in (part.exterior, *part.interiors)]


@pytest.mark.parametrize(
    ("shape", "kind", "place", "before", "after"),
    [
        (BOW_TIE, "self_crossing", (1, 1), 0, 2),
        (shapely.Polygon([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)]), "self_touching", (1, 1), 2, 2),
        (shapely.Polygon(SQUARE.exterior, [shapely.box(5, 5, 6, 6).exterior]), "hole_outside", None, 0, 2),
        (
            shapely.Polygon(
                shapely.box(0, 0, 9, 9).exterior,
                [shapely.box(1, 1, 6, 6).exterior, shapely.box(2, 2, 3, 3).exterior],
            ),
            "nested_holes", None, 55, 56,
        ),
        (shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(1, 1, 2, 2)]), "nested_parts", None, 82, 81),
        (
            shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(0, 2), (2, 1), (4, 2), (2, 3)]]),
            "interior_cut", None, 12, 12,
        ),
        (shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)]), "self_crossing", None, 8, 7),
    ],
)  # fmt: skip
def test_an_invalid_shape_is_mended_and_told(shape, kind, place, before, after):
    whole, (entry,) = mended(shapely.transform(shape, lambda xy: xy / 1000))
    assert whole.is_valid
    assert (entry.kind, entry.changed, entry.unit) == (kind, True, "m2")
    degree = metres_per_degree(np.array([0.0]))[0].prod() / 1e6
    assert entry.amount == pytest.approx((after - before) * degree, rel=1e-5, abs=0.01)
    assert square_metres(np.array([whole])) == pytest.approx(after * degree, rel=1e-5)
    if place:
        assert entry.place == shapely.Point(place[0] / 1000, place[1] / 1000)
    assert shapely.intersects(entry.place, shapely.box(0, 0, 0.01, 0.01))


def test_a_ring_that_runs_the_wrong_way_is_turned_and_told():
    hole = shapely.box(0.2, 0.2, 0.4, 0.4, ccw=True).exterior
    whole, (entry,) = mended(shapely.Polygon(CLOCKWISE.exterior, [hole]))
    assert [ring.is_ccw for ring in rings(whole)] == [True, False]
    assert (entry.kind, entry.amount, entry.unit) == ("ring_order", 2, "rings")
    assert whole.contains(entry.place)
    assert mended(shapely.reverse(CLOCKWISE))[1] == []


def test_repeated_corners_are_dropped_and_told():
    corners = [(0, 0), (1, 0), (1, 0), (1, 5e-9), (1, 1), (0, 1), (0, 1)]
    whole, (entry,) = mended(shapely.Polygon(corners))
    assert whole.equals(SQUARE)
    assert shapely.get_num_coordinates(whole) == 5
    assert (entry.kind, entry.amount, entry.unit) == ("duplicate_vertex", 3, "corners")
    assert {tuple(xy) for xy in shapely.get_coordinates(entry.place)} == {(1, 0), (1, 5e-9), (0, 1)}


def test_corners_two_millimetres_apart_are_two():
    assert mended(shapely.Polygon([(0, 0), (1, 0), (1, 2e-8), (1, 1), (0, 1)]))[1] == []


def test_sliver_parts_are_dropped_and_sliver_holes_filled_and_told():
    part, thin = shapely.box(20 * M, 0, 20.5 * M, M), shapely.box(30 * M, 0, 30.05 * M, 90 * M)
    small, real = shapely.box(2 * M, 2 * M, 2.9 * M, 2.9 * M), shapely.box(4 * M, 4 * M, 6 * M, 6 * M)
    shell = shapely.box(0, 0, 10 * M, 10 * M)
    holed = shapely.Polygon(shell.exterior, [small.exterior.reverse(), real.exterior.reverse()])
    whole, entries = mended(shapely.MultiPolygon([part, thin, holed]))
    assert whole.equals(shell.difference(real))
    assert [entry.kind for entry in entries] == ["sliver"] * 3
    assert [entry.place.equals(gone) for entry, gone in zip(entries, (part, thin, small), strict=True)] == [
        True
    ] * 3
    assert [entry.amount for entry in entries] == pytest.approx([0.62, 5.5, 1.0], rel=0.02)
    assert [entry.message.split(",")[0] for entry in entries] == ["a part was dropped"] * 2 + ["a hole was filled"]


def test_of_slivers_alone_the_largest_stays():
    small, large = shapely.box(0, 0, 0.2 * M, 0.2 * M), shapely.box(M, 0, 1.3 * M, 0.3 * M)
    whole, (entry,) = mended(shapely.MultiPolygon([small, large]))
    assert whole.equals(large)
    assert entry.place.equals(small)


def test_a_corner_that_keeps_a_ring_from_crossing_itself_stays():
    spike = [(1, 1), (0.6, 1), (0.5000001, -4e-9), (0.55, 1), (0, 1)]
    shape = shapely.Polygon([(0, 0), (0.5, 0), (0.5, -8e-9), (1, -8e-9), *spike])
    assert shape.is_valid
    assert mended(shape)[1] == []


def test_a_narrow_hole_with_a_part_in_it_stays():
    body, arm = shapely.box(M, M, 3 * M, 3 * M), shapely.box(3 * M, 2 * M, 63 * M, 2.01 * M)
    hole, island = body.union(arm), shapely.box(1.3 * M, 1.3 * M, 2.6 * M, 2.6 * M)
    assert slivers(np.array([hole, island])).tolist() == [True, False]
    holed = shapely.Polygon(shapely.box(0, 0, 90 * M, 90 * M).exterior, [hole.exterior])
    assert mended(shapely.orient_polygons(shapely.MultiPolygon([holed, island])))[1] == []


def test_several_faults_of_one_shape_are_told_one_by_one():
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 2), (2, 0), (0, 2)])
    speck = shapely.box(3, 3, 3 + 0.5 * M, 3 + 0.5 * M)
    _, entries = mended(shapely.MultiPolygon([bow_tie, speck]))
    assert [entry.kind for entry in entries] == ["duplicate_vertex", "self_crossing", "sliver"]


def test_a_polygon_without_area_is_beyond_repair():
    flat = shapely.Polygon([(0, 0), (1, 1), (0, 0), (0, 0)])
    done = repair(np.array([flat, SQUARE]))
    assert done.shapes[0] is None
    assert (done.lost.tolist(), done.changed.tolist(), done.entries) == ([True, False], [False, False], [])


def test_none_stays_none_and_its_place():
    done = repair(np.array([None, SQUARE, None]))
    assert [shape is None for shape in done.shapes] == [True, False, True]
    assert not done.changed.any()
    assert not done.lost.any()


def test_entries_name_the_row_and_the_code_of_rows_that_are_good():
    done = repair(np.array([SQUARE, BOW_TIE, CLOCKWISE]))
    told = list(done.of(np.array([11, 12, 13]), ["a", "b", "c"], np.array([True, False, True])))
    assert [(entry.row_number, entry.subject, entry.kind) for entry in told] == [(13, "c", "ring_order")]


def test_of_mixed_shapes_only_polygons_are_kept():
    mixed = shapely.GeometryCollection([SQUARE, shapely.Point(5, 5), shapely.box(2, 2, 3, 3)])
    many = multi(np.array([mixed, shapely.Point(0, 0)], object))
    assert len(many[0].geoms) == 2
    assert many[1] is None


# Corners of a coarse grid cross, touch and repeat far more often than free ones; a jitter of about a millimetre makes
# corners that almost repeat, and cells of 0.3 m make slivers.
_CELL = st.sampled_from([0.3 * M, 7 * M, 1e-3])
_CORNER = st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0, 0, 0, 4e-9, 9e-9, 3e-8]))


@st.composite
def polygons(draw):
    """Polygons and multipolygons with every fault."""
    cell = draw(_CELL)

    def ring():
        corners = [(x * cell + shift, y * cell) for x, y, shift in draw(st.lists(_CORNER, min_size=3, max_size=9))]
        if draw(st.booleans()):  # most rings whose corners go round do not cross
            middle = np.mean(corners, axis=0)
            corners.sort(
                key=lambda xy: math.atan2(xy[1] - middle[1], xy[0] - middle[0]), reverse=draw(st.booleans())
            )
        return corners

    parts = [
        shapely.Polygon(ring(), [ring() for _ in range(draw(st.integers(0, 2)))])
        for _ in range(draw(st.integers(1, 3)))
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


@given(st.lists(polygons(), min_size=1, max_size=4))
def test_what_is_repaired_needs_no_repair(shapes):
    once = repair(np.array(shapes, np.object_))
    here = ~once.lost
    assert shapely.is_valid(once.shapes[here]).all()
    again = repair(once.shapes)
    assert again.entries == []
    assert not again.changed.any()
    assert shapely.to_wkb(again.shapes).tolist() == shapely.to_wkb(once.shapes).tolist()
    assert {index for index, _ in once.entries} == set(np.flatnonzero(once.changed).tolist())


@given(polygons())
def test_a_shape_of_which_nothing_is_told_is_as_it_was(shape):
    whole, entries = mended(shape)
    if not entries and whole is not None:
        assert shapely.to_wkb(whole) == shapely.to_wkb(multi(np.array([shape], np.object_))[0])


@given(polygons())
def test_the_area_that_a_valid_shape_gains_or_loses_is_told(shape):
    whole, entries = mended(shape)
    if not shape.is_valid or whole is None:
        return
    told = sum(
        entry.amount if "hole" in entry.message else -entry.amount for entry in entries if entry.kind == "sliver"
    )
    before, after = square_metres(np.array([shape, whole]))
    edge_m = shapely.length(shape) * 111_320
    assert after - before == pytest.approx(told, abs=0.002 * edge_m + 1e-6)


@given(polygons())
def test_no_sliver_is_left_but_the_largest_part(shape):
    whole, _ = mended(shape)
    if whole is not None:
        parts = np.array(whole.geoms)
        assert slivers(parts).sum() <= 1
        assert not slivers(parts).any() or len(parts) == 1
