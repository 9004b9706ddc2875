"""Tiles and the resolution of each zoom."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from layers.core.errors import NotFound
from layers.geo.tiles import Tile, heat_resolution


def test_the_world_is_one_tile_at_zoom_0():
    box = Tile.at(0, 0, 0).bbox
    assert (box.west, box.east) == (-180, 180)
    assert box.north == pytest.approx(85.0511287798)
    assert box.south == pytest.approx(-box.north)


@given(st.integers(0, 20), st.data())
def test_a_tile_is_covered_by_its_four_children(z, data):
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in range(2))
    box = Tile.at(z, x, y).bbox
    first, last = Tile.at(z + 1, 2 * x, 2 * y).bbox, Tile.at(z + 1, 2 * x + 1, 2 * y + 1).bbox
    assert (first.west, first.north) == (box.west, box.north)
    assert last.east == pytest.approx(box.east)
    assert last.south == pytest.approx(box.south)


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (2, 4, 0), (2, 0, 4), (2, -1, 0), (25, 0, 0), (99, 1, 1)])
def test_a_tile_outside_the_quadtree_is_not_there(z, x, y):
    with pytest.raises(NotFound):
        Tile.at(z, x, y)


def test_each_zoom_has_the_resolution_that_the_wall_was_drawn_with():
    assert [heat_resolution(z, 10) for z in range(7, 16)] == [5, 6, 7, 8, 8, 9, 10, 10, 10]
    assert heat_resolution(18, 8) == 8
    assert heat_resolution(0, 10) == 0


@given(st.integers(0, 20), st.data())
def test_units_count_from_the_north_west_corner_of_a_tile(z, data):
    x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in range(2))
    at = Tile.at(z, x, y)
    corners = np.array([[at.bbox.west, at.bbox.north], [at.bbox.east, at.bbox.south]])
    np.testing.assert_allclose(at.units(corners, 4096), [[0, 0], [4096, 4096]], atol=1e-3)


@given(st.floats(-180, 180), st.floats(-85, 85))
def test_units_are_those_of_web_mercator(lon, lat):
    easting, northing = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    edge = math.pi * 6378137
    expected = [(easting + edge) / (2 * edge) * 256, (edge - northing) / (2 * edge) * 256]
    np.testing.assert_allclose(Tile.at(0, 0, 0).units(np.array([[lon, lat]]), 256)[0], expected, atol=1e-9)


def test_a_pole_is_beyond_the_map_and_not_infinitely_far():
    units = Tile.at(0, 0, 0).units(np.array([[0.0, 90.0], [0.0, -90.0]]), 4096)
    assert np.isfinite(units).all()
    assert units[0, 1] < 0
    assert units[1, 1] > 4096
