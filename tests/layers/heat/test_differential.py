"""The stores of a real city against plain SQL on its incidents, while they come late, change and go."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import pipeline, vocabulary
from etl.spec import sources
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.span import Span
from layers.geo import hexgrid
from layers.heat import exact
from layers.heat.engine import Engine
from layers.heat.follow.appender import Appender
from layers.heat.question import Question

TORONTO = City.load(Path(__file__).parents[3] / "data" / "toronto")
QUESTIONS = int(os.environ.get("ONEMAP_QUESTIONS", "250"))
"""Random questions at each of the stages."""

# What happens to the incidents before each stage; the first is the city as it was loaded.
STAGES = {
    "as loaded": [],
    "late ones came": [
        """insert into onemap.incident (source, source_key, category, origin, occurred_at, severity, cell, area_id,
          zones, spot, geom, attributes, content_hash, run_id)
        select 'late', source_key, category, case when incident_id % 3 = 0 then 'patrol' else origin end,
          occurred_at - interval '90 days', severity, cell, area_id, zones, spot, geom, attributes, content_hash, run_id
        from onemap.incident where incident_id % 50 = 7"""
    ],
    "some changed and some went": [
        """update onemap.incident set category = (select min(category) from onemap.incident),
          occurred_at = occurred_at + interval '13 hours' where incident_id % 40 = 3""",
        "update onemap.incident set zones = zones # 5, area_id = null where incident_id % 60 = 11",
        "delete from onemap.incident where incident_id % 45 = 17",
    ],
    "a whole year went": [
        "delete from onemap.incident where occurred_at < (select min(occurred_at) + interval '1 year' from onemap.incident)"
    ],
}


@pytest.fixture(scope="module")
def town(cluster, template, shared_url):
    """Toronto, loaded by the pipeline."""
    with connect(shared_url) as connection:
        vocabulary.write(connection, TORONTO)
    for source in sources(TORONTO):
        pipeline.run(shared_url, TORONTO, source, Clock())
    return shared_url


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("heat")


@pytest.fixture(scope="module")
def moments(town):
    """Seconds since 1970 of all incidents as they were loaded, ascending."""
    with connect(town) as connection:
        found = connection.execute(
            "select extract(epoch from occurred_at)::bigint as t from onemap.incident order by 1"
        )
        return [row["t"] for row in found]


codes = [category.code for category in TORONTO.categories]
# Ends of windows, spread as the incidents are: small numbers, which are tried most often otherwise, leave most empty.
seeds = st.integers(0, 2**64 - 1)
questions = st.fixed_dictionaries(
    {
        "layer": st.sampled_from(TORONTO.heat_layers),
        "weight": st.sampled_from(["count", "severity"]),
        "categories": st.none() | st.frozensets(st.sampled_from(codes), min_size=1),
        "patrol": st.booleans(),
        "hours": st.none() | st.none() | st.frozensets(st.integers(0, 23), min_size=1, max_size=12),
        "weekdays": st.none() | st.none() | st.frozensets(st.integers(1, 7), min_size=1),
        "half_life": st.sampled_from([None, None, timedelta(days=2), timedelta(days=400)]),
    }
)


@pytest.mark.parametrize("stage", STAGES)
def test_the_stores_answer_as_sql_does(town, folder, moments, stage):
    with connect(town) as connection:
        for statement in STAGES[stage]:
            assert connection.execute(statement.encode()).rowcount > 0
    Appender(town, folder).catch_up()
    engine = Engine(folder, TORONTO)
    answered = 0

    with connect(town) as connection:
        connection.autocommit = True

        @settings(max_examples=QUESTIONS)
        @given(asked=questions, seed=seeds)
        def ask(asked, seed):
            nonlocal answered
            rng = np.random.default_rng(seed)
            start, end = (datetime.fromtimestamp(int(t), UTC) for t in sorted(rng.choice(moments, 2)))
            span = Span(start, end + timedelta(seconds=int(rng.integers(1, 10_000))))
            question = Question(span=span, res=10, with_sensitive=True, **asked)
            number = TORONTO.heat_layers.index(question.layer)
            statement = exact.sums(question, number - 1 if number else None, TORONTO.time_zone)
            expected = Counter()
            for row in connection.execute(statement.sql, statement.params):
                expected[row["cell"]] += row["value"]
            (answer,) = engine.answers([question])
            found = dict(zip(answer.cells.cell.tolist(), answer.cells.value.tolist(), strict=True))
            if question.half_life is None:
                assert found == {cell: value for cell, value in expected.items() if value}
            else:
                worth = {cell: value for cell, value in expected.items() if value > 1e-12}
                assert found == pytest.approx(worth, rel=1e-9)
            answered += bool(found)

        ask()
    assert answered > QUESTIONS / 3


def test_at_the_end_the_stores_are_what_a_new_build_makes(town, folder, tmp_path):
    with connect(town) as connection:
        assert connection.execute("select count(*) as n from onemap.heat_delta").fetchone()["n"] > 1000
    Appender(town, folder).catch_up()
    Appender(town, tmp_path).catch_up()
    span = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    for layer in TORONTO.heat_layers:
        grown, built = (
            Engine(where, TORONTO).answers([Question(layer, span, 10, with_sensitive=True)])[0].cells
            for where in (folder, tmp_path)
        )
        assert np.array_equal(grown.cell, built.cell)
        assert np.array_equal(grown.value, built.value)
        assert hexgrid.resolution(built.cell).max() == TORONTO.base_resolution
