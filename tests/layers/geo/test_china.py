import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from layers.geo.china import (
    ROUGH_BOX,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

PAIRS = Path(__file__).parents[4] / "shared/data/reference/gcj02_known_pairs.json"
GEOD = Geod(ellps="WGS84")

in_china = st.lists(st.tuples(st.floats(73.5, 135.1), st.floats(3.8, 53.6)), min_size=1, max_size=50).map(np.array)


def metres(here, there):
    return GEOD.inv(*np.transpose(here), *np.transpose(there))[2]


@given(in_china)
def test_there_and_back_is_the_same_point(lonlat):
    np.testing.assert_allclose(gcj02_to_wgs84(wgs84_to_gcj02(lonlat)), lonlat, rtol=0, atol=1e-9)
    np.testing.assert_allclose(bd09_to_wgs84(wgs84_to_bd09(lonlat)), lonlat, rtol=0, atol=1e-9)


@given(in_china)
def test_back_and_there_is_the_same_point(lonlat):
    np.testing.assert_allclose(wgs84_to_gcj02(gcj02_to_wgs84(lonlat)), lonlat, rtol=0, atol=1e-9)
    np.testing.assert_allclose(wgs84_to_bd09(bd09_to_wgs84(lonlat)), lonlat, rtol=0, atol=1e-9)


def test_the_steps_are_as_long_as_is_known():
    lonlat = np.random.default_rng(1).uniform([98, 22], [122, 42], (40_000, 2))
    gcj02 = wgs84_to_gcj02(lonlat)
    step = metres(lonlat, gcj02)
    assert step.min() > 15
    assert step.max() < 706
    assert 400 < np.median(step) < 550
    bd09 = metres(gcj02, gcj02_to_bd09(gcj02))
    assert 750 < bd09.min() < bd09.max() < 1020


def test_around_heyuan_the_shift_is_560_metres_and_twice_that_for_bd09():
    heyuan = np.array([[114.7, 23.7]])
    np.testing.assert_allclose(metres(heyuan, wgs84_to_gcj02(heyuan)), 560, atol=10)
    np.testing.assert_allclose(metres(heyuan, wgs84_to_bd09(heyuan)), 1200, atol=50)


def test_tiananmen_is_where_the_published_values_put_it():
    wgs84, gcj02, bd09 = ([[116.397470, 39.908823]], [[116.4037136, 39.9102265]], [[116.4100864, 39.9165658]])
    np.testing.assert_allclose(wgs84_to_gcj02(np.array(wgs84)), gcj02, rtol=0, atol=1e-7)
    np.testing.assert_allclose(gcj02_to_bd09(np.array(gcj02)), bd09, rtol=0, atol=1e-7)
    np.testing.assert_allclose(bd09_to_wgs84(np.array(bd09)), wgs84, rtol=0, atol=2e-7)


@pytest.mark.skipif(not PAIRS.exists(), reason="the published pairs are not there: ../shared/data/reference")
def test_the_published_pairs_of_other_libraries_agree():
    known = json.loads(PAIRS.read_text())

    def pairs(name, here, there):
        found = [(pair[here], pair[there]) for pair in known[name]]
        assert found
        return np.array(found).transpose(1, 0, 2)

    wgs84, gcj02 = pairs("wgs84_to_gcj02", "wgs84", "gcj02")
    # One of them divides by the radius of another ellipsoid, which is 8 mm.
    exact = np.array([pair["src"] != "geotool" for pair in known["wgs84_to_gcj02"]])
    np.testing.assert_allclose(wgs84_to_gcj02(wgs84), gcj02, rtol=0, atol=1e-7)
    np.testing.assert_allclose(wgs84_to_gcj02(wgs84[exact]), gcj02[exact], rtol=0, atol=1e-12)
    np.testing.assert_allclose(gcj02_to_wgs84(gcj02[exact]), wgs84[exact], rtol=0, atol=1e-9)
    gcj02, bd09 = pairs("gcj02_to_bd09", "gcj02", "bd09")
    np.testing.assert_allclose(gcj02_to_bd09(gcj02), bd09, rtol=0, atol=1e-9)
    # Their inverses take one step only, and are that far off.
    gcj02, rough = pairs("gcj02_to_wgs84_single_step", "gcj02", "wgs84")
    assert metres(gcj02_to_wgs84(gcj02), rough).max() < 2
    bd09, rough = pairs("bd09_to_gcj02", "bd09", "gcj02")
    assert metres(wgs84_to_gcj02(bd09_to_wgs84(bd09)), rough).max() < 0.3
    # One library's BD-09 has a constant wrong, as its neighbours remark: tens of metres of the kilometre.
    bd09, wrong = pairs("bd09_to_wgs84", "bd09", "wgs84")
    assert metres(bd09_to_wgs84(bd09), wrong).max() < 50


def test_the_formula_has_no_border():
    # Either side of the rough box, and on the pivot's meridian and parallel, a step stays a step.
    west = np.array([[ROUGH_BOX.west - 1e-9, 30.0], [ROUGH_BOX.west + 1e-9, 30.0]])
    assert np.ptp(wgs84_to_gcj02(west), axis=0).max() < 1e-8
    toronto = np.array([[-79.4, 43.7]])
    assert metres(toronto, wgs84_to_gcj02(toronto)) > 100
    np.testing.assert_allclose(gcj02_to_wgs84(wgs84_to_gcj02(toronto)), toronto, rtol=0, atol=1e-9)


@pytest.mark.parametrize("convert", [wgs84_to_gcj02, gcj02_to_bd09, wgs84_to_bd09, gcj02_to_wgs84, bd09_to_wgs84])
def test_nan_stays_nan_and_leaves_the_others_alone(convert):
    lonlat = np.array([[114.7, 23.7], [np.nan, np.nan], [116.4, 39.9]])
    kept = lonlat.copy()
    found = convert(lonlat)
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], convert(lonlat[[0, 2]]))
    np.testing.assert_array_equal(lonlat, kept)
    assert convert(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("inverse", [gcj02_to_wgs84, bd09_to_wgs84])
def test_what_is_no_place_on_earth_becomes_infinite(inverse):
    wild = np.array([[500_000.0, 2_600_000.0], [1e300, 1e300], [np.inf, 20.0], [116.0, 40.0]])
    found = inverse(wild)
    assert np.isinf(found[:3]).all()
    assert np.isfinite(found[3]).all()
