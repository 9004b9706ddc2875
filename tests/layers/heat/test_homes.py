"""Households by cell, and rates by them."""

import numpy as np
import pytest
import shapely

from layers.geo import hexgrid
from layers.heat.homes import Homes

WEST, EAST = shapely.box(10.0, 50.0, 10.02, 50.02), shapely.box(10.02, 50.0, 10.05, 50.02)
AREAS = [(shapely.to_wkb(WEST), 1200), (shapely.to_wkb(EAST), 600)]


def test_households_of_an_area_are_spread_over_the_cells_with_their_centre_in_it_and_none_are_lost():
    homes = Homes.of(AREAS, 10)
    assert homes.households.sum() == pytest.approx(1800)
    centres = shapely.points(hexgrid.centre(homes.cell))
    for area, households in ((WEST, 1200), (EAST, 600)):
        own = homes.households[shapely.contains(area, centres)]
        assert len(own) > 50
        assert own == pytest.approx(households / len(own))


def test_an_area_without_the_centre_of_any_cell_has_its_households_in_the_cell_of_its_middle():
    small = shapely.box(10.0001, 50.0001, 10.00011, 50.00011)
    homes = Homes.of([(shapely.to_wkb(small), 7)], 8)
    assert homes.cell.tolist() == [hexgrid.at(10.000105, 50.000105, 8)]
    assert homes.households.tolist() == [7]


@pytest.mark.parametrize("res", [6, 8, 10])
def test_a_rate_is_per_1000_households_of_the_cell_and_cells_without_any_are_left_out(res):
    homes = Homes.of(AREAS, 10)
    above = np.unique(hexgrid.parent(homes.cell, res))
    far = hexgrid.index(np.array([[12.0, 51.0]]), res)
    cell = np.sort(np.concatenate([above, far]))
    value = np.arange(1, len(cell) + 1)
    found, rate = homes.rate(cell, value)
    assert found.tolist() == above.tolist()
    for one, got in zip(found.tolist(), rate.tolist(), strict=True):
        households = homes.households[hexgrid.parent(homes.cell, res) == one].sum()
        assert got == pytest.approx(1000 * value[cell == one][0] / households)


def test_without_areas_or_cells_there_is_no_rate():
    nobody = Homes.of([], 10)
    assert len(nobody.cell) == 0
    cell, rate = Homes.of(AREAS, 10).rate(np.empty(0, np.uint64), np.empty(0, np.int64))
    assert (len(cell), len(rate)) == (0, 0)
