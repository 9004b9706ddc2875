"""The JSON of cases that tell of one thing."""

from datetime import datetime

from pydantic import ConfigDict, Field

from mapserver.models.shapes import Shape


class DuplicateShape(Shape):
    """An open case that may tell of the same thing, with what that rests on."""

    id: int
    category: str
    state: str
    reported_at: datetime
    unit: str | None
    distance_m: float
    hours: float = Field(description="between the two reports")
    same_category: bool
    score: float = Field(description="1 at the same place and moment in the same category; 0 is not suggested")


class DuplicatesShape(Shape):
    """What is suggested, likeliest first; a person decides."""

    duplicates: list[DuplicateShape]
    reach_m: float = Field(description="reports that lie further apart are not suggested")
    days: float = Field(description="nor those that were made further apart")


class NewMerge(Shape):
    """The main case to merge into."""

    model_config = ConfigDict(extra="forbid", strict=True)

    into: int = Field(ge=1, le=2**63 - 1)


class MergedShape(Shape):
    """How a case stands to others: merged into its main one, or the main one of those named."""

    id: int
    merged_into: int | None
    merged: list[int]
