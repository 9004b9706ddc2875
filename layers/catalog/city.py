"""A city is a folder: city.toml, zones.toml, categories.toml, sources/*.toml and the city's files.

No code knows a city; another city is another folder.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from layers.core.errors import BadCity
from layers.geo.bbox import Bbox

Code = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
_OFFICE = r"^([a-z0-9._+-]{1,64}@)?([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Name(_Value):
    """A name in the two languages of the screens."""

    zh: str
    en: str


class Level(_Value):
    """One level of the city's tree of areas; `pattern` is the form of its codes, `from_zoom` where maps begin."""

    code: str = Code
    name: Name
    pattern: str
    from_zoom: int = Field(0, ge=0, le=24)


class ZoneType(_Value):
    """One of the six key risk zones."""

    code: str = Code
    name: Name
    colour: str = Field(pattern=r"^#[0-9a-f]{6}$")


class Choice(_Value):
    """One of the answers that a question takes."""

    key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")
    name: Name


class Question(_Value):
    """What is asked of whoever reports something of a category; `datatype` is one of Open311's."""

    code: str = Code
    name: Name
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: bool = False
    values: list[Choice] = []

    @model_validator(mode="after")
    def _lists_have_values(self) -> Self:
        if self.datatype.endswith("list") != bool(self.values):
            raise ValueError(f"question {self.code}: only a list has values, and it has some")
        return self


class Category(_Value):
    """What happened; `weight` is its severity, and a sensitive one is never shown as a point in the room.

    description, group, keywords, questions : what those who report something are told and asked.
    """

    code: str = Code
    name: Name
    weight: int = Field(ge=0)
    sensitive: bool = False
    description: Name | None = None
    group: Name | None = None
    keywords: list[str] = []
    questions: list[Question] = []

    @model_validator(mode="after")
    def _questions_once(self) -> Self:
        codes = [question.code for question in self.questions]
        if len(codes) != len(set(codes)):
            raise ValueError(f"category {self.code}: a question stands twice")
        return self


class ResourceKind(_Value):
    """A kind of resource; with `device`, each has an id of GB/T 28181, and no other has one."""

    code: str = Code
    name: Name
    colour: str = Field(pattern=r"^#[0-9a-f]{6}$")
    device: bool = False


class ServiceClass(_Value):
    """What an office counts in service load."""

    code: str = Code
    name: Name


class Service(_Value):
    """Service load: the finest level of areas that counts may be of, and what is counted."""

    finest_level: str
    classes: list[ServiceClass] = Field(min_length=1)


class Reports(_Value):
    """What is taken with a report: one photo, kept for `photo_days` after its case has ended."""

    photos: bool = False
    photo_days: int = Field(30, ge=1, le=3650)
    photos_per_hour: int = Field(200, ge=1)


class Calendar(_Value):
    """Working time: ISO weekdays, hours of a working day, holidays and the days that make up for them.

    country, subdivision : codes of ISO 3166, whose public holidays and make-up days hold beside those named here.
    """

    working_days: list[int]
    hours: list[str]
    holidays: list[str] = []
    make_up_days: list[str] = []
    country: str | None = Field(None, pattern="^[A-Z]{2}$")
    subdivision: str | None = None


class Past(_Value):
    """What of the city can be shown as if it were now.

    source : the source whose rows come in at their own time, before `since` at once.
    speed : seconds of the past in a second.
    open_state : what the source calls a row that is not closed yet.
    """

    source: str
    since: AwareDatetime
    speed: float = Field(60, ge=0, le=86_400)
    open_state: str | None = None


class City(_Value):
    """Everything about one city that is not in its source files.

    office_mail : domains of offices' mailboxes, or whole mailboxes of offices without one; mails go there alone.
    """

    folder: Path
    code: str = Code
    name: Name
    time_zone: str
    languages: list[str]
    extent: list[float] = Field(min_length=4, max_length=4)
    base_resolution: int = Field(ge=0, le=15)
    attribution: str
    notice: Name
    synthetic: list[Literal["areas", "risk_areas", "incidents", "roads", "places", "resources", "cases"]] = []
    levels: list[Level] = Field(min_length=1)
    calendar: Calendar
    zone_types: list[ZoneType] = Field(min_length=1, max_length=31)
    categories: list[Category] = Field(min_length=1)
    resource_kinds: list[ResourceKind] = []
    service: Service | None = None
    past: Past | None = None
    office_mail: list[Annotated[str, Field(pattern=_OFFICE)]] = []
    report: Reports = Reports()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        ZoneInfo(name)
        return name

    @model_validator(mode="after")
    def _codes_once(self) -> Self:
        for what in ("levels", "zone_types", "categories", "resource_kinds"):
            codes = [item.code for item in getattr(self, what)]
            twice = {code for code in codes if codes.count(code) > 1}
            if twice:
                raise ValueError(f"{what}: code {min(twice)} stands twice")
        return self

    @model_validator(mode="after")
    def _service_fits(self) -> Self:
        if self.service is not None:
            if self.service.finest_level not in [level.code for level in self.levels]:
                raise ValueError(f"service: there is no level {self.service.finest_level}")
            codes = [each.code for each in self.service.classes]
            if len(codes) != len(set(codes)):
                raise ValueError("service: a class stands twice")
        return self

    @property
    def service_levels(self) -> list[str]:
        """Codes of the levels that service load may be of, the top first; none where the city takes none."""
        codes = [level.code for level in self.levels]
        return [] if self.service is None else codes[: codes.index(self.service.finest_level) + 1]

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def bbox(self) -> Bbox:
        """Declared extent; a point outside it is a mistake."""
        return Bbox(*self.extent)

    def described(self, layer_id: str, text: str) -> str:
        """The description of a layer, which says first whether what it holds was invented."""
        return f"Synthetic: nothing of it is real. {text}" if layer_id in self.synthetic else text

    def deepest_level(self, zoom: int) -> int:
        """Rank of the finest level of areas that a map shows at `zoom`; 0 is the top."""
        return max(rank for rank, level in enumerate(self.levels) if level.from_zoom <= zoom or rank == 0)

    @property
    def heat_layers(self) -> list[str]:
        """Ids of the heat layers: `all` and one a zone type."""
        return ["all", *(zone.code for zone in self.zone_types)]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a city's folder.

        Raises
        ------
        BadCity : a file is missing, is no TOML, or has a wrong or unknown key; names the file and the key.
        """
        values: dict[str, Any] = {"folder": folder}
        for name in ("city.toml", "zones.toml", "categories.toml"):
            path = folder / name
            try:
                values |= tomllib.loads(path.read_text("utf-8"))
            except OSError as exc:
                raise BadCity(f"cannot read {path}: {exc.strerror}", file=str(path)) from exc
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
                raise BadCity(f"{path} is not TOML: {exc}", file=str(path)) from exc
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            first = exc.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise BadCity(f"{folder}: {key or 'city'}: {first['msg']}", folder=str(folder), key=key) from exc
