from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.cases.worktime import Term, Unit, WorkTime
from layers.catalog.city import City
from layers.core.errors import BadCity
from layers.core.span import Span

TOY = City.load(Path(__file__).parents[3] / "tests" / "cities" / "toy")
MINUTE = timedelta(minutes=1)


def city(**calendar: object) -> City:
    given = {"working_days": [1, 2, 3, 4, 5], "hours": ["08:30-12:00", "13:30-17:30"], **calendar}
    return TOY.model_copy(update={"time_zone": "Asia/Shanghai", "calendar": TOY.calendar.model_copy(update=given)})


CHINA = WorkTime.of(city(country="CN"))


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def by_minutes(work: WorkTime, start: datetime, amount: int, unit: Unit, pauses: list[Span]) -> datetime:
    """The same by looking at every minute."""
    zone, moment, owed, days, lasted = work.city.zone, start, 0, 0, 0
    first = start.astimezone(zone).date()
    while True:
        local = moment.astimezone(zone)
        paused = any(pause.start <= moment < pause.end for pause in pauses)
        works = work.works(local.date())
        in_hours = works and any(opens <= local.time() < closes for opens, closes in work.hours)
        moment += MINUTE
        if unit is not Unit.WORKING_DAY:
            lasted += (in_hours or unit is Unit.URGENT_HOUR) and not paused
            if lasted == amount * 60:
                return moment
        elif local.date() != first:
            # Days end when work does, then what was paused of them is made good.
            owed += in_hours and (paused if days < amount else paused - 1)
            days += works and moment.astimezone(zone).time() == work.hours[-1][1]
            if days >= amount and owed == 0:
                return moment


instants = st.integers(0, 60 * 24 * 60).map(lambda minutes: at("2026-01-20T00:00") + minutes * MINUTE)
spans = st.tuples(instants, st.integers(1, 5000)).map(lambda pair: Span(pair[0], pair[0] + pair[1] * MINUTE))
soon = st.tuples(st.integers(0, 60 * 24 * 8), st.integers(1, 3000))
"""A pause in minutes after the start of a term, and how long it is."""


@settings(max_examples=60, deadline=None)
@given(instants, st.sampled_from(Unit), st.integers(1, 9), st.lists(spans, max_size=3))
def test_a_term_ends_where_counting_every_minute_ends(start, unit, amount, pauses):
    due = CHINA.due(start, Term(amount, unit), pauses)
    assert due == by_minutes(CHINA, start, amount, unit, pauses)


@settings(max_examples=60, deadline=None)
@given(instants, st.sampled_from(Unit), st.integers(1, 9), st.lists(spans, max_size=3))
def test_at_its_end_a_term_is_spent_and_a_minute_before_it_is_not(start, unit, amount, pauses):
    due = CHINA.due(start, Term(amount, unit), pauses)
    assert CHINA.spent(start, due, unit, pauses) == pytest.approx(amount)
    assert CHINA.spent(start, due - MINUTE, unit, pauses) < amount


@settings(max_examples=40, deadline=None)
@given(instants, st.sampled_from([Unit.URGENT_HOUR, Unit.WORKING_HOUR]), st.integers(1, 9), instants, instants)
def test_hours_of_two_following_spans_add_up(start, unit, amount, one, other):
    first, second, third = sorted((start, one, other))
    whole = CHINA.spent(first, third, unit)
    assert whole == pytest.approx(CHINA.spent(first, second, unit) + CHINA.spent(second, third, unit))


@settings(max_examples=200, deadline=None)
@given(
    instants, st.sampled_from([Unit.WORKING_DAY, *Unit]), st.integers(1, 5), st.lists(soon, min_size=1, max_size=3)
)
def test_pauses_gain_no_more_working_time_than_they_lasted(start, unit, amount, soon):
    pauses = [Span(start + begin * MINUTE, start + (begin + length) * MINUTE) for begin, length in soon]

    def worked(begin, end):
        if unit is Unit.URGENT_HOUR:
            return end - begin
        return sum((span.length for span in CHINA.opening(begin, end)), timedelta())

    term = Term(amount, unit)
    gained = worked(CHINA.due(start, term), CHINA.due(start, term, pauses))
    assert timedelta() <= gained <= sum((worked(pause.start, pause.end) for pause in pauses), timedelta())


def test_a_minute_over_closing_time_gains_a_minute_and_a_pause_of_whole_days_gains_those():
    start, term = at("2026-03-02T10:00"), Term(2, Unit.WORKING_DAY)
    assert CHINA.due(start, term) == at("2026-03-04T17:30")
    minute = Span(at("2026-03-03T17:29"), at("2026-03-03T17:31"))
    assert CHINA.due(start, term, [minute]) == at("2026-03-05T08:31")
    night = Span(at("2026-03-03T17:30"), at("2026-03-04T08:30"))
    assert CHINA.due(start, term, [night]) == at("2026-03-04T17:30")
    days = Span(at("2026-03-03T10:00"), at("2026-03-05T10:00"))
    assert CHINA.due(start, term, [days]) == at("2026-03-06T17:30")
    assert CHINA.spent(start, at("2026-03-06T17:29"), Unit.WORKING_DAY, [days]) == 1


def test_the_spring_festival_rests_and_the_saturdays_before_and_after_it_make_up_for_it():
    festival = [date(2026, 2, 16) + timedelta(days=n) for n in range(8)]
    assert not any(map(CHINA.works, festival))
    saturdays = [date(2026, 2, day) for day in (7, 14, 21, 28)]
    assert [CHINA.works(day) for day in saturdays] == [False, True, False, True]


def test_three_working_days_over_a_holiday_end_when_work_ends_on_the_third():
    # Friday the 13th; Saturday the 14th makes up, then comes the festival until the 23rd.
    due = CHINA.due(at("2026-02-13T09:00"), Term(3, Unit.WORKING_DAY))
    assert due == at("2026-02-25T17:30")


def test_working_hours_jump_over_noon_night_and_weekend():
    assert CHINA.due(at("2026-03-06T11:00"), Term(4, Unit.WORKING_HOUR)) == at("2026-03-06T16:30")
    assert CHINA.due(at("2026-03-06T17:00"), Term(1, Unit.WORKING_HOUR)) == at("2026-03-09T09:00")
    assert CHINA.due(at("2026-03-07T03:00"), Term(1, Unit.WORKING_HOUR)) == at("2026-03-09T09:30")


def test_urgent_hours_run_through_the_night():
    assert CHINA.due(at("2026-02-16T23:00"), Term(2, Unit.URGENT_HOUR)) == at("2026-02-17T01:00")


def test_the_citys_own_dates_stand_above_the_countrys():
    work = WorkTime.of(city(country="CN", holidays=["2026-02-14"], make_up_days=["2026-02-17"]))
    assert not work.works(date(2026, 2, 14))
    assert work.works(date(2026, 2, 17))


def test_a_city_without_a_country_follows_its_own_dates_alone():
    work = WorkTime.of(city(holidays=["2026-03-02"], make_up_days=["2026-03-07"]))
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(8)]
    assert [day.day for day in days if work.works(day)] == [3, 4, 5, 6, 7]


def test_hours_of_work_are_wall_time_also_where_clocks_are_put_forward():
    toronto = WorkTime.of(replace_zone(city(hours=["00:30-08:30"], working_days=[7]), "America/Toronto"))
    # On 8 March 2026 two o'clock is three o'clock: the eight hours by the wall last seven.
    start = at("2026-03-08T00:00", "America/Toronto")
    assert toronto.spent(start, start + timedelta(days=1), Unit.WORKING_HOUR) == 7
    assert toronto.due(start, Term(7, Unit.WORKING_HOUR)) == at("2026-03-08T08:30", "America/Toronto")


def replace_zone(city: City, zone: str) -> City:
    return city.model_copy(update={"time_zone": zone})


@pytest.mark.parametrize(
    "calendar",
    [
        {"hours": ["08:30"]},
        {"hours": ["half past eight-12:00"]},
        {"hours": ["12:00-08:30"]},
        {"hours": ["08:00-12:00", "11:00-17:00"]},
        {"hours": []},
        {"working_days": []},
        {"holidays": ["2026-02-30"]},
        {"make_up_days": ["Saturday"]},
        {"country": "XX"},
        {"country": "CN", "subdivision": "Atlantis"},
    ],
)
def test_a_calendar_that_cannot_be_followed_is_refused_by_name(calendar):
    with pytest.raises(BadCity, match="calendar"):
        WorkTime.of(city(**calendar))


def test_a_city_that_never_works_is_told_so():
    never = replace(CHINA, rest=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(2000)))
    with pytest.raises(BadCity, match="no working day"):
        never.due(at("2026-02-13T09:00"), Term(1, Unit.WORKING_HOUR))
