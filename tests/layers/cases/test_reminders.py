"""Reminders in a real database: each colour of each term once, whatever works beside or dies meanwhile."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.cases import duplicates, ledger, reminders
from layers.cases.sla import Deadline
from layers.core.db import connect
from layers.core.statement import Statement
from tests.layers.cases.desk import AT, MINUTE, POLICIES, Desk, policies_in, report

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(own_toy, tmp_path):
    with connect(own_toy.url) as connection:
        yield Desk(connection, policies_in(tmp_path))


def handled(desk, key="1"):
    """A case whose clock runs since minute 3: it warns at hour 3, is over at 4, and red at 8."""
    case_id = desk.register(report(key))["case_id"]
    for minute, code in enumerate(("accept", "triage", "dispatch", "handle"), 1):
        assert desk.move(case_id, code, minute)
    desk.connection.commit()
    return case_id


def remind(desk, after, most=reminders.BATCH):
    found = desk.run(reminders.remind(AT + after, most))[0]["told"]
    desk.connection.commit()
    return found


def told(desk):
    return [row["payload"] | {"subject": row["subject"]} for row in desk.run(
        Statement("select subject, payload from onemap.ledger where kind = 'reminder' order by seq"))]  # fmt: skip


def test_each_colour_is_told_once_and_at_red_to_the_supervisor(desk):
    case_id = handled(desk)
    counts = [remind(desk, hours * HOUR) for hours in (1, 3.1, 3.2, 4.1, 5, 8.1, 9)]
    assert counts == [0, 1, 0, 1, 0, 1, 0]
    assert [(row["colour"], row["to"]) for row in told(desk)] == [
        ("warn", "unit"), ("overdue", "unit"), ("red", "supervisor"),
    ]  # fmt: skip
    assert {row["subject"] for row in told(desk)} == {f"case:{case_id}"}
    assert desk.run(ledger.broken()) == []


def test_a_term_that_is_put_off_is_told_of_again_and_one_that_stood_still_is_not(desk, tmp_path):
    case_id = handled(desk)
    assert remind(desk, 4.5 * HOUR) == 1
    assert desk.move(case_id, "pause", 280)
    assert desk.move(case_id, "resume", 300)
    desk.connection.commit()
    assert [remind(desk, hours * HOUR) for hours in (5.1, 6)] == [0, 0]
    slower = POLICIES.replace("amount = 4", "amount = 20").replace("amount = 8", "amount = 40")
    desk.policies = policies_in(tmp_path, slower)
    assert desk.move(case_id, "pause", 400)
    assert desk.move(case_id, "resume", 410)
    desk.connection.commit()
    assert [remind(desk, hours * HOUR) for hours in (8, 20, 21)] == [0, 0, 1]
    assert [row["colour"] for row in told(desk)] == ["overdue", "overdue"]


def test_after_a_time_without_a_worker_only_the_highest_colour_is_told(desk):
    for key in "abc":
        handled(desk, key)
    assert remind(desk, timedelta(days=9)) == 3
    assert [row["colour"] for row in told(desk)] == ["red"] * 3
    assert remind(desk, timedelta(days=10)) == 0


def test_a_term_that_stands_still_or_is_met_is_not_told_of(desk):
    paused, ended = handled(desk, "1"), handled(desk, "2")
    assert desk.move(paused, "pause", 60)
    assert desk.move(ended, "feed_back", 60)
    desk.connection.commit()
    assert remind(desk, 9 * HOUR) == 0
    assert desk.move(paused, "resume", 60 * 10)  # an hour was spent of four
    desk.connection.commit()
    assert not desk.run(reminders.waiting(AT + 11 * HOUR))[0]["waiting"]
    assert remind(desk, 12.5 * HOUR) == 1
    assert told(desk)[0]["colour"] == "warn"


def test_what_is_merged_into_another_is_told_of_as_that_and_no_stage_that_ended_with_the_merge(desk):
    main, other = handled(desk, "1"), handled(desk, "2")
    fresh = desk.register(report("3"))["case_id"]
    for own in (other, fresh):
        desk.run(duplicates.merge(own, main, AT + 10 * MINUTE))
    assert remind(desk, 9 * HOUR) == 2
    assert [row["subject"] for row in told(desk)] == [f"case:{main}"] * 2
    assert desk.move(main, "feed_back", 60 * 9)
    assert desk.run(reminders.waiting(AT + 99 * HOUR)) == [{"waiting": False}]
    desk.run(duplicates.split(fresh, AT + 10 * HOUR))
    assert remind(desk, 11 * HOUR) == 1


def test_a_pause_after_a_warning_does_not_have_it_told_again(desk):
    case_id = handled(desk)
    assert remind(desk, 3.2 * HOUR) == 1
    assert desk.move(case_id, "pause", 60 * 4 - 30)
    assert desk.move(case_id, "resume", 60 * 20)
    desk.connection.commit()
    assert remind(desk, 20.1 * HOUR) == 0
    assert remind(desk, 20.6 * HOUR) == 1
    assert [row["colour"] for row in told(desk)] == ["warn", "overdue"]


def test_the_screens_and_whoever_follows_hear_of_it_in_the_same_transaction(desk):
    case_id = handled(desk)
    desk.run(reminders.remind(AT + 4.5 * HOUR))
    desk.connection.rollback()  # the worker dies before it commits
    assert told(desk) == []
    desk.connection.rollback()
    assert remind(desk, 4.5 * HOUR) == 1
    (event,) = desk.run(Statement("select * from onemap.outbox where topic = 'reminder'"))
    assert (
        event["payload"] | {"id": case_id, "colour": "overdue", "sensitive": False, "area": "V1G2"}
        == event["payload"]
    )
    assert len(event["area_ids"]) == 3


def test_many_workers_at_once_tell_each_term_once(desk, own_toy):
    for number in range(12):
        handled(desk, str(number))
    counts, together = [], Barrier(4)

    def work():
        with connect(own_toy.url) as connection:
            mine = Desk(connection, desk.policies)
            together.wait()
            counts.extend(remind(mine, 9 * HOUR, most=3) for _ in range(6))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while more := remind(desk, 9 * HOUR, most=3):  # whoever found all held by others came away with none
        counts.append(more)
    assert sum(counts) == len(told(desk)) == 12
    assert desk.run(ledger.broken()) == []


def test_a_move_that_is_being_made_is_not_waited_for(desk, own_toy):
    case_id = handled(desk)
    assert desk.move(case_id, "feed_back", 60 * 4 + 30)  # not committed yet
    with connect(own_toy.url) as other:
        assert other.execute("select onemap.remind(%s, 9, 'handle') as told", [AT + 9 * HOUR]).fetchone() == {
            "told": 0
        }
        other.rollback()
        desk.connection.commit()
        assert other.execute("select onemap.remind(%s, 9, 'handle') as told", [AT + 9 * HOUR]).fetchone() == {
            "told": 0
        }


moments = st.none() | st.integers(0, 6).map(lambda hours: datetime(2026, 1, 1, hours, tzinfo=UTC))


@pytest.fixture(scope="module")
def shared(shared_url):
    with connect(shared_url) as connection:
        yield connection


@given(warn=moments, due=moments, red=moments, at=st.integers(0, 6))
def test_a_colour_is_the_same_in_the_database(shared, warn, due, red, at):
    now = datetime(2026, 1, 1, at, tzinfo=UTC)
    found = shared.execute("select onemap.term_colour(%s, %s, %s, %s) as c", [warn, due, red, now]).fetchone()
    assert found["c"] == Deadline("handle", now, due, warn, red).colour(now)
