"""The JSON of measures: what is told of them, and what registers them."""

from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from mapserver.models.shapes import NameShape, Shape

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
MOST = 1_000_000

Every = Literal["once", "daily", "weekly", "monthly"]


class MeasureShape(Shape):
    """A measure as it stands."""

    id: int
    key: str
    name: NameShape
    zone_type: str | None
    area: str | None = Field(description="code of the area that it is owed in")
    risk_area: str | None
    campaign: str | None
    unit: str = Field(description="the office that owes it")
    every: Every
    target: int = Field(description="how often it is owed in each period")
    start_at: datetime
    end_at: datetime = Field(description="when its last period is due")
    registered_at: datetime
    closed_at: datetime | None
    terms: int = Field(description="periods that are due by now")
    kept: int = Field(description="those of them that have all they need")
    overdue: int = Field(description="those that lack some, while the measure is open")
    next_due_at: datetime | None = Field(description="when the oldest period that lacks some is or was due")
    evidence: int = Field(description="how often it was done in all")


class MeasuresShape(Shape):
    """A page of measures in the order of their registration; `next` is the `after` of the page that follows."""

    measures: list[MeasureShape]
    next: int | None


class MeasureTermShape(Shape):
    """A period of a measure that has begun."""

    number: int
    start_at: datetime
    due_at: datetime
    done: int
    in_time: int
    overdue: bool


class MeasureFileShape(Shape):
    """A measure with its periods so far."""

    measure: MeasureShape
    terms: list[MeasureTermShape]


class CampaignShape(Shape):
    """A campaign: a name for measures, and its period."""

    code: str
    name: NameShape
    start_at: datetime
    end_at: datetime


class CampaignsShape(Shape):
    """All campaigns, the newest first."""

    campaigns: list[CampaignShape]


class CoverageFigures(Shape):
    """What was owed in the periods that were due, and what of it was done; more than is owed is not counted."""

    measures: int
    terms: int
    kept: int
    due: int
    done: int
    in_time: int
    overdue: int = Field(description="periods that lack some, of measures that are open")
    coverage: float | None = Field(description="done of due, 0 to 1; none where nothing was due")


class CoverageRow(CoverageFigures):
    """A group's."""

    code: str
    name: NameShape


class CoverageShape(Shape):
    """Coverage by group at a moment. A measure that has no group is in the total alone."""

    at: datetime
    by: Literal["zone_type", "area", "campaign"]
    level: str | None = Field(description="code of the level of the areas; each with everything below it")
    groups: list[CoverageRow]
    total: CoverageFigures


class _Given(Shape):
    model_config = ConfigDict(extra="forbid", strict=True)


_KEY = Field(pattern=r"^[!-~]{1,200}$", description="what tells it from others; the same is the same thing")
_NAME = Field(min_length=1, max_length=200)


class NewCampaign(_Given):
    """A campaign to register."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    name_zh: str = _NAME
    name_en: str = _NAME
    first_day: date = Field(ge=FIRST, le=LAST)
    last_day: date = Field(ge=FIRST, le=LAST)


class NewMeasure(_Given):
    """A measure to register, bound to a zone type, an area, a risk area or a campaign; days are the city's."""

    key: str = _KEY
    name_zh: str = _NAME
    name_en: str = _NAME
    zone_type: str | None = Field(None, max_length=40)
    area: int | None = Field(None, ge=1, le=2**63 - 1, description="id of an area")
    risk_area: int | None = Field(
        None, ge=1, le=2**63 - 1, description="id of a risk area, whose zone type it takes"
    )
    campaign: str | None = Field(None, max_length=61, description="code of a campaign")
    unit: str = Field(min_length=1, max_length=100, description="the office that owes it, never a person")
    every: Every = "once"
    target: int = Field(1, ge=1, le=MOST, description="how often it is owed in each period")
    first_day: date = Field(ge=FIRST, le=LAST)
    last_day: date = Field(ge=FIRST, le=LAST)


class NewEvidence(_Given):
    """Evidence to add: that it was done, when, and how often."""

    key: str = _KEY
    at: AwareDatetime | None = Field(None, description="when it was done; now, if not given")
    count: int = Field(1, ge=1, le=MOST)


class NewClosing(_Given):
    """Why a measure is closed."""

    reason: str = Field(min_length=1, max_length=2000)


class KeptShape(Shape):
    """What is registered; `fresh` is false where its key had one already."""

    id: int
    fresh: bool


class KeptCampaignShape(Shape):
    """A campaign that is registered; `fresh` is false where its code had one already."""

    code: str
    fresh: bool


class EvidenceShape(Shape):
    """Evidence that is kept, and the number of the period that it counts for."""

    period: int
    fresh: bool
