import numpy as np
import pytest
import shapely
from pyproj import Geod

from etl.plane import metres_per_degree, slivers, square_metres

WGS84 = Geod(ellps="WGS84")
PLACES = [(114.7, 23.7), (-87.6, 41.9), (10.0, 60.0), (0.0, 0.0), (151.0, -33.9)]


def box(lonlat, east_m, north_m):
    """A box of metres whose south-west corner is there."""
    east, north = (np.array([east_m, north_m]) / metres_per_degree(np.array([lonlat[1]]))[0]).tolist()
    return shapely.box(*lonlat, lonlat[0] + east, lonlat[1] + north)


@pytest.mark.parametrize("lonlat", PLACES)
@pytest.mark.parametrize(("edge_m", "error"), [(100, 1e-5), (1_000, 1e-4), (10_000, 1e-3)])
def test_square_metres_are_those_of_the_ellipsoid(lonlat, edge_m, error):
    square = box(lonlat, edge_m, edge_m)
    corner = shapely.Polygon([lonlat, square.exterior.coords[0], square.exterior.coords[1]])
    for shape in (square, corner):
        true, _ = WGS84.geometry_area_perimeter(shapely.segmentize(shapely.orient_polygons(shape), 1e-5))
        np.testing.assert_allclose(square_metres(np.array([shape])), true, rtol=error)


def test_a_small_polygon_far_from_the_equator_keeps_its_area():
    np.testing.assert_allclose(square_metres(np.array([box((10.0, 60.0), 2.0, 0.5)])), 1.0, rtol=1e-6)


@pytest.mark.parametrize("lonlat", PLACES)
@pytest.mark.parametrize(
    ("east_m", "north_m", "thin"),
    [
        (1.1, 1.1, False),
        (0.9, 0.9, True),
        (500, 0.11, False),
        (500, 0.09, True),
        (0.09, 500, True),
        (0.11, 500, False),
    ],
)
def test_a_sliver_is_small_or_narrow_on_the_ground(lonlat, east_m, north_m, thin):
    assert slivers(np.array([box(lonlat, east_m, north_m)])).tolist() == [thin]
