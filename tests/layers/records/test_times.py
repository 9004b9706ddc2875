from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.records.sheet import plain
from layers.records.times import instants

TORONTO = ZoneInfo("America/Toronto")
ZONES = ["America/Toronto", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]
walls = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def read(values, zone=TORONTO, kind=None):
    return instants(pa.array(values, kind), zone)


def as_datetimes(found):
    return [None if at is None else at.replace(tzinfo=UTC) for at in found.at.tolist()]


def test_the_sample_city_has_9_rows_in_the_gap_and_82_in_the_fold():
    path = Path(__file__).parents[3] / "data" / "toronto" / "incidents.parquet"
    found = instants(plain(pq.read_table(path)["occurred_at_local"]), TORONTO)
    assert (found.in_gap.sum(), found.in_fold.sum(), found.unreadable.sum()) == (9, 82, 0)
    assert found.at.min() == np.datetime64("1966-06-09T04:00:00")


def test_a_time_in_the_gap_moves_forward_by_its_length():
    found = read(["2021-03-14T02:30:00"])
    assert as_datetimes(found) == [datetime(2021, 3, 14, 7, 30, tzinfo=UTC)]  # 03:30 on summer time
    assert found.in_gap.tolist() == [True]
    assert found.in_fold.tolist() == [False]


def test_a_time_in_the_fold_is_the_first_of_the_two():
    found = read(["2021-11-07T01:30:00"])
    assert as_datetimes(found) == [datetime(2021, 11, 7, 5, 30, tzinfo=UTC)]  # still on summer time
    assert found.in_fold.tolist() == [True]


def test_an_hour_that_clocks_do_not_touch_is_neither():
    found = read(["2021-03-14T01:59:59", "2021-03-14T03:00:00", "2021-11-07T02:00:00"])
    assert not found.in_gap.any()
    assert not found.in_fold.any()


@given(st.lists(walls, max_size=20), st.sampled_from(ZONES))
def test_local_times_are_read_as_the_zone_database_reads_fold_0(times, name):
    zone = ZoneInfo(name)
    for found in (read(times, zone, pa.timestamp("us")), read([t.isoformat() for t in times], zone, pa.string())):
        assert as_datetimes(found) == [time.replace(tzinfo=zone).astimezone(UTC) for time in times]


@pytest.mark.parametrize("name", ZONES)
def test_every_hour_around_every_change_is_read_as_the_zone_database_reads_it(name):
    zone = ZoneInfo(name)
    hours = [datetime(2017, 1, 1) + timedelta(hours=n / 2) for n in range(2 * 24 * 365)]
    found = read(hours, zone, pa.timestamp("us"))
    assert as_datetimes(found) == [hour.replace(tzinfo=zone).astimezone(UTC) for hour in hours]
    first = [hour.replace(tzinfo=zone, fold=0).utcoffset() for hour in hours]
    second = [hour.replace(tzinfo=zone, fold=1).utcoffset() for hour in hours]
    assert found.in_gap.tolist() == [a < b for a, b in zip(first, second, strict=True)]
    assert found.in_fold.tolist() == [a > b for a, b in zip(first, second, strict=True)]


@given(st.lists(st.tuples(walls, offsets).map(lambda pair: pair[0].replace(tzinfo=pair[1])), max_size=20))
def test_a_time_with_an_offset_is_taken_as_it_is(times):
    found = read([time.isoformat() for time in times], kind=pa.string())
    assert as_datetimes(found) == [time.astimezone(UTC) for time in times]
    assert not found.in_gap.any()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-02-29", "2024-02-29T05:00:00"),
        ("2024-02-29 10:20", "2024-02-29T15:20:00"),
        ("2024-02-29T10:20Z", "2024-02-29T10:20:00"),
        ("2024-02-29T10:20:30,5+0530", "2024-02-29T04:50:30.5"),
        ("2024-02-29T10:20:30.123456789Z", "2024-02-29T10:20:30.123456"),
        ("1899-12-31T23:00Z", "1899-12-31T23:00:00"),
        ("2024/2/9 8:05", "2024-02-09T13:05:00"),
        ("2024-2-29 0:00:01", "2024-02-29T05:00:01"),
    ],
)
def test_forms_of_iso_8601_and_of_spreadsheets(text, instant):
    assert read([text]).at.tolist() == [np.datetime64(instant, "us").tolist()]


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-01T24:00", "2024-01-01T10:60",
     "0000-01-01", "9999-12-31", "01/02/2024", "2024-01-01T10:00+8", "２０２４-01-01", "2024-01-01T10:00Z x"],
)  # fmt: skip
def test_what_is_no_iso_8601_is_unreadable(text):
    found = read([text, "2024-01-01"])
    assert found.unreadable.tolist() == [True, False]
    assert found.at.tolist()[0] is None


def test_missing_is_neither_read_nor_unreadable():
    for kind in (pa.string(), pa.timestamp("us"), pa.null(), pa.int64()):
        found = read([None], kind=kind)
        assert found.unreadable.tolist() == [False]
        assert found.at.tolist() == [None]


def test_numbers_are_no_times():
    assert read([1_700_000_000]).unreadable.tolist() == [True]


def test_aware_timestamps_are_instants_whatever_their_zone():
    column = plain(pa.array([datetime(2024, 7, 1, 12, tzinfo=UTC)], pa.timestamp("ms", "Asia/Shanghai")))
    assert as_datetimes(instants(column, TORONTO)) == [datetime(2024, 7, 1, 12, tzinfo=UTC)]
