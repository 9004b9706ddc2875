"""The JSON of the closed loop."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from mapserver.models.shapes import NameShape, Shape

MOST_TEXT = 4000


class MoveShape(Shape):
    """A move of a workflow; what it needs is told with it."""

    code: str
    name: NameShape
    needs: list[Literal["reason", "unit", "rating"]]


class CaseShape(Shape):
    """A case as every audience that reads incidents may read it; it stands on the centre of its base cell."""

    id: int
    workflow: str
    incident: int | None
    category: str
    severity: int
    origin: str
    reported_at: datetime
    area: str | None = Field(description="code of the finest area")
    area_name: NameShape | None
    lon: float
    lat: float
    state: str
    open: bool
    version: int
    changed_at: datetime
    unit: str | None = Field(description="the office that it was last dispatched to")
    bounces: int = Field(description="how often an office gave it back")
    rating: int | None = Field(description="what was said of it when it had ended; for those who read texts")
    due_at: datetime | None = Field(description="none while its clock stands still, or without a policy")
    warn_at: datetime | None
    red_at: datetime | None
    late: bool
    merged_into: int | None = Field(
        description="the main case that it is one with; none where the caller may not see that"
    )


class QueueShape(Shape):
    """A page of the queue, soonest due first; `next` is the `after` of the page that follows."""

    cases: list[CaseShape]
    next: str | None
    total: int | None = Field(
        description="cases of all pages, told with the first; none where there are more than 10,000"
    )


class NamedAreaShape(Shape):
    """An area that a list can be narrowed to, with all below it."""

    id: int
    level: str
    code: str
    name: NameShape


class NamedAreasShape(Shape):
    """At most fifty areas, from the top of the tree down."""

    areas: list[NamedAreaShape]


class ChoicesShape(Shape):
    """What the queue can be narrowed to beside states and categories: at most a thousand offices."""

    units: list[str]


class StepShape(Shape):
    """A move that was made."""

    version: int
    move: str
    actor: str
    at: datetime
    state: str
    reason: str | None
    unit: str | None
    rating: int | None


class TermShape(Shape):
    """One run of a stage's term."""

    stage: str
    start_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    red_at: datetime | None
    met_at: datetime | None
    colour: Literal["green", "warn", "overdue", "red"] = Field(
        description="as it stands now, or stood when it was met"
    )
    of: int | None = Field(description="the case that it is taken over from, merged into this one")


class CaseFileShape(Shape):
    """One case with its history; texts are for those who may read them."""

    case: CaseShape
    report: str | None
    photo: bool = Field(description="whether there is one for the caller, at `/cases/{id}/photo`")
    steps: list[StepShape]
    terms: list[TermShape]
    merged: list[int] = Field(description="the cases that are merged into this one")
    moves: list[MoveShape] = Field(description="what the caller can do with it now")


class HandoverShape(Shape):
    """A case that one team gave to another; `move` is what followed, none where nobody has moved it since."""

    id: int = Field(description="number of the case")
    version: int
    at: datetime
    from_unit: str | None
    unit: str
    reason: str
    move: str | None
    moved_at: datetime | None


class HandoversShape(Shape):
    """Hand-overs, newest first."""

    handovers: list[HandoverShape]


class StateShape(Shape):
    """A state of a workflow."""

    code: str
    name: NameShape
    open: bool


class WorkflowShape(Shape):
    """A workflow: its states, and all its moves."""

    code: str
    name: NameShape
    states: list[StateShape]
    moves: list[MoveShape]


class WorkflowsShape(Shape):
    """All workflows of a city."""

    workflows: list[WorkflowShape]


class _Given(Shape):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewCase(_Given):
    """A case to register: of a category at a place, or for an incident of the map, which says both."""

    source_key: str = Field(
        pattern=r"^[!-~]{1,200}$", description="what tells it from others; the same is the same case"
    )
    incident: int | None = Field(None, ge=1, le=2**63 - 1, description="what it stands for; then no other fact")
    category: str | None = Field(None, max_length=40)
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    workflow: str = Field("closed_loop", max_length=40)
    origin: Literal["citizen", "patrol", "sensor", "hotline"] | None = Field(None, description="else hotline")
    report: str | None = Field(None, max_length=MOST_TEXT, description="personal spans are masked")


class NewMove(_Given):
    """A move to make, from the version of the case that the caller saw."""

    move: str = Field(max_length=40)
    version: int = Field(ge=0)
    reason: str | None = Field(None, max_length=MOST_TEXT)
    unit: str | None = Field(None, max_length=100)
    rating: int | None = Field(None, ge=1, le=5)


class RegisteredShape(Shape):
    """A case that is registered; `fresh` is false where its key had one already."""

    id: int
    fresh: bool
