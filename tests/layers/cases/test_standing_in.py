"""A main case stands for the terms of what is merged into it: no merge hides that something is late."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.cases import adoption, duplicates, figures
from layers.cases.items import Filter, every
from layers.core.db import connect
from layers.core.statement import Statement
from tests.layers.cases.desk import AT, LOOP, MINUTE, Desk, policies_in, report

PATH = ("accept", "triage", "dispatch", "handle", "feed_back", "return")
RUNNING = """select stage, due_at, red_at from onemap.case_deadline where case_id = %(id)s and met_at is null
order by stage, start_at"""


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    return policies_in(tmp_path_factory.mktemp("city"))


@pytest.fixture
def desk(own_toy, policies):
    with connect(own_toy.url) as connection:
        yield Desk(connection, policies)


def value(desk, statement):
    return next(iter(desk.run(statement)[0].values()))


def row(desk, case_id):
    return desk.run(Statement("select * from onemap.case_file where case_id = %(id)s", {"id": case_id}))[0]


def walked(desk, key, *minutes):
    """A case that made the moves of PATH at these minutes."""
    case_id = desk.register(report(key))["case_id"]
    for code, minute in zip(PATH, minutes, strict=False):
        assert desk.move(case_id, code, minute)
    return case_id


def late(desk, minute):
    """Numbers of what is open and over its term at a minute, as every list and figure counts it."""
    asked = Filter(AT + minute * MINUTE, is_open=True)
    lines = desk.run(every(asked, "due", 1000))
    return {line["item_id"] for line in lines if line["colour"] in ("overdue", "red") and line["met_at"] is None}


def promised(desk, case_id, minute):
    """The first moments at which a case is over and red by what goes on where it is merged at that minute."""
    terms = [
        term
        for term in desk.run(Statement(RUNNING, {"id": case_id}))
        if term["stage"] == "handle" or (term["due_at"] and term["due_at"] <= AT + minute * MINUTE)
    ]
    return [min((each[name] for each in terms if each[name]), default=None) for name in ("due_at", "red_at")]


def test_a_late_case_that_is_merged_into_a_fresh_one_makes_that_late(desk):
    own, main = walked(desk, "late", 1, 2, 3, 4), walked(desk, "fresh", 300, 301, 302, 303)
    own_due, own_red = row(desk, own)["due_at"], row(desk, own)["red_at"]
    main_due = row(desk, main)["due_at"]
    assert late(desk, 310) == {own}
    assert value(desk, duplicates.merge(own, main, AT + 310 * MINUTE)) is None
    assert late(desk, 310) == {main}
    assert (row(desk, main)["due_at"], row(desk, main)["red_at"]) == (own_due, own_red)
    assert desk.told("merged")[1]["payload"] == {"with": own, "due": own_due.isoformat()}
    assert value(desk, duplicates.split(own, AT + 320 * MINUTE)) is True
    assert (row(desk, main)["due_at"], row(desk, own)["due_at"]) == (main_due, own_due)
    assert desk.told("split")[1]["payload"] == {"off": own, "due": main_due.isoformat()}
    assert late(desk, 320) == {own}


def test_moves_of_the_main_case_take_no_lateness_away_until_the_work_is_done(desk):
    own, main = walked(desk, "late", 1, 2, 3, 4), walked(desk, "fresh")
    due = row(desk, own)["due_at"]
    value(desk, duplicates.merge(own, main, AT + 50 * MINUTE))
    for minute, code in enumerate(("accept", "triage", "dispatch", "handle", "pause", "bounce"), 51):
        assert desk.move(main, code, minute)
        assert row(desk, main)["due_at"] == due, code
    assert late(desk, 300) == {main}
    for minute, code in enumerate(("dispatch", "handle", "resume", "feed_back"), 301):
        assert desk.move(main, code, minute)
    assert (row(desk, main)["due_at"], late(desk, 400)) == (None, set())
    (line,) = desk.run(every(Filter(AT + 400 * MINUTE), "due", 9))
    assert (line["due_at"], line["met_at"], line["colour"]) == (due, AT + 304 * MINUTE, "overdue")
    assert desk.move(main, "close", 401)
    assert desk.run(figures.counts(AT + 500 * MINUTE)) == [{"open": 0, "closed": 1, "late": 1}]
    assert desk.move(main, "reopen", 402)
    assert desk.move(main, "dispatch", 403)
    assert row(desk, main)["due_at"] > AT + 403 * MINUTE  # what was promised then is kept, or was broken, by then
    value(desk, duplicates.split(own, AT + 404 * MINUTE))
    assert late(desk, 404) == {own}


def test_a_main_case_that_follows_its_source_keeps_the_terms_of_what_is_merged_into_it(desk):
    (said,) = desk.run(
        Statement(
            """update onemap.incident set due_at = %(at)s, closed_at = null, state = 'new' where incident_id = (
              select min(incident_id) from onemap.incident where state is not null
            ) returning incident_id, source, due_at""",
            {"at": AT + 900 * MINUTE},
        )
    )
    desk.run(adoption.adopt(said["source"], LOOP, AT))
    (main,) = desk.run(
        Statement("select case_id from onemap.case_file where incident_id = %(id)s", {"id": said["incident_id"]})
    )
    main, own = main["case_id"], walked(desk, "late", 1, 2, 3, 4)
    due = row(desk, own)["due_at"]
    opened = "select min(due_at) from onemap.open_item where incident_id = %(id)s"
    value(desk, duplicates.merge(own, main, AT + 10 * MINUTE))
    for moved in (800, 850):
        desk.run(
            Statement(
                "update onemap.incident set due_at = %(at)s where incident_id = %(id)s returning 1",
                {"at": AT + moved * MINUTE, "id": said["incident_id"]},
            )
        )
        desk.run(adoption.adopt(said["source"], LOOP, AT + 20 * MINUTE))
        assert row(desk, main)["due_at"] == due
        assert value(desk, Statement(opened, {"id": said["incident_id"]})) == due
    # What stands for another is as we say; alone again it is what it was, and follows its source once more.
    value(desk, duplicates.split(own, AT + 30 * MINUTE))
    assert row(desk, main)["due_at"] == AT + 900 * MINUTE
    desk.run(adoption.adopt(said["source"], LOOP, AT + 40 * MINUTE))
    assert row(desk, main)["due_at"] == AT + 850 * MINUTE


OPEN = "select case_id, due_at, red_at from onemap.case_file where is_open and merged_into is null"
WALKS = st.lists(st.integers(1, 200), max_size=len(PATH)).map(sorted)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walks=st.lists(WALKS, min_size=3, max_size=3), waits=st.lists(st.integers(0, 300), min_size=2, max_size=2))
def test_no_merge_ever_makes_fewer_late_but_for_the_one_that_its_main_case_stands_for(desk, walks, waits):
    one, two, main = [walked(desk, str(number), *minutes) for number, minutes in enumerate(walks)]
    stopped = len(walks[2]) == PATH.index("feed_back") + 1
    minute = max((max(minutes, default=0) for minutes in walks), default=0)

    def late_at():
        """Who is over its term at each of many minutes from now on, if nobody moves."""
        rows = desk.run(Statement(OPEN))
        return [
            {each["case_id"] for each in rows if each["due_at"] and each["due_at"] <= AT + probe * MINUTE}
            for probe in range(minute, 2000, 10)
        ]

    for own, wait in zip((one, two), waits, strict=True):
        minute += wait
        before, (due, red) = late_at(), promised(desk, own, minute)
        assert value(desk, duplicates.merge(own, main, AT + minute * MINUTE)) is None
        after, stands = late_at(), row(desk, main)
        assert all(those - {own} <= these for those, these in zip(before, after, strict=True))
        if not stopped:
            assert own not in before[0] or main in after[0]
            assert due is None or stands["due_at"] <= due
            assert red is None or stands["red_at"] <= red
        elif own in before[0]:  # the work is done: it was late by then
            (line,) = (
                each
                for each in desk.run(every(Filter(AT + minute * MINUTE), "due", 99))
                if each["item_id"] == main
            )
            assert line["met_at"] - line["due_at"] >= AT + minute * MINUTE - row(desk, own)["due_at"]
    desk.connection.rollback()
