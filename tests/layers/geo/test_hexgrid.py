"""The one door to H3, against h3-py."""

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.geo import hexgrid
from layers.geo.bbox import Bbox

points = st.lists(st.tuples(st.floats(-180, 180), st.floats(-89.9, 89.9)), min_size=1, max_size=20)


@given(points, st.integers(0, 15))
def test_an_index_agrees_with_the_library(lonlat, res):
    cells = hexgrid.index(np.array(lonlat), res)
    assert [hexgrid.at(lon, lat, res) for lon, lat in lonlat] == cells.tolist()
    assert hexgrid.to_text(cells) == [h3.latlng_to_cell(lat, lon, res) for lon, lat in lonlat]


@given(points, st.integers(0, 10))
def test_a_parent_by_bits_agrees_with_the_library_at_every_resolution(lonlat, res):
    cells = hexgrid.index(np.array(lonlat), 10)
    expected = [h3.cell_to_parent(text, res) for text in hexgrid.to_text(cells)]
    assert hexgrid.to_text(hexgrid.parent(cells, res)) == expected
    assert hexgrid.resolution(hexgrid.parent(cells, res)).tolist() == [res] * len(lonlat)


@given(points, st.integers(0, 8))
def test_the_children_of_a_cell_are_one_range_of_ids(lonlat, res):
    cell = int(hexgrid.index(np.array(lonlat), res)[0])
    low, high = hexgrid.children_range(cell, res + 2)
    children = [h3.str_to_int(child) for child in h3.cell_to_children(h3.int_to_str(cell), res + 2)]
    assert (min(children), max(children)) == (low, high)
    ring = [h3.str_to_int(text) for text in h3.grid_disk(h3.int_to_str(children[0]), 4)]
    inside = hexgrid.parent(np.array(ring, np.uint64), res) == cell
    assert [low <= each <= high for each in ring] == inside.tolist()


def test_centre_and_outline_agree_with_the_library_also_for_a_pentagon():
    pentagon = next(iter(h3.get_pentagons(6)))
    texts = [h3.latlng_to_cell(43.7, -79.4, 9), pentagon]
    cells = np.array([h3.str_to_int(text) for text in texts], dtype=np.uint64)
    for i, text in enumerate(texts):
        latitude, longitude = h3.cell_to_latlng(text)
        np.testing.assert_allclose(hexgrid.centre(cells)[i], [longitude, latitude], atol=1e-9)
        ring = shapely.get_coordinates(hexgrid.outline(cells)[i])[:-1]
        expected = [(lng, lat) for lat, lng in h3.cell_to_boundary(text)]
        assert len(ring) == len(expected)
        np.testing.assert_allclose(sorted(map(tuple, ring)), sorted(expected), atol=1e-9)


def test_area_is_the_cells_own_and_not_the_published_average():
    beijing = hexgrid.index(np.array([[116.4, 39.9]]), 9)
    ratio = hexgrid.area_m2(beijing)[0] / h3.average_hexagon_area(9, unit="m^2")
    assert ratio == pytest.approx(0.713, abs=0.005)


@given(st.floats(10, 10.1), st.floats(50, 50.1))
def test_a_cover_holds_the_cell_of_every_point_in_the_box(lon, lat):
    cover = hexgrid.cover(Bbox(10, 50, 10.1, 50.1), 8)
    assert hexgrid.index(np.array([[lon, lat]]), 8)[0] in cover


def test_a_cover_across_the_antimeridian_has_cells_of_both_sides():
    cover = hexgrid.cover(Bbox(179.9, -17, -179.9, -16.9), 6)
    longitudes = hexgrid.centre(cover)[:, 0]
    assert (longitudes > 0).any()
    assert (longitudes < 0).any()
