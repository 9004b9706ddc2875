"""Exact heat against the rows it is made of."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.audience import Audience, Role
from layers.core.db import connect
from layers.core.errors import BadValue, UnknownLayer
from layers.core.span import Span
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat import exact
from layers.heat.question import Question, check_categories, check_resolution, counts_sensitive, zone_bit
from tests import toy

ROOM = Audience(Role.ROOM)


@pytest.fixture(scope="module")
def connection(shared_toy):
    with connect(shared_toy.url) as connection:
        yield connection


def _counted(rows, question):
    counts = Counter()
    cells = hexgrid.parent(np.array([row.cell for row in rows], np.uint64), question.res).tolist()
    for row, cell in zip(rows, cells, strict=True):
        if (
            question.span.start <= row.at < question.span.end
            and (question.zone_bit is None or row.zones >> question.zone_bit & 1)
            and (question.categories is None or row.category in question.categories)
            and (question.with_sensitive or row.category != "domestic")
        ):
            counts[cell] += 1 if question.weight == "count" else toy.WEIGHT[row.category]
    return counts


questions = st.builds(
    lambda start, length, **kw: Question(
        layer="x",
        span=Span(toy.FIRST + timedelta(hours=start), toy.FIRST + timedelta(hours=start + length)),
        **kw,
    ),
    start=st.integers(-100, 3000),
    length=st.integers(1, 3000),
    zone_bit=st.sampled_from([None, 0, 1]),
    res=st.integers(0, 10),
    weight=st.sampled_from(["count", "severity"]),
    categories=st.sampled_from([None, ("noise",), ("theft", "domestic"), ("noise", "theft", "domestic")]),
    with_sensitive=st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_any_question_is_answered_as_a_count_by_hand(connection, shared_toy, question):
    statement = exact.cells(question)
    rows = connection.execute(statement.sql, statement.params).fetchall()
    assert [row["cell"] for row in rows] == sorted(row["cell"] for row in rows)
    assert {row["cell"]: row["value"] for row in rows} == _counted(shared_toy.rows, question)


@pytest.mark.parametrize("res", range(11))
def test_heat_at_any_resolution_sums_to_the_heat_at_the_base(connection, shared_toy, res):
    span = Span(toy.FIRST, toy.FIRST + timedelta(days=toy.DAYS))
    statement = exact.cells(Question("all", None, span, res, with_sensitive=True))
    rows = connection.execute(statement.sql, statement.params).fetchall()
    assert sum(row["value"] for row in rows) == len(shared_toy.rows)


def test_a_cell_on_the_edge_of_the_box_keeps_its_whole_count(connection, shared_toy):
    span = Span(toy.FIRST, toy.FIRST + timedelta(days=toy.DAYS))
    everything = _counted(shared_toy.rows, Question("all", None, span, 8, with_sensitive=True))
    box = Bbox(10.03, 50.02, 10.05, 50.04)
    statement = exact.cells(Question("all", None, span, 8, bbox=box, with_sensitive=True))
    rows = connection.execute(statement.sql, statement.params).fetchall()
    assert 0 < len(rows) < len(everything)
    assert all(everything[row["cell"]] == row["value"] for row in rows)


def test_an_area_narrows_heat_to_what_was_tagged_with_it(connection, shared_toy):
    span = Span(toy.FIRST, toy.FIRST + timedelta(days=toy.DAYS))
    question = Question("all", None, span, 9, area_id=shared_toy.area_id("V2"), with_sensitive=True)
    statement = exact.cells(question)
    rows = connection.execute(statement.sql, statement.params).fetchall()
    assert sum(row["value"] for row in rows) == sum(row.grid.startswith("V2") for row in shared_toy.rows)


def test_the_room_counts_sensitive_categories_only_in_cells_of_resolution_8_or_coarser():
    assert counts_sensitive(8, ROOM)
    assert not counts_sensitive(9, ROOM)
    assert counts_sensitive(10, Audience(Role.DISPATCHER))


def test_what_the_city_does_not_have_is_refused_by_name():
    with pytest.raises(UnknownLayer, match="harbour"):
        zone_bit("harbour", toy.CITY)
    with pytest.raises(BadValue, match="arson"):
        check_categories("noise,arson", toy.CITY)
    for res in (-1, 11):
        with pytest.raises(BadValue, match="res"):
            check_resolution(res, toy.CITY)
    assert [zone_bit(layer, toy.CITY) for layer in toy.CITY.heat_layers] == [None, 0, 1]


def test_a_span_holds_its_start_and_not_its_end(connection, shared_toy):
    first, last = sorted(row.at for row in shared_toy.rows)[10:12]
    assert first < last
    statement = exact.cells(Question("all", None, Span(first, last), 8, with_sensitive=True))
    rows = connection.execute(statement.sql, statement.params).fetchall()
    assert sum(row["value"] for row in rows) == sum(row.at == first for row in shared_toy.rows)
