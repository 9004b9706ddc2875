"""OGC intervals."""

from datetime import UTC, datetime

import pytest

from layers.core.errors import BadValue
from layers.query.interval import Interval

A, B = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-01T00:00:00Z", Interval(A, A)),
        ("2025-01-01T00:00:00Z/2025-02-01T00:00:00Z", Interval(A, B)),
        ("../2025-02-01T00:00:00Z", Interval(None, B)),
        ("2025-01-01T00:00:00Z/..", Interval(A, None)),
        ("/2025-02-01T00:00:00Z", Interval(None, B)),
        ("../..", Interval(None, None)),
    ],
)
def test_an_interval_is_read(text, expected):
    assert Interval.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "..", "a/b/c", "2025-02-01T00:00:00Z/2025-01-01T00:00:00Z", "2025-02-30T00:00:00Z"]
)
def test_what_is_no_interval_is_refused_by_name(text):
    with pytest.raises(BadValue) as caught:
        Interval.parse(text)
    assert caught.value.context["parameter"] == "datetime"
