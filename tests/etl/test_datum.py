import math

import numpy as np
import pytest

from etl.datum import check_declared, to_lonlat
from layers.core.errors import BadSource, UnknownDatum


def gauss_krueger(lon, lat, centre):
    """Easting and northing in metres on the ellipsoid of CGCS2000, by the series of Krüger 1912 to the fourth power."""
    a, f = 6378137.0, 1 / 298.257222101
    n = f / (2 - f)
    e = math.sqrt(f * (2 - f))
    phi, lam = math.radians(lat), math.radians(lon - centre)
    t = math.sinh(math.atanh(math.sin(phi)) - e * math.atanh(e * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.atanh(math.sin(lam) / math.hypot(1, t))
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    waves = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    east = eta + sum(w * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, w in enumerate(waves, 1))
    north = xi + sum(w * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, w in enumerate(waves, 1))
    return 500000 + radius * east, radius * north


def test_epsg_4326_is_what_is_kept():
    lonlat = np.array([[114.7, 23.7], [np.nan, 1.0]])
    assert to_lonlat("EPSG:4326")(lonlat) is lonlat


def test_projected_coordinates_come_east_before_north():
    # By the definition of UTM, the central meridian meets the equator at 500 000 m east of the false origin.
    np.testing.assert_allclose(to_lonlat("EPSG:32650")(np.array([[500000.0, 0.0]])), [[117.0, 0.0]], atol=1e-9)


def test_the_axis_order_of_cgcs2000_is_not_followed():
    np.testing.assert_allclose(to_lonlat("EPSG:4490")(np.array([[114.7, 23.7]])), [[114.7, 23.7]], atol=1e-6)


def test_the_meridian_of_the_chinese_zone_at_114_degrees_has_its_published_length():
    # From the equator to 45 degrees north on this ellipsoid are 4 984 944.378 m.
    np.testing.assert_allclose(to_lonlat("EPSG:4547")(np.array([[500000.0, 4984944.378]])), [[114, 45]], atol=1e-8)


def test_the_chinese_zone_at_114_degrees_is_that_of_the_series():
    lonlat = np.random.default_rng(1).uniform([112.5, 18], [115.5, 54], (200, 2))
    xy = np.array([gauss_krueger(lon, lat, 114) for lon, lat in lonlat])
    np.testing.assert_allclose(to_lonlat("EPSG:4547")(xy), lonlat, rtol=0, atol=1e-9)
    # The same zone, with its number before the easting.
    np.testing.assert_allclose(to_lonlat("EPSG:4526")(xy + np.array([38e6, 0])), lonlat, rtol=0, atol=1e-9)


def test_tiananmen_comes_home_from_the_datums_of_web_maps():
    # Published values, to seven decimals.
    wgs84 = [[116.397470, 39.908823]]
    np.testing.assert_allclose(to_lonlat("gcj02")(np.array([[116.4037136, 39.9102265]])), wgs84, rtol=0, atol=2e-7)
    np.testing.assert_allclose(to_lonlat("bd09")(np.array([[116.4100864, 39.9165658]])), wgs84, rtol=0, atol=2e-7)


@pytest.mark.parametrize("datum", ["EPSG:32650", "EPSG:4547", "gcj02", "bd09"])
def test_a_point_without_an_image_is_infinite_and_nan_stays_nan(datum):
    found = to_lonlat(datum)(np.array([[1e30, 1e30], [np.nan, np.nan]]))
    assert np.isinf(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("datum", ["GCJ-02", "WGS84", "EPSG:999999", "EPSG:4326+5773"])
def test_an_unknown_datum_is_named(datum):
    with pytest.raises(UnknownDatum, match=datum.replace("+", r"\+")):
        to_lonlat(datum)
    with pytest.raises(UnknownDatum):
        check_declared(datum, None, "f.geojson")


def test_a_file_that_contradicts_its_toml_is_refused():
    with pytest.raises(BadSource, match=r"f\.geojson: it says EPSG:32632, but its TOML says EPSG:4326"):
        check_declared("EPSG:4326", "EPSG:32632", "f.geojson")


@pytest.mark.parametrize("declared", [None, "EPSG:4326", "OGC:CRS84"])
@pytest.mark.parametrize("datum", ["EPSG:4326", "gcj02", "bd09"])
def test_a_file_that_says_nothing_or_wgs84_may_be_in_a_datum_of_web_maps(datum, declared):
    check_declared(datum, declared, "f.geojson")


@pytest.mark.parametrize("datum", ["EPSG:4547", "EPSG:4490"])
def test_a_file_that_says_the_same_is_taken(datum):
    check_declared(datum, datum, "f.shp")


@pytest.mark.parametrize("datum", ["EPSG:4326", "gcj02", "bd09"])
def test_the_word_of_a_survey_contradicts_a_web_map(datum):
    with pytest.raises(BadSource, match=rf"f\.shp: it says EPSG:4490, but its TOML says {datum}"):
        check_declared(datum, "EPSG:4490", "f.shp")


def test_a_file_that_says_what_nobody_understands_is_refused():
    with pytest.raises(BadSource, match=r"f\.shp: PROJ does not know what it says, our own grid"):
        check_declared("EPSG:4326", "our own grid", "f.shp")
