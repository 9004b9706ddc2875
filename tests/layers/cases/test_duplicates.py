"""Cases that tell of one thing: what is suggested is what a slow hand would suggest, and a merge can be undone."""

import math
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.cases import duplicates, figures, ledger, store
from layers.cases.duplicates import APART, OTHER_CATEGORY, REACH_M
from layers.core.db import connect
from tests.layers.cases.desk import AT, Desk, policies_in, report

EARTH_M = 6_371_008.8


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    return policies_in(tmp_path_factory.mktemp("city"))


@pytest.fixture
def desk(own_toy, policies):
    with connect(own_toy.url) as connection:
        yield Desk(connection, policies)


def value(desk, statement):
    return next(iter(desk.run(statement)[0].values()))


def metres(a, b):
    (lon1, lat1), (lon2, lat2) = [tuple(map(math.radians, place)) for place in (a, b)]
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))


def test_what_is_suggested_is_what_comparing_each_with_each_finds(desk):
    luck = random.Random(3)
    there = {}
    for number in range(120):
        lon, lat = 10.025 + luck.uniform(-0.005, 0.005), 50.025 + luck.uniform(-0.003, 0.003)
        at = AT - timedelta(hours=luck.uniform(0, 24 * 20))
        category = luck.choice(["theft", "noise"])
        facts = {"lon": lon, "lat": lat, "reported_at": at, "category": category}
        there[desk.register(report(str(number), **facts))["case_id"]] = ((lon, lat), at, category)
    found = 0
    for case_id, (place, at, category) in there.items():
        expected = {}
        for other, (its_place, its_at, its_category) in there.items():
            near, soon = 1 - metres(place, its_place) / REACH_M, 1 - abs(at - its_at) / APART
            if other != case_id and near > 0 and soon > 0:
                expected[other] = near * soon * (1 if category == its_category else OTHER_CATEGORY)
        most = sorted(expected, key=lambda other: -expected[other])[: duplicates.MOST]
        rows = desk.run(duplicates.suggested(case_id))
        assert [row["case_id"] for row in rows] == most
        assert [row["score"] for row in rows] == pytest.approx([expected[other] for other in most], abs=2e-3)
        found += len(rows)
    assert found > 200


def test_what_is_closed_or_merged_is_not_suggested(desk):
    own, closed, merged, stays = [desk.register(report(key))["case_id"] for key in "abcd"]
    desk.move(closed, "decline", 1)
    assert value(desk, duplicates.merge(merged, stays, AT)) is None
    assert [row["case_id"] for row in desk.run(duplicates.suggested(own))] == [stays]
    assert desk.run(duplicates.suggested(closed)) == desk.run(duplicates.suggested(merged)) == []


def test_suggestions_are_found_by_place_through_the_index_for_a_dispatcher_too(desk):
    own = desk.register(report("a"))["case_id"]
    desk.connection.execute(
        """insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at, cell,
          zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
        select workflow, source, 'n' || n, category, severity, origin, reported_at, cell, zones, spot,
          ST_SetSRID(ST_MakePoint(10 + 0.1 * n / 20000, 50.03), 4326), state, true, 0, entered_at, changed_at, 0, false, '{}'
        from onemap.case_file, generate_series(1, 20000) n"""
    )
    desk.connection.execute("analyze onemap.case_file")
    desk.connection.execute("set local role onemap_exact")
    asked = duplicates.suggested(own)
    plan = desk.connection.execute(b"explain " + asked.sql.encode(), asked.params).fetchall()
    assert "case_file_geom" in str(plan)


def test_a_merged_case_moves_no_more_and_a_main_one_goes_into_no_other(desk):
    own, main, other = [desk.register(report(key))["case_id"] for key in "abc"]
    assert value(desk, duplicates.merge(own, main, AT)) is None
    assert desk.move(own, "accept", 1) is False
    refused = {(own, other): "merged", (other, own): "merged", (main, other): "main", (own, 10**9): "missing"}
    for (case_id, into), why in refused.items():
        assert value(desk, duplicates.merge(case_id, into, AT)) == why
    desk.move(other, "decline", 2)
    assert value(desk, duplicates.merge(other, main, AT)) == "closed"
    assert value(desk, duplicates.split(own, AT)) is True
    assert value(desk, duplicates.split(own, AT)) is False
    assert desk.move(own, "accept", 1) is True


def test_what_a_source_says_is_open_is_not_counted_beside_what_it_is_merged_into(desk):
    before = value(desk, store.Statement("select count(*) from onemap.open_item"))
    found = desk.connection.execute(
        "select incident_id from onemap.incident where state = 'new' limit 1"
    ).fetchone()
    own = desk.register(report("a", incident_id=found["incident_id"]))["case_id"]
    main = desk.register(report("b"))["case_id"]
    assert value(desk, store.Statement("select count(*) from onemap.open_item")) == before + 1
    value(desk, duplicates.merge(own, main, AT))
    assert value(desk, store.Statement("select count(*) from onemap.open_item")) == before


KEPT = """select to_jsonb(file) - 'regrouped_at' as file, (
  select jsonb_agg(to_jsonb(term) order by stage, start_at) from onemap.case_deadline term where term.case_id = file.case_id
) as terms from onemap.case_file file order by case_id"""
PLACES = st.integers(0, 4)
DEEDS = st.lists(st.one_of(st.tuples(PLACES, PLACES), st.tuples(PLACES)), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_however_cases_are_merged_each_is_counted_once_and_splits_give_all_back(desk, deeds):
    ids = [desk.register(report(str(number)))["case_id"] for number in range(5)]
    before = desk.connection.execute(KEPT).fetchall()
    incidents = value(desk, store.Statement("select count(*) from onemap.incident where state is not null"))
    into = {}
    for deed in deeds:
        own = ids[deed[0]]
        if len(deed) == 1:
            assert value(desk, duplicates.split(own, AT)) is (own in into)
            into.pop(own, None)
            continue
        main = ids[deed[1]]
        can = own != main and not {own, main} & set(into) and own not in into.values()
        if own != main:
            assert (value(desk, duplicates.merge(own, main, AT)) is None) is can
        if can:
            into[own] = main
        assert desk.run(figures.counts(AT))[0]["open"] == 5 - len(into)
        opened = value(desk, store.Statement("select count(*) from onemap.open_item"))
        assert opened == incidents + 5 - len(into)
    for own in list(into):
        value(desk, duplicates.split(own, AT))
    assert desk.connection.execute(KEPT).fetchall() == before
    assert desk.run(ledger.broken()) == []
