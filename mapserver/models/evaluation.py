"""The JSON of how cases were handled."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from mapserver.models.shapes import NameShape, Shape


class RatingShape(Shape):
    """Ratings of cases that ended."""

    n: int
    mean: float
    counts: list[int] = Field(description="how many gave 1, 2, 3, 4 and 5")


class ReopenedShape(Shape):
    """Cases that were taken up again after their end; n are those that ended and those that are open again."""

    n: int
    cases: int
    share: float


class HandlingShape(Shape):
    """Working hours from the first dispatch to the end, without the time in which the clock stood."""

    n: int
    median_hours: float
    p90_hours: float


class InTimeShape(Shape):
    """Cases that kept all their terms."""

    n: int = Field(description="cases that had a term")
    cases: int
    share: float
    usual: float = Field(description="the share that cases of the same categories have in the whole answer")


class BouncesShape(Shape):
    """How often cases were given back, and how many cases that were."""

    n: int
    times: int
    cases: int


class EvaluatedShape(Shape):
    """A group, or all; what is none rests on too few cases, or on none."""

    code: str | None = Field(description="of an area or a category, or the office; none for cases that have none")
    name: NameShape | None
    n: int | None = Field(description="cases that ended; none where they are too few to be told")
    rank: int | None = Field(description="none where the ranked figure rests on too few cases")
    severity: float | None = Field(description="mean weight of the cases' categories")
    channels: dict[str, int] = Field(description="by which channel they came")
    categories: dict[str, int] = Field(description="which categories they are of")
    rating: RatingShape | None
    reopened: ReopenedShape | None
    handling: HandlingShape | None
    in_time: InTimeShape | None
    bounces: BouncesShape | None


class FairnessShape(Shape):
    """What the figures say, and what they do not."""

    zh: str
    en: str


class EvaluationShape(Shape):
    """How cases that ended in a span were handled, by group."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    by: Literal["unit", "category", "area"]
    level: str | None = Field(description="code of the level of the areas; each with everything below it")
    rank_by: Literal["in_time", "handling", "rating", "reopened"]
    fewest: int = Field(description="figures that rest on fewer cases are hidden")
    fewest_ranked: int = Field(description="groups whose figure rests on fewer cases have no rank")
    groups: list[EvaluatedShape]
    total: EvaluatedShape
    notes: list[FairnessShape]
