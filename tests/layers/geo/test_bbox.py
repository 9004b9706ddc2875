"""Bounding boxes as callers write them."""

import pytest

from layers.core.errors import BadValue
from layers.geo.bbox import Bbox


def test_four_numbers_and_six_numbers_give_the_same_box():
    assert Bbox.parse("1,2,3,4") == Bbox.parse("1,2,-10,3,4,10") == Bbox(1, 2, 3, 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "nan,0,1,1",
        "1e400,0,1,1",
        "inf,0,1,1",
        "0,4,1,2",
        "181,0,182,1",
        "0,-91,1,0",
        "١,2,3,4",
        "1_0,2,30,4",
        "a,b,c,d",
        "1;2;3;4",
        "0x1,2,3,4",
        "1e1000,2,3,4",
    ],
)
def test_what_is_no_box_is_refused_by_name(text):
    with pytest.raises(BadValue) as caught:
        Bbox.parse(text)
    assert caught.value.context["parameter"] == "bbox"


def test_a_box_across_the_antimeridian_is_two_boxes():
    assert Bbox.parse("177,65,-177,70").parts() == [(177, 65, 180, 70), (-180, 65, -177, 70)]


def test_clipping_keeps_the_common_part_or_nothing():
    city = Bbox(0, 0, 10, 10)
    assert Bbox(5, 5, 15, 15).clip(city) == Bbox(5, 5, 10, 10)
    assert Bbox(11, 11, 12, 12).clip(city) is None
    assert Bbox(170, 0, 5, 5).clip(city) == Bbox(0, 0, 5, 5)
