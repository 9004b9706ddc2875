"""The JSON that the screens read; OpenAPI and the TypeScript types are generated from here."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """Base: what is written is what was declared."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class NameShape(Shape):
    """A name in the two languages of the screens."""

    zh: str
    en: str


class SpanShape(Shape):
    """A half-open span of time."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")


class LevelShape(Shape):
    """One level of the city's tree of areas."""

    code: str
    name: NameShape


class ZoneTypeShape(Shape):
    """One of the six key risk zones."""

    code: str
    name: NameShape
    colour: str


class CategoryShape(Shape):
    """What can happen; the weight is its severity."""

    code: str
    name: NameShape
    weight: int
    sensitive: bool


class ResourceKindShape(Shape):
    """A kind of resource."""

    code: str
    name: NameShape
    colour: str


class AudienceShape(Shape):
    """Who the answer was made for; `area` is the id of the area it is confined to."""

    role: str
    area: int | None


class ReplayShape(Shape):
    """A past that is shown as if it were now."""

    speed: float = Field(description="seconds of the past in a second")
    until: datetime = Field(description="the last instant shown; there it stays")


class CityShape(Shape):
    """The city and the caller's audience."""

    code: str
    name: NameShape
    languages: list[str]
    time_zone: str
    extent: list[float] = Field(description="west, south, east, north in degrees", min_length=4, max_length=4)
    levels: list[LevelShape]
    zone_types: list[ZoneTypeShape]
    categories: list[CategoryShape]
    resource_kinds: list[ResourceKindShape]
    attribution: str
    notice: NameShape
    synthetic: list[str] = Field(description="layers that hold what was invented")
    audience: AudienceShape
    reports: bool = Field(description="whether anybody may report something")
    photo_days: int | None = Field(
        description="days that a report's photo is kept after its case has ended; none where photos are not taken"
    )
    now: datetime = Field(description="the instant shown; of the past, where one is replayed")
    replay: ReplayShape | None
    build: str


class HeatLayerShape(Shape):
    """One heat layer."""

    id: str
    title: NameShape
    colour: str | None


class HeatPolicyShape(Shape):
    """How exact the caller's heat is."""

    exact: bool
    finest_res: int
    note: NameShape
    bin: SpanShape | None = Field(description="newest published bin, for the public")
    share: int | None = Field(description="percent of that bin's incidents that are shown, at least")


class HeatCatalogShape(Shape):
    """All heat layers with what may be asked of them."""

    layers: list[HeatLayerShape]
    span: SpanShape | None
    policy: HeatPolicyShape
    default_window: SpanShape | None


class HeatCellsShape(Shape):
    """Cells that have any incident; `values[i]` belongs to `cells[i]`."""

    layer: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    res: int = Field(description="finest H3 resolution of the answer")
    unit: str
    total: int
    version: int
    as_of: datetime | None = Field(description="nothing newer was known; null where nobody says")
    set: str = Field(description="names the list of cells")
    cells: list[str]
    values: list[int]


class AreaShape(Shape):
    """One area."""

    id: int
    code: str
    level: str
    name: NameShape


class CategoryCountShape(Shape):
    """Incidents of one category."""

    code: str
    count: int


class PeriodShape(SpanShape):
    """A period to compare with."""

    total: int


class SummaryShape(Shape):
    """Key figures of an area in a span of time; null where the caller may not know."""

    area: AreaShape
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    total: int
    by_category: list[CategoryCountShape] | None
    by_zone_type: list[CategoryCountShape]
    open: int | None
    overdue: int | None
    previous: PeriodShape | None
    year_before: PeriodShape | None
    newest_at: datetime | None
    version: int
    rounded_to: int | None


class RiskAreaShape(Shape):
    """A risk area whose influence reaches the place."""

    id: int
    code: str
    zone_type: str
    name: NameShape
    influence_m: float
    approximate: bool
    distance_m: float


class ResourceShape(Shape):
    """A resource with how far it is; `unit` is the team that is stationed there."""

    id: int
    code: str
    kind: str
    name_zh: str | None
    name_en: str | None
    unit: str | None
    lon: float
    lat: float
    distance_m: float
    device_id: str | None = Field(description="of a device, by GB/T 28181, for those who dispatch")
    link: str | None


class NearestShape(Shape):
    """Resources, nearest first."""

    by: Literal["line"] = Field(description="how far: the straight line over ground")
    resources: list[ResourceShape]


class PlaceIncidentsShape(Shape):
    """Incidents of the cell around the place."""

    cell: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    total: int
    by_category: list[CategoryCountShape]


class PlaceShape(Shape):
    """Everything about one point; `resources` and `incidents` are null where the caller may not know."""

    lon: float
    lat: float
    areas: list[AreaShape]
    risk_areas: list[RiskAreaShape]
    resources: NearestShape | None
    incidents: PlaceIncidentsShape | None
