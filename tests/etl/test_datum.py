import numpy as np
import pytest

from etl.datum import check_declared, to_lonlat
from layers.core.errors import BadSource, UnknownDatum


def test_epsg_4326_is_what_is_kept():
    lonlat = np.array([[114.7, 23.7], [np.nan, 1.0]])
    assert to_lonlat("EPSG:4326")(lonlat) is lonlat


def test_projected_coordinates_come_east_before_north():
    # By the definition of UTM, the central meridian meets the equator at 500 000 m east of the false origin.
    np.testing.assert_allclose(to_lonlat("EPSG:32650")(np.array([[500000.0, 0.0]])), [[117.0, 0.0]], atol=1e-9)


def test_the_axis_order_of_cgcs2000_is_not_followed():
    np.testing.assert_allclose(to_lonlat("EPSG:4490")(np.array([[114.7, 23.7]])), [[114.7, 23.7]], atol=1e-6)


def test_a_point_without_an_image_is_infinite():
    assert not np.isfinite(to_lonlat("EPSG:32650")(np.array([[1e30, 1e30]]))).any()


@pytest.mark.parametrize("datum", ["gcj02", "WGS84", "EPSG:999999", "EPSG:4326+5773"])
def test_an_unknown_datum_is_named(datum):
    with pytest.raises(UnknownDatum, match=datum.replace("+", r"\+")):
        to_lonlat(datum)
    with pytest.raises(UnknownDatum):
        check_declared(datum, None, "f.geojson")


def test_a_file_that_contradicts_its_toml_is_refused():
    with pytest.raises(BadSource, match=r"f\.geojson: it says EPSG:32632, but its TOML says EPSG:4326"):
        check_declared("EPSG:4326", "EPSG:32632", "f.geojson")


@pytest.mark.parametrize("declared", [None, "EPSG:4326", "OGC:CRS84"])
def test_a_file_that_says_nothing_or_the_same_is_taken(declared):
    check_declared("EPSG:4326", declared, "f.geojson")
