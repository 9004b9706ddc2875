"""The periods of measures against what a calendar says day by day."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.cases.periods import MOST, Every, periods
from layers.cases.worktime import WorkTime
from layers.core.errors import BadValue
from tests import toy

WORK = WorkTime.of(toy.CITY)
DAY = timedelta(days=1)
days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


def local(at):
    return at.astimezone(toy.CITY.zone)


@given(st.sampled_from(Every), days, st.integers(0, 800))
def test_periods_follow_each_other_over_every_day_and_are_due_when_work_is_done(every, first, length):
    last = first + length * DAY
    found = periods(every, first, last, WORK)
    starts = [local(each.start_at).date() for each in found]
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert starts[0] == first
    assert all(
        local(each.start_at).time() == local(each.due_at).time() for each in found
    )  # midnight, in any season
    for start, after in pairwise(starts):
        wanted = {Every.DAILY: {1}, Every.WEEKLY: {7}, Every.MONTHLY: {28, 29, 30, 31}}[every]
        assert (after - start).days in wanted
    for each, after in zip(found, [*starts[1:], last + DAY], strict=True):
        end, due = after - DAY, local(each.due_at).date() - DAY
        assert due >= end
        assert every is Every.DAILY or WORK.works(due)
        assert due == end or (not WORK.works(end) and every is not Every.DAILY)
        assert (due - end).days <= 2  # the toy city rests on weekends only
    if every is Every.ONCE:
        assert len(found) == 1


def test_a_month_that_is_too_short_does_not_shift_the_months_after_it():
    found = periods(Every.MONTHLY, date(2025, 1, 31), date(2025, 5, 30), WORK)
    starts = [local(each.start_at).date() for each in found]
    assert starts == [date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30)]


def test_a_measure_has_an_end_that_is_after_its_beginning_and_not_too_many_periods():
    with pytest.raises(BadValue, match="before first_day"):
        periods(Every.ONCE, date(2025, 1, 2), date(2025, 1, 1), WORK)
    with pytest.raises(BadValue, match=f"more than {MOST:,}"):
        periods(Every.DAILY, date(2025, 1, 1), date(2025, 1, 1) + MOST * DAY, WORK)
    assert len(periods(Every.DAILY, date(2025, 1, 1), date(2025, 1, 1) + (MOST - 1) * DAY, WORK)) == MOST
