from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core import events
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.db import Database, connect
from layers.heat.engine import Engine
from mapserver import versions as module
from mapserver.versions import HEAT, HOLD_S, Line, Versions
from tests import toy
from tests.layers.cases.desk import AT, MINUTE, Desk, policies_in, report
from tests.mapserver.conftest import Moving

MOMENTS = st.lists(st.floats(0, 60), max_size=40).map(sorted)


@given(MOMENTS, MOMENTS)
def test_urls_name_another_version_at_most_every_five_seconds_and_the_newest_in_the_end(told, read):
    line, other = Line(""), Line("")
    for one in (line, other):
        one.note("0", 0.0)
    changes, named = [], line.named
    read = [*read, *(HOLD_S * n for n in range(12))]
    for now_s, version in sorted(
        [(now_s, str(n)) for n, now_s in enumerate(told, 1)] + [(now_s, "") for now_s in read],
        key=itemgetter(0),  # of one moment, the tenth version comes after the ninth
    ):
        for one in (line, other):
            if version:
                one.note(version, now_s)
        line.settle(now_s)
        if line.named != named:
            named = line.named
            changes.append(now_s // HOLD_S)
        if version:
            assert line.newest == version
    assert len(changes) == len(set(changes))
    for one in (line, other):  # whoever read, and whenever: processes name the same
        one.settle(70.0)
        assert one.named == one.newest == str(len(told))


@given(MOMENTS, MOMENTS, st.floats(0, 60))
def test_processes_that_hear_the_same_name_the_same_whenever_they_are_asked(told, read, at):
    asked, unasked = Line(""), Line("")
    for now_s, version in sorted(
        [(now_s, str(n)) for n, now_s in enumerate(told, 1)] + [(now_s, "") for now_s in read],
        key=itemgetter(0),  # of one moment, the tenth version comes after the ninth
    ):
        if now_s <= at:
            if version:
                asked.note(version, now_s)
                unasked.note(version, now_s)
            asked.settle(now_s)
    asked.settle(at)
    unasked.settle(at)
    assert asked.named == unasked.named


def test_the_first_change_after_a_quiet_time_is_named_at_once():
    line = Line("")
    line.note("1", 0.0)
    line.note("2", 7.0)
    assert line.named == "2"


@pytest.fixture
async def made(own_toy, tmp_path, monkeypatch):
    """Versions that hold nothing back, and their clock."""
    monkeypatch.setattr(module, "HOLD_S", 1e-9)
    clock = Moving(datetime.now(UTC))
    async with Database(own_toy.url, pool_size=1) as db:
        versions = Versions(db, Engine(tmp_path, toy.CITY), toy.CITY, clock)
        await versions.refresh()
        yield versions, clock


def tags(versions, audience=PUBLIC):
    return {
        name: versions.tag(name, audience)
        for name in ("areas", "risk_areas", "roads", "incidents", "released", HEAT)
    }


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


async def test_what_changes_a_layer_changes_its_urls_and_those_that_depend_on_it(made, own_toy):
    versions, _ = made
    seen = {}
    for layer in ("roads", "incidents", "released", "areas"):
        before = tags(versions)
        with connect(own_toy.url) as connection:
            events.begin(connection)
            events.bump(connection, layer, datetime.now(UTC))
        await versions.refresh()
        seen[layer] = changed(before, tags(versions))
    everything = set(tags(versions))
    # Codes, scopes and outlines come from the areas; heat without a window is of the newest incidents.
    assert seen == {
        "roads": {"roads"},
        "incidents": {"incidents", HEAT},
        "released": {"released"},
        "areas": everything,
    }
    before = tags(versions)
    await versions.refresh()
    assert changed(before, tags(versions)) == set()


async def test_a_validity_that_begins_or_ends_by_the_clock_changes_the_urls(made, own_toy):
    versions, clock = made
    ends, begins = clock.at + timedelta(hours=2), clock.at + timedelta(hours=4)
    with connect(own_toy.url) as connection:
        connection.execute(
            """update onemap.risk_area_version set valid = tstzrange(lower(valid), %s)
            where risk_area_id = (select min(risk_area_id) from onemap.risk_area)""",
            [ends],
        )
        connection.execute(
            """update onemap.risk_area_version set valid = tstzrange(%s, null)
            where risk_area_id = (select max(risk_area_id) from onemap.risk_area)""",
            [begins],
        )
        events.begin(connection)
        events.bump(connection, "risk_areas", clock.at)
    await versions.refresh()
    start, found = clock.at, []
    for hours in (1.9, 2.1, 3.9, 4.1, 9):
        before, clock.at = tags(versions), start + timedelta(hours=hours)
        await versions.refresh()
        found.append("risk_areas" in changed(before, tags(versions)))
    assert found == [False, True, False, True, False]


async def test_no_audience_has_another_s_urls(made):
    versions, _ = made
    audiences = [Audience(role, area) for role in Role for area in (None, 1, 2)]
    assert len({versions.tag("areas", audience) for audience in audiences}) == len(audiences)


async def test_a_database_that_went_back_to_an_earlier_version_is_no_former_one(made, own_toy):
    versions, _ = made
    known = set()
    for moment in range(4):
        with connect(own_toy.url) as connection:
            connection.execute("delete from onemap.layer_version where layer = 'roads'")
            events.begin(connection)
            assert events.bump(connection, "roads", datetime(2030, 1, 1 + moment, tzinfo=UTC)) == 1
        await versions.refresh()
        known.add(versions.tag("roads", PUBLIC))
    assert len(known) == 4


async def test_a_case_that_comes_due_by_the_clock_changes_the_urls_of_the_cases(made, own_toy, tmp_path):
    versions, clock = made
    with connect(own_toy.url) as connection:
        Desk(connection, policies_in(tmp_path)).register(report())
    clock.at = AT
    await versions.refresh()
    found = []
    for minutes in (59, 61, 90):
        before, clock.at = versions.tag("cases", PUBLIC), AT + minutes * MINUTE
        await versions.refresh()
        found.append(versions.tag("cases", PUBLIC) != before)
    assert found == [False, True, False]
