"""Figures of how cases were handled against a slow count over their steps, and what of small groups is told."""

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.cases import evaluation, ranking, store
from layers.cases.case import Case, Step
from layers.cases.evaluation import Asked
from layers.cases.worktime import Unit
from layers.core.audience import FEWEST
from layers.core.db import connect
from layers.core.span import Span
from layers.records.small import hidden
from tests.layers.cases.desk import AT, LOOP, MINUTE, Desk, policies_in, report

PLACES = {"V1G2": (10.025, 50.025), "V1G1": (10.025, 50.045), "V2G2": (10.075, 50.015)}
AGAIN = evaluation.reopening([LOOP])
TERM = timedelta(hours=4)


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    return policies_in(tmp_path_factory.mktemp("city"))


@pytest.fixture
def desk(own_toy, policies):
    with connect(own_toy.url) as connection:
        yield Desk(connection, policies)


def test_what_takes_a_case_up_again_is_read_from_the_workflow():
    assert AGAIN == [("closed_loop", "reopen")]


class Paper:
    """A case with its steps, as kept on paper."""

    def __init__(self, number, place, category, origin):
        self.number, self.place, self.category, self.origin = number, place, category, origin
        self.steps = []

    def replay(self, work):
        """Walk through the steps with a stopwatch for the clock."""
        found = {"ended": None, "taken_up": None, "unit": None, "rating": None, "bounces": 0, "dispatched": False}
        running_since, paused, ran, worked, open_now = None, False, timedelta(), 0.0, True
        no_term = False  # one that ends while it is paused was due at no moment, unless it was over before
        for step in self.steps:
            move = next(each for each in LOOP.moves if each.code == step.move)
            stops = move.clock in ("stop", "pause")
            starts = move.clock == "resume" or (move.clock == "start" and not paused)
            if running_since is not None and stops:
                ran += step.at - running_since
                worked += work.spent(running_since, step.at, Unit.WORKING_HOUR)
                running_since = None
            no_term = not starts and (no_term or (paused and move.clock == "stop"))
            if starts and running_since is None:
                running_since, found["dispatched"] = step.at, True
            paused = move.clock == "pause" or (paused and not (stops or starts))
            found["unit"], found["rating"] = step.unit or found["unit"], step.rating or found["rating"]
            found["bounces"] += step.move == "bounce"
            if step.move == "reopen":
                found["taken_up"] = step.at
            if move.to:
                open_now = move.to != "closed"
                found["ended"] = None if open_now else step.at
        in_time = None if no_term and ran < TERM else ran < TERM
        found |= {"open": open_now, "in_time": in_time if found["dispatched"] else None}
        if not open_now:
            found["hours"] = worked if found["dispatched"] else work.spent(AT, found["ended"], Unit.WORKING_HOUR)
        return found


def counted(papers, span, of, work):
    """The figures of each group by looking at each case in turn."""
    groups, usual = defaultdict(list), defaultdict(list)
    for paper in papers:
        seen = paper.replay(work)
        moment = seen["taken_up"] if seen["open"] else seen["ended"]
        if moment is not None and span.start <= moment < span.end:
            groups[of(paper, seen)].append((paper, seen))
            if not seen["open"] and seen["in_time"] is not None:
                usual[paper.category].append(seen["in_time"])
    return {
        group: figures(each, usual)
        for group, each in (groups | {"*": [each for some in groups.values() for each in some]}).items()
    }


def figures(cases, usual):
    ended = [(paper, seen) for paper, seen in cases if not seen["open"]]
    hours = [seen["hours"] for _, seen in ended]
    termed = [(paper, seen) for paper, seen in ended if seen["in_time"] is not None]
    ratings = [seen["rating"] for _, seen in ended]
    return {
        "n": len(ended),
        "considered": len(cases),
        "reopened": sum(seen["taken_up"] is not None for _, seen in cases),
        "timed": len(ended),
        "hours": pytest.approx(np.quantile(hours, [0.5, 0.9])) if hours else None,
        "termed": len(termed),
        "in_time": sum(seen["in_time"] for _, seen in termed),
        "usual": pytest.approx(np.mean([np.mean(usual[paper.category]) for paper, _ in termed]))
        if termed
        else None,
        "bounces": sum(seen["bounces"] for _, seen in ended),
        "bounced": sum(seen["bounces"] > 0 for _, seen in ended),
        "ratings": {str(stars): ratings.count(stars) for stars in range(1, 6)},
        "channels": {name: sum(paper.origin == name for paper, _ in ended) for name in evaluation.ORIGINS},
    }


# Mostly the way on, with any other move between; gaps of half hours, up to more than a night.
deeds = st.tuples(
    st.integers(0, 9), st.sampled_from([0, 30, 60, 240, 240, 1200]), st.integers(1, 5), st.booleans()
)
cases = st.tuples(
    st.sampled_from(sorted(PLACES)), st.sampled_from(["theft", "noise"]), st.sampled_from(["citizen", "hotline"]),
    st.lists(deeds, min_size=7, max_size=14),
)  # fmt: skip
WAY_ON = ("accept", "triage", "dispatch", "handle", "feed_back", "evaluate", "close")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    made=st.lists(cases, min_size=1, max_size=6),
    bounds=st.tuples(st.sampled_from([0, 0, 1, 8, 16, 24]), st.integers(1, 40) | st.just(400)),
)
def test_figures_are_those_of_a_slow_count_over_all_steps(desk, policies, made, bounds):
    desk.connection.rollback()
    desk.connection.execute("select set_config('onemap.area_id', '', false)")
    work = policies.work
    papers = [walked(desk, number, *facts) for number, facts in enumerate(made)]
    span = Span(AT + bounds[0] * 30 * MINUTE, AT + (bounds[0] + bounds[1]) * 30 * MINUTE)
    ways = {
        "unit": lambda _, seen: seen["unit"],
        "category": lambda paper, _: paper.category,
        "area": lambda paper, _: paper.place[:2],
    }
    for by, of in ways.items():
        asked = Asked(span, by, 1, None, with_sensitive=True)
        (since,) = desk.run(evaluation.earliest(asked, AGAIN))[0].values()
        opening = [] if since is None else work.opening(since, span.end)
        *rows, whole = desk.run(evaluation.figures(asked, AGAIN, opening))
        expected = counted(papers, span, of, work)
        found = {row["code"]: {name: row[name] for name in expected["*"]} for row in rows}
        assert found | {"*": {name: whole[name] for name in expected["*"]}} == expected
        mixes = defaultdict(int)
        for row in desk.run(evaluation.mix(asked, AGAIN)):
            mixes[row["code"]] += row["n"]
        assert dict(mixes) == {code: row["n"] for code, row in found.items() if row["n"]}


def walked(desk, number, place, category, origin, given):
    lon, lat = PLACES[place]
    case_id = desk.register(report(f"c{number}", lon=lon, lat=lat, category=category, origin=origin))["case_id"]
    paper, at = Paper(number, place, category, origin), AT
    for which, gap, rating, first in given:
        case = desk.case(case_id)
        fitting = {
            move.code: move for actor in ("dispatcher", "unit", "supervisor") for move in case.moves(LOOP, actor)
        }
        way_on = [code for code in WAY_ON if code in fitting]
        code = way_on[-1] if way_on and which < 8 else sorted(fitting)[which % len(fitting)]
        at += gap * MINUTE
        move = fitting[code]
        told = {"reason": "because", "unit": "east" if first else "west", "rating": rating}
        step = Step(code, move.by[-1], at, **{name: told[name] for name in move.needs})
        add(desk, case_id, case, step)
        paper.steps.append(step)
    return paper


def add(desk, case_id: int, case: Case, step: Step) -> None:
    _, _, subject = store.read(desk.run(store.by_id(case_id))[0])
    later = case.after(LOOP, step)
    running = desk.policies.running(later, LOOP, subject)
    assert desk.run(store.add(case_id, step, later, LOOP, running)) == [{"add_step": True}]


def test_what_ends_at_the_end_of_a_span_is_not_in_it_and_a_term_that_ends_with_its_case_is_not_kept(
    desk, policies
):
    case_id = desk.register(report("edge"))["case_id"]
    for code, minutes in zip(WAY_ON, (0, 0, 0, 0, 240, 270, 300), strict=True):
        desk.move(case_id, code, minutes)
    end = AT + 300 * MINUTE
    for span, n in ((Span(AT, end), 0), (Span(AT, end + MINUTE), 1), (Span(end, end + MINUTE), 1)):
        asked = Asked(span, "category")
        (whole,) = desk.run(evaluation.figures(asked, AGAIN, policies.work.opening(AT, span.end)))[-1:]
        assert (whole["n"], whole["termed"], whole["in_time"]) == (n, n, 0)


def row(code, n, **given):
    ratings = given.pop("ratings", [0, 0, 0, 0, 0])
    return {
        "code": code, "name_zh": code, "name_en": code, "n": n, "considered": n, "reopened": 0, "timed": n,
        "hours": [5.0, 9.0], "termed": n, "in_time": n, "usual": 0.5, "bounces": 0, "bounced": 0,
        "severity": 1.0, "channels": {}, "ratings": {str(stars): n for stars, n in enumerate(ratings, 1)},
    } | given  # fmt: skip


def test_a_small_group_is_hidden_with_another_so_that_the_total_does_not_tell_it():
    found = {each["code"]: each for each in ranking.told([row("a", 100), row("b", 40), row("c", 3)], "in_time")}
    assert [found[code]["n"] for code in "abc"] == [100, None, None]
    assert all(found["c"][block] is None for block in ("rating", "handling", "in_time", "reopened", "bounces"))
    assert ranking.whole(row(None, 9))["n"] is None
    rated = ranking.told([row("a", 100, ratings=[0, 0, 0, 0, 3]), row("b", 90, ratings=[9, 9, 9, 9, 9]),
                          row("c", 80, ratings=[9, 9, 9, 9, 8])], "in_time")  # fmt: skip
    assert {each["code"]: each["rating"] and each["rating"]["n"] for each in rated} == {
        "a": None,
        "b": 45,
        "c": None,
    }


def test_cases_taken_up_again_and_ratings_of_small_groups_are_hidden_as_all_else_is():
    open_again = row("a", 0, considered=3, reopened=3)
    found = {each["code"]: each for each in ranking.told([open_again, row("b", 40), row("c", 90)], "in_time")}
    assert [found[code]["reopened"] and found[code]["reopened"]["n"] for code in "abc"] == [None, None, 90]
    assert ranking.whole(open_again)["reopened"] is None
    # c and d are too few, and 2 of theirs are rated: the whole less a would tell these.
    rows = [row("a", 40, ratings=[0, 0, 0, 0, 20]), row("b", 50, ratings=[0, 0, 0, 0, 15]),
            row("c", 4, ratings=[1, 0, 0, 0, 0]), row("d", 9, ratings=[1, 0, 0, 0, 0])]  # fmt: skip
    found = {each["code"]: each for each in ranking.told(rows, "in_time")}
    assert [found[code]["n"] for code in "abcd"] == [40, 50, None, None]
    assert [found[code]["rating"] and found[code]["rating"]["n"] for code in "abcd"] == [20, None, None, None]


def test_groups_are_ranked_by_what_they_did_and_never_where_chance_would_place_them():
    rows = [row("a", 100, in_time=50), row("b", 60, in_time=45), row("c", 29, in_time=29), row(None, 80)]
    found = [(each["code"], each["rank"]) for each in ranking.told(rows, "in_time")]
    assert found == [("b", 1), ("a", 2), ("c", None), (None, None)]
    rows = [row("a", 500, hours=[7.0, 8.0]), row("b", 60, hours=[3.0, 9.0])]
    assert [each["code"] for each in ranking.told(rows, "handling")] == ["b", "a"]
    rows = [row("a", 100, reopened=9), row("b", 100, reopened=1)]
    assert [each["code"] for each in ranking.told(rows, "reopened")] == ["b", "a"]
    rows = [row("a", 100, ratings=[40, 0, 0, 0, 0]), row("b", 100, ratings=[0, 0, 0, 0, 31])]
    assert [each["code"] for each in ranking.told(rows, "rating")] == ["b", "a"]


@given(
    st.lists(st.integers(0, 40), max_size=12), st.integers(1, 15), st.frozensets(st.integers(0, 11), max_size=4)
)
def test_no_small_count_is_shown_or_told_by_the_sum(counts, fewest, known):
    known = frozenset(place for place in known if place < len(counts))
    found = hidden(counts, fewest, known)
    small = {place for place, count in enumerate(counts) if 0 < count < fewest}
    assert small | known <= found
    assert not found or small | known
    assert all(counts[place] > 0 for place in found - known)
    secret = [counts[place] for place in found if counts[place]]
    if secret and any(count for place, count in enumerate(counts) if place not in found):
        assert len(secret) > 1
        assert sum(secret) >= fewest


def test_ten_is_few():
    assert FEWEST == 10
