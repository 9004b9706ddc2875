"""A workflow is data: its states, and the table of moves with who may make each and what it does to the clock."""

import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from layers.catalog.city import Code, Name
from layers.core.errors import BadCity

_SHIPPED = files(__package__) / "workflows"


class Actor(StrEnum):
    """Who makes a move: a seat, never a person.

    citizen : whoever holds the token of a case.  unit : an office of the area that a case lies in; to which of
    them it is dispatched stands in the case, and is no condition of a move.
    dispatcher : the command centre.  supervisor : the supervision office.
    """

    CITIZEN = "citizen"
    UNIT = "unit"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class State(_Value):
    """Where a case stands; `open` ones are counted as open, and one with a `stage` has a term of its own."""

    code: str = Code
    name: Name
    open: bool = True
    stage: str | None = None


class Move(_Value):
    """An allowed move.

    to : none where the state stays.  needs : what must be told with it.
    clock : what it does to the term of the case. `start` never begins it anew: it only ends a stop.
    bounces : a unit gives the case back; that is counted, and changes nothing of the clock.
    elsewhere : the unit that is told has to be another one than has the case.
    """

    code: str = Code
    name: Name
    from_: tuple[str, ...] = Field(alias="from", min_length=1)
    to: str | None = None
    by: tuple[Actor, ...] = Field(min_length=1)
    needs: tuple[Literal["reason", "unit", "rating"], ...] = ()
    clock: Literal["start", "stop", "pause", "resume"] | None = None
    bounces: bool = False
    elsewhere: bool = False

    @model_validator(mode="after")
    def _clock_is_safe(self) -> Self:
        if self.clock == "pause" and "reason" not in self.needs:
            raise ValueError(f"move {self.code} pauses the clock and needs no reason")
        if self.bounces and self.clock is not None:
            raise ValueError(f"move {self.code} bounces a case and moves its clock")
        if self.elsewhere and "unit" not in self.needs:
            raise ValueError(f"move {self.code} goes to another unit and needs none")
        return self


class Workflow(_Value):
    """States and moves; every state can be reached, and moves lead from and to states that there are."""

    code: str = Code
    name: Name
    start: str
    states: tuple[State, ...]
    moves: tuple[Move, ...]

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """From TOML; `where` names the file.

        Raises
        ------
        BadCity : it cannot be followed; names what is wrong.
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as exc:
            raise BadCity(f"{where} is not TOML: {exc}", file=where) from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise BadCity(f"{where}: {key}: {first['msg']}", file=where, key=key) from exc

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        states = [state.code for state in self.states]
        for what, codes in (("state", states), ("move", [move.code for move in self.moves])):
            if len(codes) != len(set(codes)):
                raise ValueError(f"a {what} stands twice")
        named = {self.start, *(code for move in self.moves for code in (*move.from_, move.to or self.start))}
        if unknown := named - set(states):
            raise ValueError(f"there is no state {min(unknown)}")
        if lost := set(states) - self._reached():
            raise ValueError(f"no move leads to the state {min(lost)}")
        return self

    def _reached(self) -> set[str]:
        reached = {self.start}
        while more := {m.to for m in self.moves if m.to is not None and reached & set(m.from_)} - reached:
            reached |= more
        return reached

    def state(self, code: str) -> State:
        """The state of that code."""
        return next(state for state in self.states if state.code == code)

    def moves_from(self, state: str) -> Iterator[Move]:
        """The moves that lead on from a state, for whomever."""
        return (move for move in self.moves if state in move.from_)


def workflows(city_folder: Path) -> dict[str, Workflow]:
    """All workflows by code: those that ship, and those of the city, which come before a shipped one of that code.

    Raises
    ------
    BadCity : a file cannot be followed.
    """
    shipped = (file for file in _SHIPPED.iterdir() if file.name.endswith(".toml"))
    own = sorted((city_folder / "workflows").glob("*.toml"))
    found = (Workflow.parse(file.read_text("utf-8"), file.name) for file in (*shipped, *own))
    return {workflow.code: workflow for workflow in found}
