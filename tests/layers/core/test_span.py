"""Half-open spans of time."""

from datetime import UTC, datetime

import pytest

from layers.core.errors import BadValue
from layers.core.span import Span, parse_instant


def test_an_offset_is_turned_into_utc():
    assert parse_instant("2025-06-01T08:00:00+08:00", "from") == datetime(2025, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2025-02-30T00:00:00Z", "2025-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "2025-01-01"],
)
def test_what_is_no_instant_is_refused_by_the_name_of_its_parameter(text):
    with pytest.raises(BadValue) as caught:
        parse_instant(text, "to")
    assert caught.value.context["parameter"] == "to"


def test_a_span_that_ends_before_it_starts_or_is_empty_is_refused():
    for end in ("2025-01-01T00:00:00Z", "2024-01-01T00:00:00Z"):
        with pytest.raises(BadValue, match="is not before"):
            Span.parse("2025-01-01T00:00:00Z", end)


def test_the_span_before_has_the_same_length_and_touches():
    span = Span.parse("2025-01-10T00:00:00Z", "2025-01-17T00:00:00Z")
    assert span.before() == Span.parse("2025-01-03T00:00:00Z", "2025-01-10T00:00:00Z")


def test_a_span_before_the_first_year_is_refused():
    with pytest.raises(BadValue, match="no period that long"):
        Span.parse("0500-01-01T00:00:00Z", "2025-01-01T00:00:00Z").before()
