"""A source is one TOML file: which columns of which file become which fields of which layer.

Only the columns named here enter; whatever else a file holds is never read. Nothing is guessed: format, datum and
time zone are declared.

mode `append`   rows are added; a key seen before with other content is updated.
mode `changes`  the same, and one file may hold several versions of a key in their order: the last one counts.
mode `snapshot` the file is the whole truth of this source: what is missing from it is deleted.
"""

import tomllib
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from layers.catalog.city import City, Name
from layers.core.errors import BadSource

Target = Literal["areas", "risk_areas", "incidents"]
Constant = str | int | float | bool

_REQUIRED = {
    "areas": {"level", "code", "name_zh", "name_en"},
    "risk_areas": {"code", "zone_type", "name_zh", "name_en", "influence_m"},
    "incidents": {"category", "occurred_at", "origin"},
}
_OPTIONAL = {
    "areas": {"official_code", "local_code", "parent_code", "valid_from", "valid_to"},
    "risk_areas": {"approximate", "valid_from", "valid_to", "lon", "lat"},
    "incidents": {"recorded_at", "state", "due_at", "closed_at", "lon", "lat"},
}


class Source(BaseModel):
    """One source, as declared; frozen.

    `columns` maps target field to source column, `attributes` kept name to source column, `values` source value to
    code for each field, `constants` field to value. `key` names the columns that identify an incident; empty: its
    content does. Areas are identified by level and code, risk areas by code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: Path
    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    target: Target
    title: Name
    file: str = Field(min_length=1)
    format: Literal["geojson", "csv", "parquet"]
    mode: Literal["append", "changes", "snapshot"]
    key: list[str] = []
    datum: str
    time_zone: str | None = None
    licence: str
    attribution: str
    columns: dict[str, str]
    attributes: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    constants: dict[str, Constant] = {}

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            _zone(name)
        return name

    @model_validator(mode="after")
    def _promises_hold(self) -> Self:
        given = set(self.columns) | set(self.constants)
        allowed = _REQUIRED[self.target] | _OPTIONAL[self.target]
        problems = (
            [f"columns: {self.target} have no field '{name}'" for name in sorted(given - allowed)]
            + [f"columns: field '{name}' is missing" for name in sorted(_REQUIRED[self.target] - given)]
            + [f"constants: '{n}' is a column too" for n in sorted(set(self.columns) & set(self.constants))]
            + [f"values: '{name}' is not among the columns" for name in sorted(set(self.values) - given)]
        )
        if len({"lon", "lat"} & set(self.columns)) == 1:
            problems.append("columns: lon and lat go together")
        if not self.has_points and self.format != "geojson":
            problems.append(f"columns: a {self.format} file needs lon and lat")
        if self.key and self.target != "incidents":
            problems.append(f"key: {self.target} are identified by their code")
        if self.attributes and self.target != "incidents":
            problems.append(f"attributes: {self.target} keep none")
        if problems:
            raise ValueError(problems[0])
        return self

    @property
    def has_points(self) -> bool:
        """Whether places come from two number columns rather than from the file's own geometry."""
        return "lon" in self.columns

    @property
    def taken(self) -> list[str]:
        """Names of the source columns that enter, sorted, each once."""
        return sorted({*self.columns.values(), *self.attributes.values(), *self.key})

    def zone(self, city: City) -> ZoneInfo:
        """Zone of the local times in the file."""
        return ZoneInfo(self.time_zone) if self.time_zone else city.zone

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read one source's TOML.

        Raises
        ------
        BadSource : missing, no TOML, or a wrong or unknown key; names the file and the key.
        """
        try:
            values = tomllib.loads(path.read_text("utf-8"))
            return cls.model_validate({**values, "path": path})
        except OSError as exc:
            raise BadSource(f"cannot read {path}: {exc.strerror}", file=str(path)) from exc
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise BadSource(f"{path} is not TOML: {exc}", file=str(path)) from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise BadSource(
                f"{path}: {key}: {message}" if key else f"{path}: {message}", file=str(path), key=key
            ) from exc


def sources(city: City) -> list[Source]:
    """All sources of a city, in the order of their file names, which is the order of loading.

    Raises
    ------
    BadSource : one cannot be followed, or two share an id.
    """
    found = [Source.load(path) for path in sorted((city.folder / "sources").glob("*.toml"))]
    seen: dict[str, Path] = {}
    for source in found:
        if source.id in seen:
            raise BadSource(
                f"{source.path}: id: '{source.id}' is already taken by {seen[source.id].name}",
                file=str(source.path),
                key="id",
            )
        seen[source.id] = source.path
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # a name like "Asia" is a folder of the tz database
        raise ValueError(f"'{name}' is not a time zone") from exc
