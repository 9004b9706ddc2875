"""Tiles and the resolution of each zoom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
