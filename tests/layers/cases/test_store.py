"""Cases in a real database: what is read back is what was worked out, and two movers at once are one."""

import random
from threading import Thread

import psycopg
import pytest

from layers.cases import ledger, store
from layers.cases.case import Case, Step
from layers.cases.workflow import Actor
from layers.core.db import connect
from layers.core.errors import BadValue, Conflict
from layers.core.statement import Statement
from tests.layers.cases.desk import AT, LOOP, MINUTE, Desk, policies_in, report


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    return policies_in(tmp_path_factory.mktemp("city"))


@pytest.fixture
def desk(own_toy, policies):
    with connect(own_toy.url) as connection:
        yield Desk(connection, policies)


TO_HANDLING = ("accept", "triage", "dispatch", "handle")


def test_a_case_is_registered_once_for_its_key(desk):
    first, again = desk.register(report()), desk.register(report())
    assert (first["fresh"], again["fresh"]) == (True, False)
    assert first["case_id"] == again["case_id"]
    assert len(desk.told("registered")) == 1


def test_a_case_about_an_incident_is_the_only_one(desk):
    first = desk.register(report("1", incident_id=1))
    again = desk.register(report("2", incident_id=1))
    assert (again["fresh"], again["case_id"]) == (False, first["case_id"])


def test_what_is_read_back_is_what_was_worked_out(desk):
    case_id = desk.register(report())["case_id"]
    worked_out = Case.registered(LOOP, AT)
    for minute, code in enumerate(
        (*TO_HANDLING, "pause", "resume", "feed_back", "return", "bounce", "dispatch"), 1
    ):
        before = desk.case(case_id)
        assert before == worked_out
        assert desk.move(case_id, code, minute)
        step = desk.run(store.steps(case_id))[-1]
        told = {name: step[name] for name in ("reason", "unit", "rating")}
        worked_out = before.after(LOOP, Step(code, Actor(step["actor"]), step["at"], **told))
    assert [row["version"] for row in desk.run(store.steps(case_id))] == list(range(1, 11))


def test_a_place_is_tagged_as_an_incident_there_would_be(desk):
    desk.register(report())
    found = desk.connection.execute("select area_id, zones from onemap.case_file").fetchone()
    grid = desk.connection.execute("select area_id from onemap.area where code = 'V1G2'").fetchone()
    assert found == {"area_id": grid["area_id"], "zones": 3}
    differing = """select count(*) from onemap.incident, onemap.tag_point(geom, occurred_at) tag
    where (incident.area_id, incident.zones) is distinct from (tag.area_id, tag.zones)"""
    assert desk.connection.execute(differing).fetchone() == {"count": 0}


def test_the_clock_starts_at_dispatch_and_no_bounce_sets_its_term_back(desk):
    case_id = desk.register(report())["case_id"]
    assert desk.deadlines(case_id) == {"accept": (60, None)}
    for minute, code in enumerate(TO_HANDLING, 1):
        desk.move(case_id, code, minute)
    assert desk.deadlines(case_id) == {"accept": (60, 1), "handle": (3 + 240, None)}
    for minute, code in enumerate(("bounce", "arbitrate"), 50):
        desk.move(case_id, code, minute)
    assert desk.deadlines(case_id) == {"accept": (60, 1), "handle": (243, None), "arbitrate": (51 + 120, None)}
    desk.move(case_id, "rule", 60)
    assert desk.deadlines(case_id)["handle"] == (243, None)
    assert desk.deadlines(case_id)["arbitrate"] == (171, 60)


def test_a_pause_takes_the_due_moment_away_and_gives_it_back_later_by_its_length(desk):
    case_id = desk.register(report())["case_id"]
    for minute, code in enumerate((*TO_HANDLING, "pause"), 1):
        desk.move(case_id, code, minute)
    assert desk.deadlines(case_id)["handle"] == (None, None)
    desk.move(case_id, "resume", 5 + 30)
    assert desk.deadlines(case_id)["handle"] == (243 + 30, None)
    desk.move(case_id, "feed_back", 400)
    assert desk.deadlines(case_id)["handle"] == (273, 400)
    assert desk.told("deadline")[-1]["payload"]["late"] is True
    desk.move(case_id, "return", 500)
    assert desk.deadlines(case_id)["handle"] == (273, None)  # it was over before the clock stood still


def test_a_pause_takes_no_lateness_back_whether_the_case_goes_on_or_ends_in_it(desk):
    for key, *moves in (("goes on", "resume", "feed_back"), ("ends", "feed_back")):
        case_id = desk.register(report(key))["case_id"]
        for minute, code in enumerate(TO_HANDLING, 1):
            desk.move(case_id, code, minute)
        for minute, code in enumerate(("pause", *moves), 300):
            desk.move(case_id, code, minute)
            assert desk.deadlines(case_id)["handle"][0] == 243
        assert desk.told("deadline")[-1]["payload"]["late"] is True


def test_every_registration_move_and_deadline_is_in_a_ledger_that_holds(desk):
    case_id = desk.register(report())["case_id"]
    for minute, code in enumerate((*TO_HANDLING, "feed_back", "evaluate", "close"), 1):
        desk.move(case_id, code, minute)
    assert [row["payload"]["move"] for row in desk.told("moved")] == [
        *TO_HANDLING,
        "feed_back",
        "evaluate",
        "close",
    ]
    assert [row["payload"]["stage"] for row in desk.told("deadline")] == ["accept", "accept", "handle", "handle"]
    assert desk.run(ledger.broken()) == []


def test_every_registration_and_move_is_told_to_whoever_follows_with_the_areas_above(desk, own_toy):
    case_id = desk.register(report())["case_id"]
    desk.move(case_id, "accept", 1)
    told = desk.run(
        Statement("select topic, area_ids, payload from onemap.outbox where layer = 'cases' order by seq")
    )
    assert [row["topic"] for row in told] == ["layer", "case"] * 2
    assert [row["payload"]["version"] for row in told] == [1, 0, 2, 1]
    assert told[-1]["payload"] | {"state": "accepted", "id": case_id, "sensitive": False} == told[-1]["payload"]
    assert set(told[-1]["area_ids"]) == {own_toy.area_id(code) for code in ("V1G2", "V1", "D")}


def test_a_step_from_a_version_that_is_gone_writes_nothing(desk):
    case_id = desk.register(report())["case_id"]
    stale = desk.case(case_id)
    assert desk.move(case_id, "accept", 1)
    told = Statement("select (select count(*) from onemap.ledger) + (select count(*) from onemap.outbox) as rows")
    before = desk.run(told)
    assert not desk.move(case_id, "decline", 2, before=stale)
    assert desk.case(case_id).state == "accepted"
    assert desk.run(told) == before


def test_a_step_that_is_made_is_never_changed(desk):
    case_id = desk.register(report())["case_id"]
    desk.move(case_id, "accept", 1)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only added to"):
        desk.connection.execute("update onemap.case_step set move = 'decline'")


def test_a_dispatcher_of_an_area_neither_sees_nor_moves_another_areas_cases(desk, own_toy):
    case_id = desk.register(report())["case_id"]
    elsewhere = desk.connection.execute(
        "select area_id from onemap.area where level_rank = 1 and area_id not in (select area_id from onemap.case_file)"
        " order by code desc limit 1"
    ).fetchone()["area_id"]
    later = desk.case(case_id)
    desk.connection.execute("set role onemap_exact")
    desk.connection.execute("select set_config('onemap.area_id', %s, false)", [str(elsewhere)])
    assert desk.run(store.by_id(case_id)) == []
    step = Step("accept", Actor.DISPATCHER, AT + MINUTE)
    made = desk.run(store.add(case_id, step, later.after(LOOP, step), LOOP, []))
    assert list(made[0].values()) == [False]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        desk.register(report("2"))


def test_the_room_reads_where_cases_stand_but_no_text_and_no_point(desk):
    desk.register(report(report="a hole in the road"))
    desk.connection.execute("set role onemap_room")
    assert (
        desk.connection.execute("select state, due_at, spot from onemap.case_file").fetchone()["state"]
        == "reported"
    )
    for column in ("report", "geom", "source_key"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), desk.connection.transaction():
            desk.connection.execute(f"select {column} from onemap.case_file".encode())


def test_four_dispatchers_at_once_never_lose_or_double_a_move(own_toy, policies):
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies)
        ids = [desk.register(report(str(number)))["case_id"] for number in range(5)]
        connection.commit()
    moved: list[list[int]] = [[], [], [], []]

    def work(number: int) -> None:
        chance = random.Random(number)
        with connect(own_toy.url) as connection:
            desk = Desk(connection, policies)
            for minute in range(1, 41):
                case_id = chance.choice(ids)
                actors = {move.code for actor in Actor for move in desk.case(case_id).moves(LOOP, actor)}
                code = chance.choice(sorted(actors - {"close", "decline"}) or ["reopen"])
                try:
                    made = desk.move(case_id, code, 10_000 + minute)
                except (BadValue, Conflict):  # time went on elsewhere, or the case did
                    connection.rollback()
                    continue
                connection.commit()
                if made:
                    moved[number].append(case_id)

    threads = [Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [case_id for each in moved for case_id in each]
    assert len(made) > 20
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies)
        for case_id in ids:
            steps = desk.run(store.steps(case_id))
            assert len(steps) == made.count(case_id) == desk.case(case_id).version
            replayed = Case.registered(LOOP, AT)
            for step in steps:
                told = {name: step[name] for name in ("reason", "unit", "rating")}
                replayed = replayed.after(LOOP, Step(step["move"], Actor(step["actor"]), step["at"], **told))
            assert (replayed.state, replayed.bounces) == (desk.case(case_id).state, desk.case(case_id).bounces)
        assert desk.run(ledger.broken()) == []
        assert len(desk.told("moved")) == len(made)


def test_reasons_are_forgotten_some_time_after_their_case_has_ended_and_not_before(desk):
    ended, running, own = [desk.register(report(key))["case_id"] for key in "123"]
    for minute, code in enumerate((*TO_HANDLING, "pause", "resume", "feed_back", "evaluate", "close"), 1):
        desk.move(ended, code, minute)
    for case_id in (running, own):
        for minute, code in enumerate((*TO_HANDLING, "pause"), 1):
            desk.move(case_id, code, minute)
    end = AT + 9 * MINUTE
    for before, n in ((end, 0), (end + MINUTE, 2), (end + MINUTE, 0)):
        assert desk.run(ledger.forget_before(before, end + MINUTE)) == [{"forget_texts": n}]
    # What is merged into a case that has ended has ended with it.
    merge = "update onemap.case_file set merged_into = %s, merged_at = %s where case_id = %s"
    desk.connection.execute(merge, [ended, end, own])
    assert desk.run(ledger.forget_before(end + MINUTE, end + MINUTE)) == [{"forget_texts": 1}]
    reasons = {
        case_id: [step["reason"] for step in desk.run(store.steps(case_id))] for case_id in (ended, running, own)
    }
    assert {case_id for case_id, told in reasons.items() if any(told)} == {running}
    assert desk.run(ledger.broken()) == []
    assert len(desk.told("forgotten")) == 2
