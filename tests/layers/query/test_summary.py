"""Key figures against the rows they come from."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from layers.core.audience import Audience, Role
from layers.core.span import Span
from layers.geo import hexgrid
from layers.query import area, place, summary
from layers.query.summary import Figures
from tests import toy

ROOM = Audience(Role.ROOM)
SPAN = Span(toy.FIRST + timedelta(days=30), toy.FIRST + timedelta(days=60))


def _within(row):
    return SPAN.start <= row.at < SPAN.end


@pytest.mark.parametrize("with_sensitive", [True, False])
async def test_the_mix_adds_up_to_the_rows_of_the_span(toy_db, shared_toy, with_sensitive):
    figures = Figures(SPAN, None, with_sensitive)
    rows = await toy_db.rows(ROOM, summary.mix(figures))
    expected = Counter(
        (row.category, row.zones)
        for row in shared_toy.rows
        if _within(row) and (with_sensitive or row.category != "domestic")
    )
    assert {(row["category"], row["zones"]): row["count"] for row in rows} == expected
    assert await toy_db.value(ROOM, summary.total(figures)) == expected.total()


async def test_an_area_counts_itself_and_all_below_it(toy_db, shared_toy):
    for code in ("D", "V1", "V2G1"):
        figures = Figures(SPAN, shared_toy.area_id(code), with_sensitive=True)
        expected = sum(_within(row) and (code == "D" or row.grid.startswith(code)) for row in shared_toy.rows)
        assert await toy_db.value(ROOM, summary.total(figures)) == expected


async def test_open_and_overdue_come_from_state_and_due_time(toy_db, shared_toy):
    at = toy.FIRST + timedelta(days=50)
    found = await toy_db.row(ROOM, summary.open_items(at, Figures(SPAN, None, with_sensitive=True)))
    assert found == {
        "open": sum(row.state is not None for row in shared_toy.rows),
        "overdue": sum(row.due_at is not None and row.due_at < at for row in shared_toy.rows),
    }


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


async def test_a_span_holds_its_start_and_not_its_end(toy_db, shared_toy):
    first, last = sorted(row.at for row in shared_toy.rows)[10:12]
    found = await toy_db.value(ROOM, summary.total(Figures(Span(first, last), None, with_sensitive=True)))
    assert found == sum(row.at == first for row in shared_toy.rows)
