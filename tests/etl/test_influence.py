import numpy as np
import pytest
import shapely
from pyproj import Geod

from etl.influence import widen

WGS84 = Geod(ellps="WGS84")


@pytest.mark.parametrize("lonlat", [(114.7, 23.7), (-79.4, 43.7), (10.0, 60.0), (0.0, 0.0), (151.0, -33.9)])
@pytest.mark.parametrize("metres", [50.0, 800.0, 5000.0])
def test_the_edge_of_a_widened_point_is_that_far_away_on_the_ground(lonlat, metres):
    (wide,) = widen(np.array([shapely.Point(lonlat)]), np.array([metres]))
    edge = shapely.get_coordinates(wide)
    _, _, distance = WGS84.inv(*np.broadcast_to(lonlat, edge.shape).T, *edge.T)
    np.testing.assert_allclose(distance, metres, rtol=2e-3)


def test_every_corner_of_a_polygon_is_as_far_inside():
    square = shapely.box(10.0, 50.0, 10.05, 50.05)
    (wide,) = widen(np.array([square]), np.array([1000.0]))
    west = shapely.bounds(wide)[0]
    _, _, distance = WGS84.inv(west, 50.025, 10.0, 50.025)
    assert distance == pytest.approx(1000, rel=2e-3)
    assert shapely.contains(wide, square)


def test_each_place_has_its_own_distance_and_order_is_kept():
    near, far = widen(np.array([shapely.Point(10, 50), shapely.Point(10, 50)]), np.array([100.0, 200.0]))
    assert far.area == pytest.approx(4 * near.area, rel=1e-3)
    assert (near.geom_type, far.geom_type) == ("MultiPolygon", "MultiPolygon")


def test_without_metres_a_polygon_is_itself_and_a_point_covers_nothing():
    square = shapely.box(10.0, 50.0, 10.05, 50.05)
    same, nothing = widen(np.array([square, shapely.Point(10, 50)]), np.array([0.0, 0.0]))
    assert shapely.hausdorff_distance(same, square) < 1e-12
    assert nothing is None


def test_no_places_give_no_influence():
    assert widen(np.array([], object), np.array([])).tolist() == []
