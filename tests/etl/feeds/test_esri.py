import json

import pytest
import shapely

from etl.feeds.esri import shape

OUTER = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]  # clockwise
HOLE = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
ISLAND = [[20, 0], [20, 3], [23, 3], [23, 0], [20, 0]]
LAKE = [[21, 1], [22, 1], [22, 2], [21, 2], [21, 1]]
IN_HOLE = [[1.2, 1.2], [1.2, 1.8], [1.8, 1.8], [1.8, 1.2], [1.2, 1.2]]


@pytest.mark.parametrize(
    ("value", "wkt"),
    [
        ({"x": 1, "y": 2}, "POINT (1 2)"),
        ({"x": 1, "y": 2, "z": 3, "m": 4}, "POINT (1 2)"),
        ({"points": [[1, 2], [3, 4, 5]]}, "MULTIPOINT (1 2, 3 4)"),
        ({"paths": [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]}, "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"),
        ({"rings": [OUTER]}, "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
    ],
)
def test_each_kind_of_shape_is_read_flat(value, wkt):
    assert shape(value) == shapely.from_wkt(wkt)


def test_rings_in_any_order_become_parts_with_their_own_holes():
    found = shape({"rings": [LAKE, HOLE, ISLAND, OUTER, IN_HOLE]})
    parts = [shapely.Polygon(OUTER, [HOLE]), shapely.Polygon(ISLAND, [LAKE]), shapely.Polygon(IN_HOLE)]
    assert found.is_valid
    assert found.normalize() == shapely.MultiPolygon(parts).normalize()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"x": None, "y": None},
        {"x": "NaN", "y": "NaN"},
        {"points": []},
        {"paths": []},
        {"rings": []},
        {"rings": [[]]},
    ],
)
def test_an_empty_shape_is_none(value):
    assert shape(value) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "its geometry is no JSON object"),
        ({"curveRings": [[[0, 0], {"c": [[3, 3], [1, 4]]}]]}, "has a curve"),
        ({"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1}, "is no point, multipoint, polyline or polygon"),
        ({"x": "east", "y": 2}, "cannot be read: could not convert"),
        ({"x": [1], "y": 2}, "cannot be read"),
        ({"rings": [[[0, 0], [1, 1]]]}, "cannot be read"),
        ({"rings": [[[0, 0], [0, 9], [9, 9], ["x"]]]}, "cannot be read"),
        ({"rings": [[[0, 0], [0, 9], None]]}, "cannot be read"),
        ({"rings": 7}, "cannot be read"),
        ({"rings": [HOLE]}, "cannot be read: a hole lies outside of its rings"),
        ({"paths": [[[0, 0]]]}, "cannot be read"),
    ],
)
def test_what_is_no_shape_says_why(value, said):
    with pytest.raises(ValueError, match=said):
        shape(json.loads(json.dumps(value)))
