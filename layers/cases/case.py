"""A case: what its moves have made of it. Moves are only ever added, so a case is the sum of its history."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from layers.cases.workflow import Actor, Move, Workflow
from layers.core.errors import BadValue, Conflict, Forbidden
from layers.core.span import Span


@dataclass(frozen=True)
class Step:
    """One move that is made: which, by whom, when, and what was told with it."""

    move: str
    actor: Actor
    at: datetime
    reason: str | None = None
    unit: str | None = None
    rating: int | None = None


@dataclass(frozen=True)
class Case:
    """A case after `version` steps.

    entered : when it came into its state.  at : when its last step was made, or when it was registered.
    unit : whom it was last dispatched to.  bounces : how often it came back from a unit.
    started : when its clock started, once and for all.  stills : spans in which the clock stood still.
    still_since, paused : since when it stands still now, and whether that is a pause rather than its end.
    """

    state: str
    entered: datetime
    at: datetime
    version: int = 0
    unit: str | None = None
    bounces: int = 0
    rating: int | None = None
    started: datetime | None = None
    stills: tuple[Span, ...] = ()
    still_since: datetime | None = None
    paused: bool = False

    @classmethod
    def registered(cls, workflow: Workflow, at: datetime) -> Self:
        """A case that nobody has moved yet."""
        return cls(workflow.start, at, at)

    def after(self, workflow: Workflow, step: Step) -> "Case":
        """The case after one more step.

        Raises
        ------
        Conflict : the workflow has no such move from here; names those that it has.
        Forbidden : the move is another's.
        BadValue : what the move needs is missing, what it does not take is there, the unit has the case
            already, or time would run backwards.
        """
        move = self._move(workflow, step)
        self._check(move, step)
        case = self._clocked(move, step.at)
        return replace(
            case,
            state=move.to or case.state,
            entered=step.at if move.to else case.entered,
            version=self.version + 1,
            at=step.at,
            unit=step.unit or case.unit,
            bounces=case.bounces + move.bounces,
            rating=case.rating if step.rating is None else step.rating,
        )

    def moves(self, workflow: Workflow, actor: Actor) -> list[Move]:
        """The moves that `actor` can make now."""
        return [move for move in workflow.moves_from(self.state) if actor in move.by and self._fits(move)]

    def _fits(self, move: Move) -> bool:
        """Whether the clock lets it: one that stands cannot be paused, and only a paused one can be resumed."""
        if move.clock == "pause":
            return self.started is not None and self.still_since is None
        return move.clock != "resume" or self.paused

    def _move(self, workflow: Workflow, step: Step) -> Move:
        there = [move for move in workflow.moves_from(self.state) if self._fits(move)]
        found = next((move for move in there if move.code == step.move), None)
        if found is None:
            known = sorted(move.code for move in there)
            raise Conflict(
                f"a case that is {self.state} has no move '{step.move[:40]}'", state=self.state, moves=known
            )
        if step.actor not in found.by:
            raise Forbidden(f"the move {found.code} is not for a {step.actor}", needs=list(found.by))
        return found

    def _check(self, move: Move, step: Step) -> None:
        for name in ("reason", "unit", "rating"):
            told = getattr(step, name)
            if name in move.needs and (told is None or (isinstance(told, str) and not told.strip())):
                raise BadValue(f"{name}: the move {move.code} needs one", parameter=name)
            if told is not None and name not in move.needs and name != "reason":
                raise BadValue(f"{name}: the move {move.code} takes none", parameter=name)
        if move.elsewhere and step.unit == self.unit:
            raise BadValue(f"unit: {self.unit} has the case already", parameter="unit")
        if step.at < self.at:
            raise BadValue("at: a step cannot be before the last one", parameter="at")

    def _clocked(self, move: Move, at: datetime) -> "Case":
        if move.clock in ("pause", "stop"):
            since = self.still_since or at
            return replace(self, still_since=since, paused=move.clock == "pause")
        if move.clock is None or (move.clock == "start" and self.paused):
            return self
        started = self.started or at
        if self.still_since is None:
            return replace(self, started=started)
        stills = _joined(self.stills, Span(self.still_since, at)) if self.still_since < at else self.stills
        return replace(self, started=started, stills=stills, still_since=None, paused=False)


def _joined(stills: tuple[Span, ...], last: Span) -> tuple[Span, ...]:
    """One more span; it and one that ends where it begins are one, as they are where they are kept."""
    if stills and stills[-1].end == last.start:
        return (*stills[:-1], Span(stills[-1].start, last.end))
    return (*stills, last)
