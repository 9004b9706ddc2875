"""The JSON of the supervision office's list and of the chain beneath it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mapserver.models.shapes import Shape


class ItemShape(Shape):
    """One item: a case, or a measure, with its term and whom it is with."""

    item: Literal["case", "measure"]
    id: int
    workflow: str = Field(description="`measure` for those")
    category: str | None = Field(description="of a case")
    area: str | None = Field(description="code of the finest area")
    unit: str | None = Field(description="the office that it was last dispatched to")
    state: str
    open: bool
    reported_at: datetime
    due_at: datetime | None = Field(
        description="of a case its first running term, else the one met most late; of a measure what it owes"
    )
    met_at: datetime | None = Field(description="when that term was met")
    colour: Literal["green", "warn", "overdue", "red", "none"] = Field(
        description="as it stands now, or stood when it was met; none is without a term"
    )
    working_days_over: int | None = Field(
        description="working days after the day of the deadline that have ended; none while it is not over"
    )
    calendar_days_over: int | None = Field(description="local dates after that of the deadline")


class LedgerShape(Shape):
    """A page of the list as it stood at `at`; `next` is the `after` of the page that follows."""

    at: datetime
    items: list[ItemShape]
    next: str | None


class LedgerRowShape(Shape):
    """A row of the chain; its hash covers the row and the hash before it."""

    seq: int
    at: datetime
    kind: str
    subject: str
    payload: dict[str, Any]
    previous: str = Field(description="hex; empty for the first")
    hash: str = Field(description="hex")
    salt: str | None = Field(description="hex; before it the text was hashed, as the payload's `reason` has it")
    text: str | None = Field(description="the reason; none where there is none, or it was forgotten")


class ChainShape(Shape):
    """A page of the chain; `next` is the `after` of the page that follows."""

    rows: list[LedgerRowShape]
    next: int | None
