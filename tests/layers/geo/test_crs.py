"""Systems of coordinates: which comes first, and boxes in them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from layers.core.errors import BadValue
from layers.geo.bbox import Bbox
from layers.geo.crs import BY_URI, CRS84, Crs, Frame, box, offered

BY_CODE = {uri.rpartition("/")[2]: crs for uri, crs in BY_URI.items()}
HEYUAN = Bbox(114.4, 23.4, 115.0, 24.0)
TORONTO = Bbox(-79.64, 43.58, -79.11, 43.86)


@pytest.mark.parametrize("code", ["4326", "3857", "4490", "4547"])
def test_the_axis_that_comes_first_is_the_one_that_epsg_says(code):
    first = CRS.from_epsg(int(code)).axis_info[0]
    assert BY_CODE[code].north_first == (first.direction == "north")
    assert BY_CODE[code].geographic == (first.unit_name == "degree")


def test_a_system_is_known_by_its_uri_alone():
    assert Crs.named(CRS84.uri, "crs") is CRS84
    for text in ("EPSG:4326", "4326", "", "http://www.opengis.net/def/crs/EPSG/0/9999", CRS84.uri + "/"):
        with pytest.raises(BadValue) as caught:
            Crs.named(text, "bbox-crs")
        assert caught.value.context["parameter"] == "bbox-crs"


def test_all_five_hold_where_cities_are_and_a_projected_one_not_everywhere():
    assert [crs.srid for crs in offered(HEYUAN)] == [4326, 4326, 3857, 4490, 4547]
    assert len(offered(TORONTO)) == 5
    assert [crs.srid for crs in offered(Bbox(23.9, -0.1, 24.1, 0.1))] == [4326, 4326, 3857, 4490]


def test_a_box_of_degrees_is_read_in_the_order_of_its_system():
    assert box([1, 2, 3, 4], BY_CODE["CRS84"]) == box([2, 1, 4, 3], BY_CODE["4326"]) == Bbox(1, 2, 3, 4)
    assert box([2, 1, 0, 4, 3, 9], BY_CODE["4490"]) == Bbox(1, 2, 3, 4)


@pytest.mark.parametrize("code", ["3857", "4547"])
@given(
    west=st.floats(113, 115.4), south=st.floats(22, 25), width=st.floats(0, 60_000), height=st.floats(0, 60_000)
)
def test_whatever_lies_in_a_frame_lies_in_the_box_around_it(code, west, south, width, height):
    crs = BY_CODE[code]
    to = Transformer.from_crs(4326, crs.srid, always_xy=True)
    left, bottom = to.transform(west, south)
    right, top = left + width, bottom + height
    frame = box([bottom, left, top, right] if crs.north_first else [left, bottom, right, top], crs)
    assert isinstance(frame, Frame)
    assert frame.sides == (left, bottom, right, top)
    x, y = np.meshgrid(np.linspace(left, right, 7), np.linspace(bottom, top, 7))
    corners = crs.lonlat(np.column_stack([x.ravel(), y.ravel()]))
    around = frame.around
    assert (corners >= (around.west, around.south)).all()
    assert (corners <= (around.east, around.north)).all()


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 0, 1],
        [0, 0, 1, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 1, 0],
        [3e7, 0, 4e7, 1],
        [math.inf, 0, math.inf, 1],
        [-1e300, -1e300, 1e300, 1e300],
    ],
)
@pytest.mark.parametrize("code", ["3857", "4547"])
def test_what_is_no_frame_is_refused_by_name(code, numbers):
    with pytest.raises(BadValue) as caught:
        box(numbers, BY_CODE[code], "bbox")
    assert caught.value.context["parameter"] == "bbox"


def test_the_whole_world_is_a_frame_too():
    edge = 20037508.342789244
    frame = box([-edge, -edge, edge, edge], BY_CODE["3857"])
    assert frame.around.west < -179.9
    assert frame.around.east > 179.9
    assert frame.around.north > 85
