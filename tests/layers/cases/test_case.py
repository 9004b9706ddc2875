"""The closed loop, walked at random beside an oracle that only counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from layers.cases.case import Case, Step
from layers.cases.workflow import Actor, workflows
from layers.core.errors import BadValue, Conflict, Forbidden

LOOP = workflows(Path("/nowhere"))["closed_loop"]
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEW = Case.registered(LOOP, START)
MINUTE = timedelta(minutes=1)
TOLD = {"reason": "because", "unit": "sanitation", "rating": 4}


def step(code: str, minutes: int = 0, actor: Actor | None = None, **told: object) -> Step:
    move = next(move for move in LOOP.moves if move.code == code)
    needed = {name: TOLD[name] for name in move.needs}
    return Step(code, actor or move.by[0], START + minutes * MINUTE, **(needed | told))


def walked(*codes: str) -> Case:
    case = NEW
    for minute, code in enumerate(codes):
        case = case.after(LOOP, step(code, minute))
    return case


TO_HANDLING = ("accept", "triage", "dispatch", "handle")


def test_the_loop_goes_from_report_to_evaluation_and_its_end():
    case = walked(*TO_HANDLING, "feed_back", "evaluate", "close")
    assert (case.state, case.version, case.rating, case.unit) == ("closed", 7, 4, "sanitation")


def test_a_bounce_is_counted_and_leaves_the_clock_as_it_is():
    before = walked("accept", "triage", "dispatch")
    after = before
    for minute, code in enumerate(("bounce", "dispatch", "bounce", "arbitrate", "rule"), 10):
        after = after.after(LOOP, step(code, minute))
    assert after.bounces == 2
    assert (after.started, after.stills, after.still_since) == (before.started, (), None)


def test_while_it_is_fed_back_the_clock_stands_and_a_return_lets_it_run_on():
    case = walked(*TO_HANDLING, "feed_back", "return")
    assert case.started == START + 2 * MINUTE
    assert [(still.start, still.end) for still in case.stills] == [(START + 4 * MINUTE, START + 5 * MINUTE)]
    assert case.still_since is None


def test_a_move_that_the_state_does_not_have_names_those_that_it_has():
    with pytest.raises(Conflict, match="a case that is reported has no move 'close'") as told:
        NEW.after(LOOP, step("close"))
    assert told.value.context["moves"] == ["accept", "decline"]


def test_a_move_of_another_seat_is_forbidden():
    with pytest.raises(Forbidden, match="not for a citizen"):
        NEW.after(LOOP, step("accept", actor=Actor.CITIZEN))


@pytest.mark.parametrize(
    ("code", "told", "why"),
    [
        ("decline", {"reason": ""}, "reason: the move decline needs one"),
        ("decline", {"reason": " \t"}, "reason: the move decline needs one"),
        ("decline", {"unit": "sanitation"}, "unit: the move decline takes none"),
        ("accept", {"rating": 5}, "rating: the move accept takes none"),
    ],
)
def test_what_a_move_needs_must_be_there_and_nothing_else(code, told, why):
    with pytest.raises(BadValue, match=why):
        NEW.after(LOOP, step(code, **told))


def test_time_does_not_run_backwards():
    case = NEW.after(LOOP, step("accept", 5))
    with pytest.raises(BadValue, match="before the last one"):
        case.after(LOOP, step("triage", 4))


def test_a_hand_over_goes_to_another_unit_that_acknowledges_anew_and_the_clock_runs_on():
    before = walked(*TO_HANDLING)
    with pytest.raises(BadValue, match="unit: sanitation has the case already"):
        before.after(LOOP, step("hand_over", 9))
    after = before.after(LOOP, step("hand_over", 9, unit="night watch"))
    assert (after.state, after.unit, after.bounces) == ("dispatched", "night watch", 0)
    assert (after.started, after.stills, after.still_since) == (before.started, (), None)


def test_what_nobody_acknowledged_is_not_handed_over():
    with pytest.raises(Conflict):
        walked("accept", "triage", "dispatch").after(LOOP, step("hand_over", 9, unit="night watch"))


def test_a_paused_clock_cannot_be_paused_again_nor_a_running_one_resumed():
    case = walked("accept", "triage", "dispatch")
    with pytest.raises(Conflict):
        case.after(LOOP, step("resume", 9))
    paused = case.after(LOOP, step("pause", 9))
    with pytest.raises(Conflict):
        paused.after(LOOP, step("pause", 10))
    assert {move.code for move in paused.moves(LOOP, Actor.DISPATCHER)} == {"resume"}


def test_a_pause_at_the_moment_of_a_resumption_goes_on_with_the_one_before():
    case = walked("accept", "triage", "dispatch", "handle")
    for code, minute in (("pause", 10), ("resume", 20), ("pause", 20), ("resume", 30)):
        case = case.after(LOOP, step(code, minute))
    assert [(still.start, still.end) for still in case.stills] == [(START + 10 * MINUTE, START + 30 * MINUTE)]


def test_a_new_dispatch_does_not_end_a_pause():
    case = walked("accept", "triage", "dispatch", "pause", "bounce", "dispatch")
    assert case.paused
    assert case.still_since == START + 3 * MINUTE


class Walk(RuleBasedStateMachine):
    """Any moves by anybody; the oracle keeps the minutes in which the clock ran."""

    def __init__(self) -> None:
        super().__init__()
        self.case, self.minute, self.ran, self.bounces = NEW, 0, 0, 0
        self.running = self.paused = self.begun = False

    @rule(wait=st.integers(0, 50))
    def waits(self, wait):
        self.minute += wait
        self.ran += wait * self.running

    @rule(move=st.sampled_from(LOOP.moves), actor=st.sampled_from(Actor))
    def moves(self, move, actor):
        before = self.case
        allowed = move in before.moves(LOOP, actor)
        told = {"unit": f"not {before.unit}"} if move.elsewhere else {}
        try:
            self.case = before.after(LOOP, step(move.code, self.minute, actor, **told))
        except (Conflict, Forbidden):
            assert not allowed
            return
        assert allowed
        self.bounces += move.code == "bounce"
        self.paused = (self.paused or move.clock == "pause") and move.clock not in ("resume", "stop")
        if move.clock in ("pause", "stop"):
            self.running = False
        elif move.clock in ("start", "resume") and not self.paused:
            self.running = self.begun = True

    @invariant()
    def the_clock_ran_as_long_as_the_oracle_says(self):
        case = self.case
        assert (case.started is not None) == self.begun
        if case.started is None:
            return
        end = case.still_since or START + self.minute * MINUTE
        stood = sum((still.length for still in case.stills), timedelta())
        assert end - case.started - stood == self.ran * MINUTE
        ends = [moment for still in case.stills for moment in (still.start, still.end)]
        assert ends == sorted(ends)

    @invariant()
    def bounces_and_pauses_are_known(self):
        assert (self.case.bounces, self.case.paused) == (self.bounces, self.paused)


Walk.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWalk = Walk.TestCase
