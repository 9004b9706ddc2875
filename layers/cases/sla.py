"""Deadlines: which term holds for a case at a stage, and when it warns, is over, and turns red."""

import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from layers.cases.case import Case
from layers.cases.workflow import Workflow
from layers.cases.worktime import Term, WorkTime
from layers.catalog.city import Code
from layers.core.errors import BadCity
from layers.core.span import Span

FILE = "deadlines.toml"

CLOCK = "handle"
"""The stage of a case's own clock, which starts at its first dispatch."""


class Colour(StrEnum):
    """How a deadline stands."""

    GREEN = "green"
    WARN = "warn"
    OVERDUE = "overdue"
    RED = "red"


@dataclass(frozen=True)
class Subject:
    """What a policy is chosen by: a category, its severity, and the codes of the area and of all above it."""

    category: str
    severity: int
    areas: frozenset[str]


class Policy(BaseModel):
    """The term of one stage, for the cases that fit every condition given here.

    term, warn, red : each counted from the start of the stage, in one unit and ascending: warn, term, red.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = Code
    category: str | None = None
    severity_from: int | None = Field(None, ge=0)
    area: str | None = None
    term: Term
    warn: Term | None = None
    red: Term | None = None

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        terms = [term for term in (self.warn, self.term, self.red) if term is not None]
        amounts = [term.amount for term in terms]
        if len({term.unit for term in terms}) > 1 or amounts != sorted(set(amounts)) or amounts[0] < 1:
            raise ValueError("warn, term and red are whole amounts of one unit that ascend")
        return self

    @property
    def narrowness(self) -> int:
        """How many conditions it has."""
        return sum(given is not None for given in (self.category, self.severity_from, self.area))

    def fits(self, stage: str, subject: Subject) -> bool:
        """Whether it holds for a case at that stage."""
        return (
            self.stage == stage
            and self.category in (None, subject.category)
            and (self.severity_from is None or subject.severity >= self.severity_from)
            and (self.area is None or self.area in subject.areas)
        )


def is_over(due: datetime | None, at: datetime) -> bool:
    """Whether a term is over at a moment, as onemap.is_over has it: the one at which it is due is the first."""
    return due is not None and at >= due


@dataclass(frozen=True)
class Deadline:
    """The moments of one stage of one case; none where its policy has none, and while its clock stands.

    What was over before the clock stood still stays over.
    """

    stage: str
    start: datetime
    due: datetime | None
    warn: datetime | None = None
    red: datetime | None = None

    def standing(self, since: datetime) -> "Deadline":
        """The same with its clock standing still since a moment: a pause takes no lateness back."""
        if not is_over(self.due, since):
            return Deadline(self.stage, self.start, None)
        return replace(self, red=None) if self.red is not None and self.red > since else self

    def colour(self, at: datetime) -> Colour:
        """How it stands at a moment."""
        if self.red is not None and at >= self.red:
            return Colour.RED
        if is_over(self.due, at):
            return Colour.OVERDUE
        return Colour.WARN if self.warn is not None and at >= self.warn else Colour.GREEN


@dataclass(frozen=True)
class Policies:
    """A city's policies in the order of its file, and its working time."""

    policies: tuple[Policy, ...]
    work: WorkTime

    @classmethod
    def load(cls, folder: Path, work: WorkTime) -> Self:
        """From the city's `deadlines.toml`; a city without one has no deadlines.

        Raises
        ------
        BadCity : the file cannot be followed; names what is wrong.
        """
        path = folder / FILE
        if not path.exists():
            return cls((), work)
        try:
            given: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
            rows = given.pop("policies", [])
            if given:
                raise BadCity(f"{FILE}: unknown key {min(given)}", file=FILE, key=min(given))
            return cls(tuple(Policy.model_validate(row) for row in rows), work)
        except tomllib.TOMLDecodeError as exc:
            raise BadCity(f"{FILE} is not TOML: {exc}", file=FILE) from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "policies"
            raise BadCity(f"{FILE}: {key}: {first['msg']}", file=FILE, key=key) from exc

    def policy(self, stage: str, subject: Subject) -> Policy | None:
        """The narrowest policy that fits, of equally narrow ones the first; none where none fits."""
        fitting = [policy for policy in self.policies if policy.fits(stage, subject)]
        return max(fitting, key=lambda policy: policy.narrowness, default=None)

    def deadline(
        self, stage: str, subject: Subject, start: datetime, pauses: tuple[Span, ...] = ()
    ) -> Deadline | None:
        """The deadline of a stage that began at `start`, with the spans in which its clock stood still."""
        policy = self.policy(stage, subject)
        if policy is None:
            return None

        def moment(term: Term | None) -> datetime | None:
            return None if term is None else self.work.due(start, term, pauses)

        return Deadline(stage, start, moment(policy.term), moment(policy.warn), moment(policy.red))

    def running(self, case: Case, workflow: Workflow, subject: Subject) -> list[Deadline]:
        """The deadlines that a case has now: of its state's own stage, and of its clock once that has started."""
        found = []
        stage = workflow.state(case.state).stage
        if stage is not None:
            found.append(self.deadline(stage, subject, case.entered))
        if case.started is not None and workflow.state(case.state).open:
            clock = self.deadline(CLOCK, subject, case.started, case.stills)
            if case.still_since is None:
                found.append(clock)
            elif case.paused and clock is not None:
                found.append(clock.standing(case.still_since))
        return [deadline for deadline in found if deadline is not None]
