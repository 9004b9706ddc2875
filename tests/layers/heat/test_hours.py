"""Hours and weekdays in wall time, against a look at the clock every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.core.errors import BadValue
from layers.core.span import Span
from layers.heat.hours import parse_hours, parse_weekdays, slices

# A zone, and a moment at which its clocks were set: by an hour, by half of one, from or to quarters, by a whole day.
SET = [
    ("America/Toronto", "2025-03-09T07:00Z"),
    ("America/Toronto", "2025-11-02T06:00Z"),
    ("Australia/Lord_Howe", "2025-04-05T15:00Z"),
    ("Australia/Lord_Howe", "2025-10-04T15:30Z"),
    ("Pacific/Chatham", "2025-04-05T14:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Africa/Casablanca", "2025-02-23T02:00Z"),
    ("America/Noronha", "2000-10-08T02:00Z"),
    ("Asia/Shanghai", "2025-06-01T00:00Z"),
    ("UTC", "2025-06-01T00:00Z"),
]
some_hours = st.none() | st.frozensets(st.integers(0, 23))
some_weekdays = st.none() | st.frozensets(st.integers(1, 7))


def _by_the_clock(span, zone, hours, weekdays, step=60):
    """Every `step` seconds of the span at which the clock shows what is wanted."""
    seconds = np.arange(int(span.start.timestamp()), int(span.end.timestamp()), step)
    local = [datetime.fromtimestamp(second, zone) for second in seconds.tolist()]
    wanted = [
        (hours is None or at.hour in hours) and (weekdays is None or at.isoweekday() in weekdays) for at in local
    ]
    return seconds[np.array(wanted, dtype=bool)].tolist()


def _spread(found, step=60):
    return [second for start, end in found.tolist() for second in range(start, end, step)]


@settings(max_examples=150)
@given(st.sampled_from(SET), st.integers(-6000, 3000), st.integers(1, 9000), some_hours, some_weekdays)
def test_the_slices_hold_every_minute_at_which_the_clock_shows_a_wanted_hour(moment, off, length, hours, weekdays):
    zone = ZoneInfo(moment[0])
    start = datetime.fromisoformat(moment[1]) + timedelta(minutes=off)
    span = Span(start, start + timedelta(minutes=length))
    found = slices(span, zone, hours, weekdays)
    assert _spread(found) == _by_the_clock(span, zone, hours, weekdays)
    assert (found[:, 0] < found[:, 1]).all()
    assert (found[1:, 0] > found[:-1, 1]).all()  # what is adjacent is one


@settings(max_examples=60)
@given(st.sampled_from(SET), st.datetimes(datetime(1995, 1, 1), datetime(2036, 1, 1)), some_hours, some_weekdays)
def test_any_fortnight_of_forty_years_is_as_the_clock_shows_it(moment, start, hours, weekdays):
    zone = ZoneInfo(moment[0])
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    span = Span(start, start + timedelta(days=14))
    assert _spread(slices(span, zone, hours, weekdays)) == _by_the_clock(span, zone, hours, weekdays)


def test_a_skipped_hour_has_no_slice_and_a_repeated_one_is_twice_as_long():
    zone = ZoneInfo("America/Toronto")
    skipped = slices(Span.parse("2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z"), zone, frozenset({2}), None)
    assert skipped.shape == (0, 2)
    repeated = slices(Span.parse("2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"), zone, frozenset({1}), None)
    assert (repeated[:, 1] - repeated[:, 0]).tolist() == [2 * 3600]


def test_an_hour_repeated_by_half_has_ninety_minutes_in_a_row():
    span = Span.parse("2025-04-05T00:00:00Z", "2025-04-06T00:00:00Z")
    found = slices(span, ZoneInfo("Australia/Lord_Howe"), frozenset({1}), None)
    assert (found[:, 1] - found[:, 0]).tolist() == [90 * 60]


def test_a_day_that_a_place_skipped_has_no_slices():
    span = Span.parse("2011-12-26T00:00:00Z", "2012-01-02T00:00:00Z")
    friday = slices(span, ZoneInfo("Pacific/Apia"), None, frozenset({5}))
    assert friday.shape == (0, 2)


def test_without_filters_the_span_is_one_slice_across_all_changes_of_the_clock():
    span = Span.parse("2005-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
    found = slices(span, ZoneInfo("America/Toronto"), None, None)
    assert found.tolist() == [[int(span.start.timestamp()), int(span.end.timestamp())]]
    assert found.dtype == np.int64
    all_day = slices(span, ZoneInfo("America/Toronto"), frozenset(range(24)), frozenset(range(1, 8)))
    assert all_day.tolist() == found.tolist()


def test_a_span_of_all_the_years_there_are_needs_no_look_at_the_clock():
    span = Span.parse("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
    found = slices(span, ZoneInfo("Asia/Shanghai"), None, None)
    assert found[0, 1] - found[0, 0] == span.length.total_seconds()


def test_ends_that_are_no_whole_hour_are_kept_to_the_second():
    span = Span.parse("2025-06-02T07:12:34.9Z", "2025-06-02T07:56:01Z")
    found = slices(span, ZoneInfo("UTC"), frozenset({7}), frozenset({1}))
    assert found.tolist() == [[int(span.start.timestamp()), int(span.end.timestamp())]]


def test_offsets_of_odd_seconds_are_right_to_the_second():
    span = Span.parse("1900-12-31T12:00:00Z", "1901-01-01T12:00:00Z")  # Shanghai was at 8:05:43 up to New Year
    zone, hours = ZoneInfo("Asia/Shanghai"), frozenset({1, 23})
    assert _spread(slices(span, zone, hours, None), 1) == _by_the_clock(span, zone, hours, None, 1)


def test_slices_before_1970_are_as_the_clock_showed_them():
    zone, hours, days = ZoneInfo("Europe/Berlin"), frozenset({0, 5}), frozenset({7, 1})
    span = Span.parse("1949-03-28T00:00:00Z", "1949-05-20T00:00:00Z")
    assert _spread(slices(span, zone, hours, days)) == _by_the_clock(span, zone, hours, days)


def test_every_other_hour_of_twenty_years_is_as_many_slices_as_there_are():
    span = Span.parse("2005-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
    found = slices(span, ZoneInfo("UTC"), frozenset(range(0, 24, 2)), None)
    assert len(found) == (span.length // timedelta(days=1)) * 12
    assert (np.diff(found, axis=1) == 3600).all()


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("7-9", {7, 8}),
        ("7", {7}),
        ("07-09", {7, 8}),
        ("7-9,22-2", {7, 8, 22, 23, 0, 1}),
        ("22-24", {22, 23}),
        ("22-0", {22, 23}),
        ("0-24", set(range(24))),
        ("9-8", set(range(24)) - {8}),
        ("7-9,8-10,8", {7, 8, 9}),
    ],
)
def test_a_text_of_hours_is_read_with_its_ends_left_out(text, hours):
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [("1-5,7", {1, 2, 3, 4, 5, 7}), ("3", {3}), ("6-1", {6, 7, 1}), ("1-7", set(range(1, 8))), ("7-7", {7})],
)
def test_a_text_of_weekdays_is_read_with_its_ends(text, weekdays):
    assert parse_weekdays(text) == weekdays


@pytest.mark.parametrize(
    "text", ["", "7-", "-7", "7-9,", "a", "24", "24-2", "7-25", "7-7", "0-0", "7 - 9", "٧", "7.5", "1-2-3", "007"]
)
def test_what_are_no_hours_is_refused_by_the_name_of_the_parameter(text):
    with pytest.raises(BadValue, match=r"^hours: ") as caught:
        parse_hours(text)
    assert caught.value.context["parameter"] == "hours"


@pytest.mark.parametrize("text", ["", "0", "8", "1-8", "0-5", "mon", "1-", "1--2", "1;2"])
def test_what_are_no_weekdays_is_refused_by_the_name_of_the_parameter(text):
    with pytest.raises(BadValue, match=r"^weekdays: ") as caught:
        parse_weekdays(text)
    assert caught.value.context["parameter"] == "weekdays"
