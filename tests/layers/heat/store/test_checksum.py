from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.db import connect
from layers.heat.follow.everything import everything
from layers.heat.store.checksum import checksum, event_hashes, events_checksum
from layers.heat.store.events import Events, Plane

LAYERS = 7
FACT = st.tuples(
    st.integers(-(2**33), 2**33),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**40),
    st.integers(0, 2),
    st.booleans(),
    st.integers(0, 63),
)


def events_of(facts):
    t, cell, area, category, patrol, zones = (list(column) for column in zip(*facts, strict=True))
    plane = 2 * np.array(category) + np.array(patrol)
    return Events(
        np.array(t, np.int64),
        np.array(cell, np.uint64),
        np.array(area, np.int64),
        plane.astype(np.int16),
        np.array(zones, np.uint32),
    )


PLANES = [Plane(category, patrol) for category in ("domestic", "noise", "theft") for patrol in (False, True)]


def store(connection, facts):
    connection.execute("alter table onemap.incident disable trigger user")
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into onemap.incident (source, source_key, category, origin, occurred_at, severity, cell, area_id,
              zones, spot, geom, attributes, content_hash, run_id)
            select 'made', gen_random_uuid()::text, %s, %s, to_timestamp(%s), severity, %s, %s, %s, spot, geom,
              attributes, content_hash, run_id
            from onemap.incident where source = 'toy' and source_key = 'k1'""",
            [
                [PLANES[2 * category].category, "patrol" if patrol else "hotline", t, cell, area or None, zones]
                for t, cell, area, category, patrol, zones in facts
            ],
        )
    connection.execute("delete from onemap.incident where source = 'toy'")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACT, min_size=1, max_size=40))
def test_the_database_and_the_arrays_have_one_checksum(own_toy, facts):
    with connect(own_toy.url) as connection:
        store(connection, facts)
        in_sql = checksum(connection, LAYERS)
        connection.rollback()
    assert in_sql == events_checksum(events_of(facts), PLANES, LAYERS)


@given(st.lists(FACT, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_neither_the_order_of_events_nor_that_of_categories_matters(facts, random):
    shuffled = random.sample(facts, len(facts))
    events = events_of(facts)
    order = random.sample(range(6), 6)
    moved = replace(events, plane=np.array([order.index(plane) for plane in events.plane], np.int16))
    expected = events_checksum(events, PLANES, LAYERS)
    assert events_checksum(events_of(shuffled), PLANES, LAYERS) == expected
    assert events_checksum(moved, [PLANES[plane] for plane in order], LAYERS) == expected


@given(st.lists(FACT, min_size=2, max_size=20), st.integers(0, 5), st.data())
def test_any_other_fact_makes_another_checksum(facts, which, data):
    at = data.draw(st.integers(0, len(facts) - 1))
    other = data.draw(FACT.filter(lambda fact: fact[which] != facts[at][which]))
    changed = [*facts[:at], (*facts[at][:which], other[which], *facts[at][which + 1 :]), *facts[at + 1 :]]
    assert events_checksum(events_of(changed), PLANES, LAYERS) != events_checksum(events_of(facts), PLANES, LAYERS)


def test_facts_that_two_events_swap_make_another_checksum():
    one = [(1, 10, 5, 0, False, 1), (2, 20, 6, 1, True, 2)]
    for which in range(6):
        swapped = [list(fact) for fact in one]
        swapped[0][which], swapped[1][which] = swapped[1][which], swapped[0][which]
        assert events_checksum(events_of(swapped), PLANES, LAYERS) != events_checksum(
            events_of(one), PLANES, LAYERS
        )


def test_a_hash_is_the_database_s_own_for_negative_and_great_numbers_in_any_number(shared_toy):
    values = np.random.default_rng(1).integers(-(2**63), 2**63, 100_000)
    seeds = np.random.default_rng(2).integers(1, 2**64, 100_000, np.uint64)
    with connect(shared_toy.url) as connection:
        found = connection.execute(
            "select array_agg(hashint8extended(v, s) order by n) as all from unnest(%s::bigint[], %s::bigint[]) with ordinality given (v, s, n)",
            [values.tolist(), seeds.view(np.int64).tolist()],
        ).fetchone()
    assert np.array_equal(event_hashes(values, seeds), np.array(found["all"]).view(np.uint64))


def test_what_is_read_in_partitions_sums_to_the_checksum_of_the_whole(own_toy):
    with everything(own_toy.url, None, 200) as whole:
        parts = [events_checksum(part, whole.planes, 3) for part in whole.partitions()]
    with connect(own_toy.url) as connection:
        assert sum(parts) % 2**64 == checksum(connection, 3)
        assert checksum(connection, 3) != checksum(connection, 2)


def test_an_event_without_time_arrays_has_no_hash():
    assert len(event_hashes(np.empty(0, np.int64), np.empty(0, np.uint64))) == 0


@pytest.mark.parametrize("layers", [1, 7])
def test_a_city_without_incidents_has_the_checksum_0(empty_url, layers):
    with connect(empty_url) as connection:
        assert checksum(connection, layers) == 0
