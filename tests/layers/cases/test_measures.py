"""Measures in the database against a model of them in plain Python."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.cases import ledger, measures
from layers.cases.measures import Campaign, Task, Wanted
from layers.cases.periods import Every, periods
from layers.cases.worktime import WorkTime
from layers.core.db import connect
from tests import toy

WORK = WorkTime.of(toy.CITY)
BEGUN = toy.FIRST - timedelta(days=1)
HOUR = timedelta(hours=1)
PARENT = {code: parent for code, parent, *_ in toy.AREAS}
ZONE = {code: zone for code, zone, *_ in toy.RISK_AREAS}
FIGURES = ("measures", "terms", "kept", "due", "done", "in_time", "overdue")


def one(connection, statement):
    return connection.execute(statement.sql.encode(), statement.params).fetchone()


def rows(connection, statement):
    return connection.execute(statement.sql.encode(), statement.params).fetchall()


@dataclass
class Model:
    """A measure as a person would keep it on paper: per period, when it was done and how often."""

    task: Task
    terms: list
    zone: str | None
    area: str | None
    closed: object = None
    told: dict = field(default_factory=lambda: defaultdict(list))

    def done(self, term, at, *, in_time=False):
        last = term.due_at if in_time else at + HOUR
        return sum(n for when, n in self.told[term.number] if when <= at and when < last)

    def tell(self, at, amount):
        begun = [term for term in self.terms if term.start_at <= at]
        if not begun or self.closed:
            return None
        ever = toy.FIRST + timedelta(days=9999)
        lacking = [term for term in begun if self.done(term, ever) < self.task.target]
        running = [term for term in begun if at < term.due_at]
        chosen = ([t for t in running if t in lacking] or lacking or running or begun)[0]
        self.told[chosen.number].append((at, amount))
        return chosen.number

    def owed(self, at):
        open_still = self.closed is None or self.closed > at
        return [
            term for term in self.terms if term.due_at <= at and (open_still or term.due_at <= self.closed)
        ], open_still


def figures(models, at):
    found = dict.fromkeys(FIGURES, 0)
    for model in models:
        owed, open_still = model.owed(at)
        target = model.task.target
        found["measures"] += bool(owed)
        for term in owed:
            done = model.done(term, at)
            found["terms"] += 1
            found["kept"] += done >= target
            found["due"] += target
            found["done"] += min(done, target)
            found["in_time"] += min(model.done(term, at, in_time=True), target)
            found["overdue"] += open_still and done < target
    return found


def groups(models, of, at):
    members = defaultdict(list)
    for model in models:
        for group in of(model):
            if model.owed(at)[0]:
                members[group].append(model)
    return {group: figures(each, at) for group, each in members.items()}


def villages(model):
    code = model.area
    while code is not None and len(code) > 2:
        code = PARENT[code]
    return [code] if code is not None and len(code) == 2 else []


@dataclass(frozen=True)
class Ground:
    """The toy city, which prints in a few words where an example fails."""

    url: str
    area_ids: dict = field(repr=False)

    def area_id(self, code):
        return self.area_ids[code]


@pytest.fixture(scope="module")
def city(shared_toy):
    return Ground(shared_toy.url, {code: shared_toy.area_id(code) for code in PARENT})


tasks = st.fixed_dictionaries(
    {
        "bound": st.sampled_from(["school", "market", "D", "V1", "V2G1", "S1", "M1", "campaign"]),
        "every": st.sampled_from(Every),
        "target": st.integers(1, 4),
        "first": st.integers(0, 20),
        "length": st.integers(0, 40),
    }
)
# Any hour, and often midnight in the city, when periods end.
hours = st.integers(0, 70 * 24) | st.integers(0, 69).map(lambda day: day * 24 + 23)
doings = st.tuples(st.integers(0, 5), hours, st.integers(1, 3))


@settings(max_examples=40)
@given(
    st.lists(tasks, min_size=1, max_size=5),
    st.lists(doings, max_size=25),
    st.lists(st.integers(0, 70), min_size=1, max_size=3),
    st.tuples(st.integers(0, 5), st.integers(0, 70)),
)
def test_coverage_and_what_is_overdue_are_as_counted_by_hand(city, given_tasks, done, moments, closing):
    with connect(city.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', true)")
        start = toy.FIRST + timedelta(days=100)
        one(connection, measures.begin(Campaign("spring", "春", "Spring", BEGUN, start), BEGUN))
        models = [registered(connection, city, number, each) for number, each in enumerate(given_tasks)]
        for number, (which, hours, amount) in enumerate(done):
            model_id, model = models[which % len(models)]
            at = toy.FIRST + hours * HOUR
            found = one(connection, measures.tell(model_id, f"e{number}", at, amount, at))
            assert found["number"] == model.tell(at, amount)
            assert (found["refused"] is None) == (found["number"] is not None)
        model_id, model = models[closing[0] % len(models)]
        model.closed = toy.FIRST + timedelta(days=closing[1])
        for refused in (None, "closed"):
            found = one(connection, measures.close(model_id, "over", model.closed, unmet=True))
            assert found == {"close_measure": refused}
        assert one(connection, measures.tell(model_id, "late", toy.FIRST, 1, toy.FIRST))["refused"] == "closed"
        plain = [model for _, model in models]
        for day in moments:
            at = toy.FIRST + timedelta(days=day, hours=3)
            by_zone = groups(plain, lambda model: [model.zone] if model.zone else [], at)
            assert shown(connection, "zone_type", at) == by_zone | {None: figures(plain, at)}
            assert shown(connection, "area", at) == groups(plain, villages, at) | {None: figures(plain, at)}
            of_campaign = groups(plain, lambda model: ["spring"] if model.task.campaign else [], at)
            assert shown(connection, "campaign", at) == of_campaign | {None: figures(plain, at)}
            listed = {row["measure_id"]: row for row in rows(connection, measures.page(Wanted(at), 100))}
            for model_id, model in models:
                mine = figures([model], at)
                for name in ("terms", "kept", "overdue"):
                    assert listed[model_id][name] == mine[name], name
            late = rows(connection, measures.page(Wanted(at, overdue=True), 100))
            assert {row["measure_id"] for row in late} == {i for i, m in models if figures([m], at)["overdue"]}
        assert one(connection, ledger.broken()) is None
        connection.rollback()


def registered(connection, city, number, each):
    bound, first = each["bound"], date(2025, 1, 1) + timedelta(days=each["first"])
    areas = {"S1": "V1G2", "M1": "V1G1"}
    given = {
        "zone_type": bound if bound in ZONE.values() else None,
        "area_id": city.area_id(bound) if bound in PARENT else None,
        "campaign": "spring" if bound == "campaign" else None,
    }
    if bound in ZONE:
        found = connection.execute("select risk_area_id from onemap.risk_area where code = %s", [bound]).fetchone()
        given["risk_area_id"] = found["risk_area_id"]
    task = Task(f"m{number}", "任务", "Task", "fire office", each["every"], each["target"], BEGUN, **given)
    terms = periods(Every(each["every"]), first, first + timedelta(days=each["length"]), WORK)
    row = one(connection, measures.register(task, terms))
    assert row["fresh"], row
    again = one(connection, measures.register(task, terms))
    assert again == {"measure_id": row["measure_id"], "fresh": False, "refused": None}
    zone = ZONE.get(bound) or given["zone_type"]
    return row["measure_id"], Model(task, terms, zone, areas.get(bound) or (bound if bound in PARENT else None))


def shown(connection, by, at):
    found = rows(connection, measures.coverage(by, at, None, 1, None))
    return {row["code"]: {name: row[name] for name in FIGURES} for row in found}


def test_what_is_done_at_the_very_moment_when_it_is_due_is_late(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        made = {"bound": "V1", "every": "once", "target": 3, "first": 0, "length": 3}
        measure_id, model = registered(connection, own_toy, 1, made)
        due = model.terms[0].due_at
        for key, at in (("a", due - HOUR / 3600), ("b", due)):
            one(connection, measures.tell(measure_id, key, at, 1, due))
        (term,) = rows(connection, measures.terms(measure_id, due))
        assert (term["done"], term["in_time"], term["overdue"]) == (2, 1, True)
        (term,) = rows(connection, measures.terms(measure_id, due - HOUR / 3600))
        assert (term["done"], term["overdue"]) == (1, False)


def test_what_was_told_is_only_added_to(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        registered(connection, own_toy, 1, {"bound": "V1", "every": "once", "target": 2, "first": 0, "length": 3})
        one(connection, measures.tell(1, "a", toy.FIRST, 1, toy.FIRST))
        one(connection, measures.tell(1, "a", toy.FIRST, 1, toy.FIRST))
        assert connection.execute("select sum(amount) from onemap.measure_evidence").fetchone() == {"sum": 1}
        kinds = [row["kind"] for row in connection.execute("select kind from onemap.ledger order by seq")]
        assert kinds == ["measure", "evidence"]
        for table in ("measure_evidence", "measure_term"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation), connection.transaction():
                connection.execute(f"delete from onemap.{table}".encode())


# Days after the first one, when it was done and when that is told; periods are the days 0-6, 7-13 and 14-20.
TOLD = [
    (6.9, 7.1, 1, None), (6.9, 9.9, 1, None), (6.9, 10.1, None, "settled"), (1, 9.9, 1, None), (7.1, 10.1, 2, None),
    (7.1, 16.9, 2, None), (7.1, 17.1, None, "settled"), (6.9, 16.9, None, "settled"), (17.1, 17.1, 3, None),
    (14.1, 23.9, 3, None), (14.1, 24.1, None, "settled"), (40, 43, 1, None), (40, 43.1, None, "settled"),
    (43.1, 43.1, 1, None),
]  # fmt: skip


def test_nothing_is_dated_back_into_a_period_that_is_settled(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        made = {"bound": "V1", "every": "weekly", "target": 1, "first": 6, "length": 20}
        measure_id, model = registered(connection, own_toy, 1, made)
        begun = model.terms[0].start_at
        assert [(term.due_at - begun).days for term in model.terms] == [7, 14, 21]
        for at, now, number, refused in TOLD:
            with connection.transaction(force_rollback=True):
                moments = [begun + timedelta(days=days) for days in (at, now)]
                found = one(connection, measures.tell(measure_id, "e", moments[0], 1, moments[1]))
                assert (found["number"], found["refused"]) == (number, refused), (at, now)
                kept = connection.execute("select from onemap.measure_evidence").fetchall()
                assert len(kept) == (refused is None)


def test_a_measure_that_lacks_evidence_in_any_period_is_closed_by_no_dispatcher_alone(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        made = {"bound": "V1", "every": "weekly", "target": 2, "first": 6, "length": 13}
        measure_id, model = registered(connection, own_toy, 1, made)
        for key, term in enumerate([term for term in model.terms for _ in range(2)]):
            found = one(connection, measures.close(measure_id, "met", term.start_at, unmet=False))
            assert found == {"close_measure": "lacking"}
            one(connection, measures.tell(measure_id, f"e{key}", term.start_at, 1, term.start_at))
        found = one(connection, measures.close(measure_id, "met", term.start_at, unmet=False))
        assert found == {"close_measure": None}


GROUNDS = [
    ("S1", "V1", None), ("S1", "D", None), ("S1", "V1G2", None), ("S1", "V2", "apart"), ("S1", "V2G1", "apart"),
    ("S1", "V1G1", "apart"), ("M1", "V2", "apart"), ("M1", "V1G1", None),
]  # fmt: skip


def test_a_measure_at_a_risk_area_is_of_an_area_that_has_ground_in_common_with_it(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        terms = periods(Every.ONCE, toy.FIRST.date(), toy.FIRST.date(), WORK)
        at = {
            row["code"]: row["id"]
            for row in connection.execute("select code, risk_area_id as id from onemap.risk_area")
        }
        for number, (risk, area, refused) in enumerate(GROUNDS):
            bound = {"area_id": own_toy.area_id(area), "risk_area_id": at[risk]}
            task = Task(f"m{number}", "任务", "Task", "fire office", "once", 1, BEGUN, **bound)
            assert one(connection, measures.register(task, terms))["refused"] == refused, (risk, area)
        kept = connection.execute("select from onemap.measure").fetchall()
        assert len(kept) == [refused for *_, refused in GROUNDS].count(None)
