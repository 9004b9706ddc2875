"""Which cells touch a box, held against their outlines."""

import numpy as np
import pytest
import shapely

from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat.store.entries import Entries
from layers.heat.store.rollup import Rollups

BOXES = [
    Bbox(179.95, -17.0, -179.95, -16.9),
    Bbox(179.98, -17.0, 180.0, -16.95),
    Bbox(-180.0, -16.99, -179.93, -16.96),
    Bbox(179.99, -16.97, -179.999, -16.969),
    Bbox(-180.0, -90.0, 180.0, 90.0),
    Bbox(10.0, 50.0, 10.1, 50.1),
]


@pytest.mark.parametrize("bbox", BOXES)
def test_the_cells_that_touch_a_box_are_those_of_which_the_outline_does_also_across_the_antimeridian(bbox):
    cell = hexgrid.cover(Bbox(179.9, -17.05, -179.9, -16.85), 8)
    rollups = Rollups(Entries(cell, np.zeros(cell.size, np.int64)))
    boxes = [shapely.box(*part) for part in bbox.parts()]
    expected = shapely.intersects(hexgrid.outline(cell), shapely.union_all(boxes))
    for _ in range(2):
        np.testing.assert_array_equal(rollups.selection(8, None, None, bbox).cell, cell[expected])


def test_no_cells_touch_no_box():
    assert Rollups(Entries.none()).selection(8, None, None, BOXES[0]).cell.size == 0
