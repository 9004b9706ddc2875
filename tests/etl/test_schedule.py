from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.schedule import is_cron_line, last_due
from layers.core.errors import BadSource
from tests.workshop import INCIDENTS

BERLIN = ZoneInfo("Europe/Berlin")
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def test_a_line_names_times_of_the_city():
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert last_due("30 3 * * *", now, ZoneInfo("Asia/Shanghai")) == datetime(2026, 6, 30, 19, 30, tzinfo=UTC)
    assert last_due("30 3 * * *", now, BERLIN) == datetime(2026, 7, 1, 1, 30, tzinfo=UTC)


def test_a_time_that_a_spring_night_skips_comes_when_the_clock_is_put_forward():
    after = datetime(2025, 3, 30, 1, 1, tzinfo=UTC)
    assert last_due("30 2 * * *", after, BERLIN) == datetime(2025, 3, 30, 1, tzinfo=UTC)


def test_a_time_that_an_autumn_night_has_twice_comes_twice():
    between, after = (datetime(2025, 10, 26, hour, 45, tzinfo=UTC) for hour in (0, 1))
    assert last_due("30 2 * * *", between, BERLIN) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert last_due("30 2 * * *", after, BERLIN) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


@given(TIMES, st.integers(1, 30))
def test_every_nth_minute_of_an_hour_was_last_due_less_than_an_hour_ago(now, minutes):
    due = last_due(f"*/{minutes} * * * *", now, BERLIN)
    assert timedelta(0) < now - due <= timedelta(minutes=minutes)
    assert due.minute % minutes == 0


@pytest.mark.parametrize("line", ["", "* * * *", "* * * * * *", "60 * * * *", "@daily", "often", "* * 31 2 x"])
def test_what_is_no_cron_line_is_known(line):
    assert not is_cron_line(line)


def test_a_bad_line_is_told_by_its_source(shop):
    with pytest.raises(BadSource, match=r"calls.toml: schedule: 'daily' is no cron line"):
        shop.source(INCIDENTS, schedule="daily")
