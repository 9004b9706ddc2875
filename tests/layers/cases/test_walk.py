"""Any moves at any moments in the real store, beside an oracle that only counts minutes."""

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from layers.cases import ledger, store
from layers.cases.case import Case, Step
from layers.cases.sla import CLOCK
from layers.cases.workflow import Move
from layers.core.db import connect
from layers.core.errors import Conflict
from tests.layers.cases.desk import AT, LOOP, MINUTE, POLICIES, Desk, policies_in, report

MINUTES = {"accept": 60, "acknowledge": 60, "arbitrate": 120, CLOCK: 240}
ACKNOWLEDGE = """
[[policies]]
stage = "acknowledge"
term = { amount = 1, unit = "urgent_hour" }
"""
WRITTEN = """select (select count(*) from onemap.ledger) as rows, (select count(*) from onemap.outbox) as events,
(select count(*) from onemap.case_step) as steps, (select max(changed_at) from onemap.case_file) as at"""


class Walk(RuleBasedStateMachine):
    """One case, by whoever may move it. `ran` are the minutes in which its clock ran."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        known = desk.connection.execute("select count(*) from onemap.case_file").fetchone()["count"]
        self.id = desk.register(report(f"walk {known}"))["case_id"]
        self.case, self.stale = Case.registered(LOOP, AT), None
        self.minute, self.ran, self.made = 0, [], []
        self.first = None  # the minute of the first dispatch
        self.running = self.paused = False
        self.entered = 0

    def written(self):
        return self.desk.connection.execute(WRITTEN).fetchone()

    def step(self, move: Move, before: Case) -> Step:
        unit = "night watch" if before.unit == "sanitation" else "sanitation"
        told = {"reason": "because", "unit": unit, "rating": 4}
        needed = {name: told[name] for name in move.needs}
        return Step(move.code, move.by[0], AT + self.minute * MINUTE, **needed)

    def add(self, move: Move, before: Case) -> tuple[Case, bool]:
        _, _, subject = store.read(self.desk.run(store.by_id(self.id))[0])
        step = self.step(move, before)
        later = before.after(LOOP, step)
        running = self.desk.policies.running(later, LOOP, subject)
        return later, self.desk.run(store.add(self.id, step, later, LOOP, running))[0]["add_step"]

    @rule(wait=st.one_of(st.integers(1, 20), st.integers(60, 250)))
    def waits(self, wait):
        if self.running:
            self.ran += range(self.minute, self.minute + wait)
        self.minute += wait

    @initialize(steps=st.sampled_from([0, 3, 4, 4]))
    def begins(self, steps):
        """Most walks begin where the clock does, or they would hardly get to where it stops."""
        for code in ("accept", "triage", "dispatch", "handle")[:steps]:
            self.make(next(move for move in LOOP.moves if move.code == code))

    @rule(data=st.data())
    def moves(self, data):
        fitting = [move for move in LOOP.moves if move in self.case.moves(LOOP, move.by[0])]
        often = [move for move in fitting if move.clock is not None]
        self.make(data.draw(st.sampled_from(fitting + 2 * often)))

    def make(self, move: Move) -> None:
        later, made = self.add(move, self.case)
        assert made
        self.stale, self.case = self.case, later
        self.made.append(move.code)
        self.entered = self.minute if move.to else self.entered
        self.paused = (self.paused or move.clock == "pause") and move.clock not in ("resume", "stop")
        if move.clock in ("pause", "stop"):
            self.running = False
        elif move.clock in ("start", "resume") and not self.paused:
            self.running = True
            self.first = self.minute if self.first is None else self.first

    @rule(move=st.sampled_from(LOOP.moves))
    def tries_in_vain(self, move):
        if move in self.case.moves(LOOP, move.by[0]):
            return
        before = self.written()
        try:
            self.add(move, self.case)
        except Conflict:
            assert self.written() == before
        else:
            raise AssertionError(f"{move.code} from {self.case.state}")

    @precondition(lambda self: self.stale is not None)
    @rule(data=st.data())
    def comes_too_late(self, data):
        """Somebody who saw the case before its last step makes a move that was there then."""
        there = [move for move in LOOP.moves if move in self.stale.moves(LOOP, move.by[0])]
        before = self.written()
        _, made = self.add(data.draw(st.sampled_from(there)), self.stale)
        assert not made
        assert self.written() == before

    @invariant()
    def what_is_stored_is_what_the_moves_make(self):
        assert self.desk.case(self.id) == self.case
        assert self.case.bounces == self.made.count("bounce")
        steps = self.desk.run(store.steps(self.id))
        assert [(step["version"], step["move"]) for step in steps] == list(enumerate(self.made, 1))

    @invariant()
    def the_clock_began_at_the_first_dispatch_and_counts_the_minutes_that_it_ran(self):
        rows = [row for row in self.desk.run(store.deadlines(self.id)) if row["stage"] == CLOCK]
        if self.first is None:
            assert rows == []
            return
        (row,) = rows
        assert row["start_at"] == AT + self.first * MINUTE
        assert (row["met_at"] is None) == (self.running or self.paused)
        if row["met_at"] is None:
            stands = self.paused and len(self.ran) < MINUTES[CLOCK]  # what is over stays over through a pause
            assert row["due_at"] == (None if stands else AT + self.due() * MINUTE)

    def due(self) -> int:
        """The minute at which the clock has run as long as it may, if nobody stops it."""
        left = MINUTES[CLOCK] - len(self.ran)
        return self.minute + left if left > 0 else self.ran[MINUTES[CLOCK] - 1] + 1

    @invariant()
    def the_term_of_a_state_is_that_of_its_entry_alone(self):
        stage = LOOP.state(self.case.state).stage
        rows = self.desk.run(store.deadlines(self.id))
        told = [(row["stage"], row["start_at"], row["due_at"]) for row in rows if row["met_at"] is None]
        own = [each for each in told if each[0] != CLOCK]
        begun = AT + self.entered * MINUTE
        assert own == ([] if stage is None else [(stage, begun, begun + MINUTES[stage] * MINUTE)])
        first = self.desk.connection.execute(
            "select due_at from onemap.case_file where case_id = %s", [self.id]
        ).fetchone()
        assert first["due_at"] == min((due for *_, due in told if due is not None), default=None)

    def teardown(self):
        moved = self.desk.connection.execute(
            "select payload from onemap.ledger where kind = 'moved' and subject = %s order by seq",
            [f"case:{self.id}"],
        ).fetchall()
        assert [row["payload"]["move"] for row in moved] == self.made
        assert self.desk.run(ledger.broken()) == []


def test_no_walk_loses_a_move_or_sets_a_deadline_back(own_toy, tmp_path):
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies_in(tmp_path, POLICIES + ACKNOWLEDGE))
        run_state_machine_as_test(
            lambda: Walk(desk),
            # Without the search for the shortest walk that fails, which takes minutes.
            settings=settings(max_examples=30, stateful_step_count=30, deadline=None, phases=[Phase.generate]),
        )
