"""Heat by SQL against the rows it is made of, now and as it was known before."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.db import connect
from layers.core.span import Span
from layers.heat import exact
from layers.heat.question import Question
from tests import toy

WHOLE = Span(toy.FIRST, toy.FIRST + timedelta(days=toy.DAYS))
ZONE = ZoneInfo(toy.CITY.time_zone)


@pytest.fixture(scope="module")
def connection(shared_toy):
    with connect(shared_toy.url) as connection:
        yield connection


def counts(row, question, bit):
    """Whether a row counts, and how much."""
    local = row.at.astimezone(ZONE)
    inside = (
        question.span.start <= row.at < question.span.end
        and (bit is None or row.zones >> bit & 1)
        and (question.categories is None or row.category in question.categories)
        and (question.patrol or row.origin != "patrol")
        and (question.hours is None or local.hour in question.hours)
        and (question.weekdays is None or local.isoweekday() in question.weekdays)
    )
    value = 1 if question.weight == "count" else toy.WEIGHT[row.category]
    if question.half_life is not None:
        value *= 0.5 ** ((question.span.end - row.at) / question.half_life)
    return value if inside else 0


questions = st.builds(
    lambda start, length, **kw: Question(
        layer="all",
        res=10,
        span=Span(toy.FIRST + timedelta(hours=start), toy.FIRST + timedelta(hours=start + length)),
        **kw,
    ),
    start=st.integers(-100, 3000),
    length=st.integers(1, 3000),
    weight=st.sampled_from(["count", "severity"]),
    categories=st.sampled_from([None, frozenset({"noise"}), frozenset({"theft", "domestic"})]),
    patrol=st.booleans(),
    hours=st.none() | st.frozensets(st.integers(0, 23), min_size=1),
    weekdays=st.none() | st.frozensets(st.integers(1, 7), min_size=1),
    half_life=st.sampled_from([None, timedelta(days=1), timedelta(days=100)]),
)


def asked(connection, question, bit=None, as_of=None):
    statement = exact.sums(question, bit, toy.CITY.time_zone, as_of)
    return connection.execute(statement.sql, statement.params).fetchall()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions, bit=st.sampled_from([None, 0, 1]))
def test_any_question_is_answered_as_a_count_by_hand(connection, shared_toy, question, bit):
    rows = asked(connection, question, bit)
    assert [(row["cell"], row["area"]) for row in rows] == sorted((row["cell"], row["area"]) for row in rows)
    expected = Counter()
    for row in shared_toy.rows:
        if value := counts(row, question, bit):
            expected[row.cell, row.grid, row.category == "domestic"] += value
    ids = {shared_toy.area_id(code): code for code in {grid for _, grid, _ in expected}}
    found = {(row["cell"], ids[row["area"]], row["sensitive"]): row["value"] for row in rows}
    assert found == pytest.approx(expected)


def test_a_span_holds_its_start_and_not_its_end(connection, shared_toy):
    first, last = sorted(row.at for row in shared_toy.rows)[10:12]
    assert first < last
    rows = asked(connection, Question("all", Span(first, last), 8))
    assert sum(row["value"] for row in rows) == sum(row.at == first for row in shared_toy.rows)


def test_what_was_known_at_a_time_is_what_counted_then(own_toy):
    steps = [
        "delete from onemap.incident where source_key in ('k1', 'k2', 'k3')",
        "update onemap.incident set category = 'theft', known_from = now() where source_key between 'k4' and 'k5'",
        "update onemap.incident set occurred_at = %s, known_from = now() where source_key between 'k4' and 'k45'",
        "delete from onemap.incident where category = 'noise'",
    ]
    seen = []
    with connect(own_toy.url) as connection:
        connection.autocommit = True
        question = Question("all", WHOLE, 10, with_sensitive=True)
        for step in [*steps, None]:
            at = connection.execute("select clock_timestamp() as at").fetchone()["at"]
            seen.append((at, asked(connection, question)))
            if step is not None:
                connection.execute(step.encode(), [toy.FIRST - timedelta(days=400)] if "%s" in step else None)
        for at, rows in seen:
            assert asked(connection, question, as_of=at) == rows
        before = datetime(2000, 1, 1, tzinfo=UTC)
        assert asked(connection, question, as_of=before) == []
    totals = [sum(row["value"] for row in rows) for _, rows in seen]
    assert totals[0] == 1500
    assert totals[1] == totals[2] == 1497
    assert totals[3] < 1497
    assert len({str(rows) for _, rows in seen}) == 5
