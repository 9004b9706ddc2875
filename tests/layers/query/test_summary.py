"""Key figures against the rows they come from."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np

from layers.core.audience import Audience, Role
from layers.core.span import Span
from layers.geo import hexgrid
from layers.query import area, place, summary
from tests import toy

ROOM = Audience(Role.ROOM)
SPAN = Span(toy.FIRST + timedelta(days=30), toy.FIRST + timedelta(days=60))


def _within(row):
    return SPAN.start <= row.at < SPAN.end


async def test_open_and_overdue_come_from_state_and_due_time(toy_db, shared_toy):
    at = toy.FIRST + timedelta(days=50)
    found = await toy_db.row(ROOM, summary.open_items(at, None, with_sensitive=True))
    assert found == {
        "open": sum(row.state is not None for row in shared_toy.rows),
        "overdue": sum(row.due_at is not None and row.due_at < at for row in shared_toy.rows),
    }


async def test_what_is_open_in_an_area_is_open_in_it_or_below_and_may_leave_sensitive_ones_out(toy_db, shared_toy):
    at = toy.FIRST + timedelta(days=50)
    village = shared_toy.area_id("V1")
    found = await toy_db.row(ROOM, summary.open_items(at, village, with_sensitive=False))
    inside = [row for row in shared_toy.rows if row.grid.startswith("V1") and row.category != "domestic"]
    assert found["open"] == sum(row.state is not None for row in inside)


def test_the_year_before_a_leap_day_ends_on_the_28th():
    span = Span(datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    assert summary.year_before(span) == Span(datetime(2023, 2, 28, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC))


async def test_a_point_on_a_border_belongs_to_the_lowest_code(toy_db):
    rows = await toy_db.rows(ROOM, area.at_point(10.05, 50.03, toy.FIRST))
    assert [row["code"] for row in rows] == ["D", "V1", "V1G1"]


async def test_a_place_tells_the_risk_areas_that_reach_it(toy_db):
    rows = await toy_db.rows(ROOM, place.risk_areas(10.025, 50.025, toy.FIRST))
    assert {row["code"] for row in rows} == {"S1", "M1"}
    assert await toy_db.rows(ROOM, place.risk_areas(10.09, 50.05, toy.FIRST)) == []


async def test_the_incidents_of_a_place_are_those_of_its_cell_without_sensitive_ones(toy_db, shared_toy):
    spot = shared_toy.rows[3]
    cell = int(hexgrid.parent(np.array([spot.cell], np.uint64), 9)[0])
    rows = await toy_db.rows(ROOM, place.incidents(cell, 10, SPAN, ROOM))
    expected = Counter(
        row.category
        for row in shared_toy.rows
        if _within(row)
        and row.category != "domestic"
        and int(hexgrid.parent(np.array([row.cell], np.uint64), 9)[0]) == cell
    )
    assert {row["category"]: row["count"] for row in rows} == expected
