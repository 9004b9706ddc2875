"""Rates, top cells, differences and roll-up, against sums by hand."""

from collections import Counter

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.geo import hexgrid
from layers.heat.measure import difference, per_km2, roll_up, top

BASE = 10
PENTAGON = sorted(h3.get_pentagons(4))[3]

everywhere = st.tuples(st.floats(-180, 180), st.floats(-89.9, 89.9)).map(lambda at: hexgrid.at(*at, BASE))
in_a_city = st.tuples(st.floats(10, 10.05), st.floats(50, 50.05)).map(lambda at: hexgrid.at(*at, BASE))
by_a_pentagon = st.integers(0, 5 * 7**5).map(
    lambda place: h3.str_to_int(h3.child_pos_to_cell(PENTAGON, BASE, place))
)
cells = st.one_of(everywhere, in_a_city, by_a_pentagon)
heats = st.dictionaries(cells, st.integers(1, 2**40), max_size=40)
close_heats = st.dictionaries(st.integers(0, 9), st.integers(-3, 3), max_size=10)


def _arrays(heat):
    cell = np.array(sorted(heat), dtype=np.uint64)
    return cell, np.array([heat[each] for each in cell.tolist()], dtype=np.int64)


def _dict(found):
    cell, value = found
    assert cell.dtype == np.uint64
    assert value.dtype == np.int64
    assert cell.tolist() == sorted(set(cell.tolist()))
    return dict(zip(cell.tolist(), value.tolist(), strict=True))


@given(heats, st.integers(0, BASE))
def test_a_roll_up_keeps_the_sum_and_gives_each_ancestor_what_its_cells_have(heat, res):
    expected = Counter()
    for cell, value in heat.items():
        expected[h3.str_to_int(h3.cell_to_parent(h3.int_to_str(cell), res))] += value
    rolled = _dict(roll_up(*_arrays(heat), res))
    assert rolled == dict(expected)
    assert sum(rolled.values()) == sum(heat.values())


@given(heats, st.integers(0, BASE), st.integers(0, BASE))
def test_a_roll_up_in_two_steps_is_one_in_a_single_step(heat, one, other):
    coarse, middle = sorted((one, other))
    assert _dict(roll_up(*roll_up(*_arrays(heat), middle), coarse)) == _dict(roll_up(*_arrays(heat), coarse))


@pytest.mark.parametrize("res", range(4, 8))
def test_all_descendants_of_a_pentagon_roll_up_to_it_at_every_resolution(res):
    cell = np.array(sorted(h3.str_to_int(text) for text in h3.cell_to_children(PENTAGON, 7)), np.uint64)
    value = np.arange(cell.size)
    above, total = roll_up(cell, value, res)
    assert sorted(hexgrid.to_text(above)) == sorted(h3.cell_to_children(PENTAGON, res))
    assert total.sum() == value.sum()


def test_sums_beyond_the_bits_of_a_float_are_exact():
    cell = np.array([h3.str_to_int(text) for text in sorted(h3.cell_to_children(PENTAGON, 5))], np.uint64)
    value = np.full(cell.size, 2**60 + 1)
    assert roll_up(cell, value, 4)[1].tolist() == [6 * (2**60 + 1)]


@given(st.dictionaries(st.integers(0, 50), st.integers(-4, 4), max_size=30), st.integers(0, 40))
def test_top_cells_are_those_of_greatest_value_and_of_equal_ones_the_lowest_ids(heat, n):
    cell, value = top(*_arrays(heat), n)
    expected = sorted(heat.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    assert list(zip(cell.tolist(), value.tolist(), strict=True)) == expected


@given(close_heats, close_heats)
def test_a_difference_has_the_cells_of_either_that_changed(new, old):
    expected = {cell: new.get(cell, 0) - old.get(cell, 0) for cell in new | old}
    found = _dict(difference(_arrays(new), _arrays(old)))
    assert found == {cell: value for cell, value in expected.items() if value}


@given(close_heats)
def test_nothing_differs_from_itself(heat):
    assert _dict(difference(_arrays(heat), _arrays(heat))) == {}


def test_a_rate_is_by_the_cells_own_area():
    cell = hexgrid.index(np.array([[116.4, 39.9], [-79.4, 43.7]]), 8)
    area = [h3.cell_area(text, "km^2") for text in hexgrid.to_text(cell)]
    rate = per_km2(cell, np.array([10, 0]))
    assert rate[0] == pytest.approx(10 / area[0], rel=1e-6)
    assert rate[1] == 0
    assert rate.dtype == np.float64


def test_a_pentagon_has_a_smaller_area_and_so_a_greater_rate_than_its_neighbour():
    disk = [PENTAGON, *h3.grid_ring(PENTAGON, 1)]
    rate = per_km2(np.array([h3.str_to_int(text) for text in disk], np.uint64), np.ones(6, np.int64))
    assert (rate[0] > rate[1:]).all()


def test_no_cells_have_no_measures():
    nothing = (np.empty(0, np.uint64), np.empty(0, np.int64))
    assert per_km2(*nothing).size == 0
    for found in (top(*nothing, 3), difference(nothing, nothing), roll_up(*nothing, 5)):
        assert _dict(found) == {}


def test_amounts_that_are_not_whole_are_not_rounded():
    cell = np.array([h3.str_to_int(text) for text in sorted(h3.cell_to_children(PENTAGON, 5))], np.uint64)
    amount = np.full(cell.size, 0.5)
    assert difference((cell, amount), (cell[:1], np.array([2])))[1].tolist() == [-1.5, *amount[1:]]
    assert roll_up(cell, amount, 4)[1].tolist() == [3.0]
    assert top(cell, amount, 2)[0].tolist() == cell[:2].tolist()
