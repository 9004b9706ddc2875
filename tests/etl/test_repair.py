import numpy as np
import shapely

from etl.repair import multi, repair

SQUARE = shapely.box(0, 0, 1, 1)
BOW_TIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
CLOCKWISE = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])


def test_a_bow_tie_becomes_its_two_halves():
    mended = repair(np.array([BOW_TIE, SQUARE]))
    assert mended.mended.tolist() == [True, False]
    assert shapely.is_valid(mended.shapes).all()
    assert [len(shape.geoms) for shape in mended.shapes] == [2, 1]
    assert mended.shapes[0].area == 2


def test_outer_rings_run_counter_clockwise():
    mended = repair(np.array([CLOCKWISE, shapely.reverse(CLOCKWISE)]))
    assert mended.turned.tolist() == [True, False]
    assert all(shape.geoms[0].exterior.is_ccw for shape in mended.shapes)


def test_a_polygon_without_area_is_beyond_repair():
    flat = shapely.Polygon([(0, 0), (1, 1), (0, 0), (0, 0)])
    assert repair(np.array([flat])).shapes.tolist() == [None]


def test_none_stays_none_and_its_place():
    mended = repair(np.array([None, SQUARE, None]))
    assert [shape is None for shape in mended.shapes] == [True, False, True]
    assert not mended.mended.any()


def test_of_mixed_shapes_only_polygons_are_kept():
    mixed = shapely.GeometryCollection([SQUARE, shapely.Point(5, 5), shapely.box(2, 2, 3, 3)])
    many = multi(np.array([mixed, shapely.Point(0, 0)], object))
    assert len(many[0].geoms) == 2
    assert many[1] is None
