"""The JSON of pushes and jobs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from mapserver.models.shapes import Shape


class AcceptedShape(Shape):
    """A push that was taken in."""

    job: int
    status: str = Field(description="where to ask what became of it")


class ProgressShape(Shape):
    """How far a job is."""

    step: str
    share: float = Field(ge=0, le=1)
    rows: int = Field(description="rows that it has, as far as is known")


class AccountShape(Shape):
    """What became of every row that was read: each is in exactly one of the others, `deleted` apart."""

    rows_read: int
    inserted: int
    updated: int
    unchanged: int
    superseded: int
    quarantined: int
    deleted: int = Field(description="rows that were there before and are not any more")


class JobShape(Shape):
    """A job; `message` says why it failed, or what it waits for."""

    id: int
    task: str
    source: str | None
    file: str | None
    state: Literal["queued", "running", "done", "failed"]
    attempts: int = Field(description="how often it was tried to the end before")
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    progress: ProgressShape | None
    runs: list[int]
    account: AccountShape | None
    message: str | None
