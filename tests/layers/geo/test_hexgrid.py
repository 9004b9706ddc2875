"""The one door to H3, against h3-py."""

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.geo import hexgrid
from layers.geo.bbox import Bbox

WORLD = Bbox(-180, -90, 180, 90)
points = st.lists(st.tuples(st.floats(-180, 180), st.floats(-89.9, 89.9)), min_size=1, max_size=20)

# Places where the grid or the map is unlike itself: the antimeridian, the poles, and around pentagons.
rims = st.one_of(
    st.tuples(st.floats(-0.1, 0.1).map(lambda off: off - 180 if off > 0 else off + 180), st.floats(-85, 85)),
    st.tuples(st.floats(-180, 180), st.floats(89, 90) | st.floats(-90, -89)),
    st.sampled_from(sorted(h3.get_pentagons(9))).map(lambda text: h3.cell_to_latlng(text)[::-1]),
)
some_rims = st.lists(rims, min_size=1, max_size=12)


def _ids(texts):
    return np.array([h3.str_to_int(text) for text in texts], dtype=np.uint64)


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


@given(some_rims, st.integers(0, 10))
def test_index_centre_and_area_agree_with_the_library_at_pentagons_poles_and_the_antimeridian(lonlat, res):
    cells = hexgrid.index(np.array(lonlat), res)
    texts = [h3.latlng_to_cell(lat, lon, res) for lon, lat in lonlat]
    assert hexgrid.to_text(cells) == texts
    latlng = np.array([h3.cell_to_latlng(text) for text in texts])
    np.testing.assert_allclose(hexgrid.centre(cells), latlng[:, ::-1], atol=1e-9)
    np.testing.assert_allclose(hexgrid.area_m2(cells), [h3.cell_area(text, "m^2") for text in texts], rtol=1e-5)
    coarse = [h3.cell_to_parent(text, res // 2) for text in texts]
    assert hexgrid.to_text(hexgrid.parent(cells, res // 2)) == coarse


@pytest.mark.parametrize("res", range(4))
def test_a_cover_of_the_world_has_the_published_number_of_cells_and_their_outlines_fill_it_once(res):
    cells = hexgrid.cover(WORLD, res)
    assert cells.size == 2 + 120 * 7**res
    shapes = hexgrid.outline(cells)
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shapes).sum() == pytest.approx(360 * 180, abs=1e-6)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(360 * 180, abs=1e-6)
    earth = 4 * np.pi * 6_371_007.180918475**2
    assert hexgrid.area_m2(cells).sum() == pytest.approx(earth, rel=1e-9)


@pytest.mark.parametrize("res", range(4))
def test_a_resolution_has_twelve_pentagons_each_with_five_neighbours(res):
    cells = hexgrid.cover(WORLD, res)
    place, _, steps = hexgrid.disk(cells, 1)
    neighbours = np.bincount(place[steps == 1], minlength=cells.size)
    assert set(neighbours.tolist()) == {5, 6}
    assert hexgrid.to_text(cells[neighbours == 5]) == sorted(h3.get_pentagons(res))


@pytest.mark.parametrize("res", range(3))
def test_a_hexagon_has_seven_children_and_a_pentagon_six(res):
    coarse = hexgrid.cover(WORLD, res)
    parents, children = np.unique(hexgrid.parent(hexgrid.cover(WORLD, res + 1), res), return_counts=True)
    assert parents.tolist() == coarse.tolist()
    pentagon = np.isin(parents, _ids(h3.get_pentagons(res)))
    assert set(children[pentagon].tolist()) == {6}
    assert set(children[~pentagon].tolist()) == {7}


@pytest.mark.parametrize("pentagon", sorted(h3.get_pentagons(5)))
def test_the_children_of_a_pentagon_lie_in_one_range_of_ids_and_its_own_children_fill_it(pentagon):
    low, high = hexgrid.children_range(h3.str_to_int(pentagon), 7)
    children = _ids(h3.cell_to_children(pentagon, 7))
    assert (children.min(), children.max(), children.size) == (low, high, 6 + 5 * 7)
    assert (hexgrid.parent(children, 5) == h3.str_to_int(pentagon)).all()


@given(some_rims, st.integers(2, 9))
def test_an_outline_across_the_antimeridian_is_cut_and_holds_the_centre_of_its_cell(lonlat, res):
    cells = hexgrid.index(np.array(lonlat), res)
    for shape, (lon, lat) in zip(hexgrid.outline(cells), hexgrid.centre(cells), strict=True):
        west, south, east, north = shape.bounds
        assert shape.is_valid
        assert -180 <= west < east <= 180
        assert -90 <= south < north <= 90
        # Next to a pole even a small cell is wide, and its edges are far from straight.
        if abs(lat) < 84:
            assert all(part.bounds[2] - part.bounds[0] < 90 for part in shapely.get_parts(shape))
            assert shape.contains(shapely.Point(lon, lat))


def test_both_parts_of_an_outline_across_the_antimeridian_touch_it():
    (shape,) = hexgrid.outline(hexgrid.index(np.array([[179.99, -16.9]]), 4))
    east, west = sorted(shapely.get_parts(shape), key=lambda part: -part.bounds[0])
    assert east.bounds[2] == 180
    assert west.bounds[0] == -180
    assert east.area > 0
    assert west.area > 0


@given(some_rims, st.integers(0, 9), st.integers(0, 5))
def test_a_disk_holds_what_a_walk_over_neighbours_reaches_in_so_many_steps(lonlat, res, k):
    cells = hexgrid.index(np.array(lonlat), res)
    place, near, steps = hexgrid.disk(cells, k)
    assert place.tolist() == sorted(place.tolist())
    for i, cell in enumerate(hexgrid.to_text(cells)):
        reached = {cell: 0}
        for step in range(1, k + 1):
            edge = [text for text, at in reached.items() if at == step - 1]
            for text in {other for at in edge for other in h3.grid_disk(at, 1)}:
                reached.setdefault(text, step)
        mine = place == i
        found = list(zip(hexgrid.to_text(near[mine]), steps[mine].tolist(), strict=True))
        assert len(found) == len(reached)
        assert dict(found) == reached


def test_a_disk_of_no_cells_is_empty():
    assert [part.size for part in hexgrid.disk(np.empty(0, np.uint64), 2)] == [0, 0, 0]


@given(st.floats(-180, 180), st.floats(0.01, 3), st.floats(-80, 77), st.data())
def test_a_cover_holds_the_cell_of_every_point_in_a_box_anywhere_also_across_the_antimeridian(
    lon, size, lat, data
):
    box = Bbox(lon, lat, (lon + size + 180) % 360 - 180, lat + size)
    along, up = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    point = np.array([[(lon + along * size + 180) % 360 - 180, lat + up * size]])
    assert hexgrid.index(point, 4)[0] in hexgrid.cover(box, 4)


def test_a_cover_of_a_box_wider_than_half_the_world_is_the_cells_that_touch_it():
    everything = hexgrid.cover(WORLD, 2)
    box = Bbox(-100, -40, 150, 50)
    touching = shapely.intersects(hexgrid.outline(everything), shapely.box(-100, -40, 150, 50))
    assert hexgrid.cover(box, 2).tolist() == everything[touching].tolist()
