"""A term is over at the moment at which it is due, whoever counts."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, literal, select

from layers.cases import adoption, figures, items, queue
from layers.cases.sla import Colour, Deadline, Policies, is_over
from layers.cases.worktime import WorkTime
from layers.catalog.cases import CASES
from layers.core.db import connect
from layers.core.statement import Statement
from layers.query import summary
from tests import toy
from tests.layers.cases.desk import AT, LOOP, Desk, policies_in, report

EVER = 10_000
TICK = timedelta(microseconds=1)


@pytest.fixture
def adopted(own_toy):
    """A desk of cases whose source says when they are due; nothing has been told of them."""
    with connect(own_toy.url) as connection:
        desk = Desk(connection, Policies((), WorkTime.of(toy.CITY)))
        desk.run(adoption.adopt("toy", LOOP, toy.FIRST))
        yield desk


def over(desk: Desk, at: datetime) -> dict[str, int]:
    """How many cases are over their term at a moment, by whoever says so."""
    deadline = next(known.column for known in CASES.fields if known.name == "deadline")
    shaded = select(func.count()).select_from(CASES.rows).where(deadline == literal("overdue")).params(now=at)
    moments = desk.run(Statement("select due_at from onemap.case_file where is_open and due_at is not null", {}))
    untold = Statement("select count(*) as n from onemap.untold(%(at)s) where colour = 'overdue'", {"at": at})
    return {
        "queue": len(desk.run(queue.page(queue.Filter(at, late=True, with_sensitive=True), EVER))),
        "summary": desk.run(summary.open_items(at, None, with_sensitive=True))[0]["overdue"],
        "figures": desk.run(figures.counts(at))[0]["late"],
        "list": next(iter(desk.run(items.count(items.Filter(at, colour="overdue"), EVER))[0].values())),
        "layer": next(iter(desk.run(Statement.of(shaded))[0].values())),
        "reminders": desk.run(untold)[0]["n"],
        "terms": sum(Deadline("source", AT, row["due_at"]).colour(at) is Colour.OVERDUE for row in moments),
        "moments": sum(is_over(row["due_at"], at) for row in moments),
    }


def test_all_figures_of_what_is_late_agree_before_at_and_after_the_moment_of_a_term(adopted):
    moments = sorted(row.due_at for row in toy.incidents() if row.due_at is not None)
    place = len(moments) // 2
    for shift, expected in ((-TICK, place), (0 * TICK, place + 1), (TICK, place + 1)):
        found = over(adopted, moments[place] + shift)
        assert found == dict.fromkeys(found, expected), shift


def test_what_ends_at_the_moment_of_its_term_is_late_and_what_was_accepted_late_is_not(own_toy, tmp_path):
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies_in(tmp_path))
        late, kept = (desk.register(report(key))["case_id"] for key in ("late", "kept"))
        first = 90  # half an hour after they were to be accepted
        for case_id, ends in ((late, first + 2 + 240), (kept, first + 2 + 239)):
            for minute, code in enumerate(("accept", "triage", "dispatch", "handle"), first):
                assert desk.move(case_id, code, minute)
            assert desk.move(case_id, "feed_back", ends)
        handled = [row["payload"]["late"] for row in desk.told("deadline") if row["payload"].get("stage") == "handle" and "met" in row["payload"]]  # fmt: skip
        assert handled == [True, False]
        assert desk.run(figures.counts(AT + timedelta(days=9)))[0] == {"open": 2, "closed": 0, "late": 1}
