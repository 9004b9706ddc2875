"""Days over, counted by years at once, against the clock that counts them one by one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from layers.cases.overrun import Overrun
from layers.cases.worktime import Unit, WorkTime
from tests import toy

WORK = WorkTime.of(toy.CITY.model_copy(update={"calendar": toy.CITY.calendar.model_copy(update={
    "country": "CN", "holidays": ["2026-03-04"], "make_up_days": ["2026-03-07"]})}))  # fmt: skip
OVER = Overrun(WORK)
instants = st.datetimes(datetime(2024, 11, 1), datetime(2026, 4, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(due=instants, hours=st.integers(0, 24 * 500))
def test_working_days_over_are_those_that_a_term_would_have_spent(due, hours):
    end = due + timedelta(hours=hours)
    assert OVER.working_days(due, end) == WORK.spent(due, end, Unit.WORKING_DAY)


def test_a_working_day_is_over_at_the_moment_that_work_ends():
    due, closes = datetime(2026, 3, 9, 12, tzinfo=UTC), datetime(2026, 3, 10, 15, 30, tzinfo=UTC)
    assert OVER.working_days(due, closes) == WORK.spent(due, closes, Unit.WORKING_DAY) == 1
    assert OVER.working_days(due, closes - timedelta(seconds=1)) == 0


def test_days_of_the_calendar_are_local_dates():
    due = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)  # 23:30 in Berlin, a Friday
    assert OVER.calendar_days(due, due + timedelta(minutes=20)) == 0
    assert OVER.calendar_days(due, due + timedelta(minutes=40)) == 1
    assert OVER.calendar_days(due, due + timedelta(days=3)) == 3
    assert OVER.working_days(due, datetime(2026, 3, 9, 9, tzinfo=UTC)) == 1, (
        "the Saturday makes up, Monday still runs"
    )
