"""Smoothing, against a walk over each cell's neighbours."""

import math
from collections import Counter

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core.errors import BadValue
from layers.geo import hexgrid
from layers.heat.smooth import smooth

TORONTO = h3.latlng_to_cell(43.7, -79.4, 8)
PENTAGON = min(h3.get_pentagons(8))
ANTIMERIDIAN = h3.latlng_to_cell(-16.9, 179.9999, 8)

# Sets of cells that lie close together: anywhere, around a pentagon, on both sides of the antimeridian.
heats = st.sampled_from([TORONTO, PENTAGON, ANTIMERIDIAN]).flatmap(
    lambda middle: st.dictionaries(
        st.sampled_from(sorted(h3.str_to_int(text) for text in h3.grid_disk(middle, 7))),
        st.integers(1, 10**6),
        min_size=1,
        max_size=30,
    )
)
rings = st.integers(1, 5)


def _arrays(heat):
    cell = np.array(sorted(heat), dtype=np.uint64)
    return cell, np.array([heat[each] for each in cell.tolist()], dtype=np.float64)


def _by_walking(heat, k):
    given_to = Counter()
    for cell, value in heat.items():
        text = h3.int_to_str(cell)
        disk = {h3.str_to_int(other): 0 for other in h3.grid_disk(text, 0)}
        for step in range(1, k + 1):
            for other in h3.grid_disk(text, step):
                disk.setdefault(h3.str_to_int(other), step)
        weights = {other: math.exp(-(step**2) / (2 * (k / 2) ** 2)) for other, step in disk.items()}
        whole = sum(weights.values())
        for other, weight in weights.items():
            given_to[other] += value * weight / whole
    return given_to


@given(heats, rings)
def test_every_cell_gets_what_its_neighbours_give(heat, k):
    cell, value = smooth(*_arrays(heat), k)
    expected = _by_walking(heat, k)
    assert cell.tolist() == sorted(expected)
    np.testing.assert_allclose(value, [expected[each] for each in cell.tolist()], rtol=1e-9)


@given(heats, rings)
def test_the_total_is_kept(heat, k):
    _, value = smooth(*_arrays(heat), k)
    assert value.sum() == pytest.approx(sum(heat.values()), rel=1e-9)


@given(heats, heats, rings)
def test_the_smoothed_sum_is_the_sum_of_the_smoothed(one, other, k):
    both = dict(Counter(one) + Counter(other))
    smoothed = Counter()
    for heat in (one, other):
        cell, value = smooth(*_arrays(heat), k)
        smoothed.update(dict(zip(cell.tolist(), value.tolist(), strict=True)))
    cell, value = smooth(*_arrays(both), k)
    assert cell.tolist() == sorted(smoothed)
    np.testing.assert_allclose(value, [smoothed[each] for each in cell.tolist()], rtol=1e-9)


def test_one_cell_spreads_over_its_ring_and_keeps_the_most():
    cell, value = smooth(np.array([h3.str_to_int(TORONTO)], np.uint64), np.array([1.0]), 1)
    assert sorted(hexgrid.to_text(cell)) == sorted(h3.grid_disk(TORONTO, 1))
    edge = math.exp(-2)
    whole = 1 + 6 * edge
    assert value.max() == pytest.approx(1 / whole)
    assert sorted(value)[:6] == pytest.approx([edge / whole] * 6)


def test_a_pentagon_gives_its_five_neighbours_more_than_a_hexagon_would():
    cell, value = smooth(np.array([h3.str_to_int(PENTAGON)], np.uint64), np.array([1.0]), 1)
    assert cell.size == 6
    assert value.sum() == pytest.approx(1, abs=1e-15)
    assert min(value) == pytest.approx(math.exp(-2) / (1 + 5 * math.exp(-2)))


def test_heat_crosses_the_antimeridian():
    cell, _ = smooth(np.array([h3.str_to_int(ANTIMERIDIAN)], np.uint64), np.array([1.0]), 1)
    longitude = hexgrid.centre(cell)[:, 0]
    assert (longitude > 179).any()
    assert (longitude < -179).any()


def test_no_heat_stays_none():
    cell, value = smooth(np.empty(0, np.uint64), np.empty(0), 3)
    assert (cell.size, value.size) == (0, 0)


@pytest.mark.parametrize("k", [0, 6, -1])
def test_rings_out_of_range_are_refused(k):
    with pytest.raises(BadValue, match="smooth: "):
        smooth(np.empty(0, np.uint64), np.empty(0), k)
