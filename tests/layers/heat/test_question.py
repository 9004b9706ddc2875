"""What may be asked of a heat layer, and what is refused by name."""

from datetime import UTC, datetime, timedelta

import pytest

from layers.core.audience import Audience, Role
from layers.core.errors import BadValue, UnknownLayer
from layers.core.span import Span
from layers.heat.question import (
    check_categories,
    check_half_life,
    check_layer,
    check_polygon,
    check_resolution,
    check_seconds,
    counts_sensitive,
)
from tests import toy

SQUARE = "POLYGON ((10 50, 10.1 50, 10.1 50.1, 10 50.1, 10 50))"


def test_the_room_counts_sensitive_categories_only_in_cells_of_resolution_8_or_coarser():
    assert counts_sensitive(8, Audience(Role.ROOM))
    assert not counts_sensitive(9, Audience(Role.ROOM))
    assert counts_sensitive(10, Audience(Role.DISPATCHER))


def test_what_the_city_does_not_have_is_refused_by_name():
    with pytest.raises(UnknownLayer, match="harbour"):
        check_layer("harbour", toy.CITY)
    with pytest.raises(BadValue, match="arson"):
        check_categories("noise,arson", toy.CITY)
    for res in (-1, 11):
        with pytest.raises(BadValue, match="res"):
            check_resolution(res, toy.CITY)
    assert check_categories("noise,theft,noise", toy.CITY) == {"noise", "theft"}
    assert check_categories(None, toy.CITY) is None
    assert [check_resolution(res, toy.CITY) for res in (0, 10)] == [0, 10]


def test_a_span_that_ends_between_two_seconds_is_refused_by_its_end():
    whole, part = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, microsecond=1, tzinfo=UTC)
    with pytest.raises(BadValue, match=r"^to: "):
        check_seconds(Span(whole, part))
    with pytest.raises(BadValue, match=r"^from: "):
        check_seconds(Span(part, part + timedelta(days=1)))
    assert check_seconds(Span(whole, whole + timedelta(seconds=1))).length == timedelta(seconds=1)


@pytest.mark.parametrize("days", [0.0, -1.0, 1e-6, 40000.0, float("nan"), float("inf")])
def test_a_half_life_that_is_none_is_refused(days):
    with pytest.raises(BadValue, match="half_life"):
        check_half_life(days)


def test_a_half_life_is_in_days():
    assert check_half_life(14) == timedelta(days=14)
    assert check_half_life(None) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("somewhere", "WKT"),
        ("", "WKT"),
        ("POINT (10 50)", "POLYGON"),
        ("POLYGON EMPTY", "POLYGON"),
        ("POLYGON ((10 50, 10.1 50.1, 10.1 50, 10 50.1, 10 50))", "Self-intersection"),
        ("POLYGON ((170 50, 190 50, 190 60, 170 60, 170 50))", "globe"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 1, 0 nan, 0 0))", "polygon"),
        ("POLYGON ((" + ", ".join(f"{i / 1e5} {(i % 2) / 1e3}" for i in range(10_001)) + ", 0 0))", "corners"),
    ],
)
def test_a_polygon_that_is_none_is_refused_with_the_reason(text, names):
    with pytest.raises(BadValue, match=names) as refused:
        check_polygon(text)
    assert refused.value.context["parameter"] == "polygon"


def test_polygons_with_holes_and_several_of_them_are_read():
    assert check_polygon(SQUARE).area == pytest.approx(0.01)
    assert check_polygon("MULTI" + SQUARE.replace("((", "(((").replace("))", ")))")).geom_type == "MultiPolygon"
    assert check_polygon(None) is None
