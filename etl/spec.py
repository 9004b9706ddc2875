"""A source is one TOML file: which columns of which file or feed become which fields of which layer.

Only the columns named here enter; whatever else a file holds is never read. Nothing is guessed: format, datum and
time zone are declared.

mode `append`   rows are added; a key seen before with other content is updated.
mode `changes`  the same, and one file may hold several states of a key in their order: the last one counts. A row
                whose field `deleted` is true is a tombstone: its key is deleted.
mode `snapshot` the file is the whole truth of this source, or of the `scope` it states: what is missing is
                deleted.

Where rows can change, the field `version` says which state of a key is the later one, in whatever order the states
come. Without it the last load wins.
"""

import re
import tomllib
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from etl.feed_options import FeedOptions
from etl.schedule import is_cron_line
from etl.target_fields import KEYED, OPTIONAL, REQUIRED, Target
from layers.catalog.city import City, Name
from layers.core.errors import BadSource, BadValue, UnreadableFile
from layers.records.times import instants

Constant = str | int | float | bool
Format = Literal[
    "geojson", "geojsonseq", "shapefile", "geopackage", "flatgeobuf", "geoparquet",
    "parquet", "csv", "tsv", "xlsx", "osm",
    "open311", "arcgis", "ogcapi", "json",
    "push",
]  # fmt: skip

FEEDS: frozenset[Format] = frozenset({"open311", "arcgis", "ogcapi", "json"})
_WITH_SHAPES: frozenset[Format] = frozenset(
    {"geojson", "geojsonseq", "shapefile", "geopackage", "flatgeobuf", "geoparquet", "osm", "arcgis", "ogcapi"}
)

_TABULAR: frozenset[Format] = frozenset({"csv", "tsv", "xlsx", "parquet"})


class Scope(BaseModel):
    """What a snapshot is the whole truth of: incidents of half-open [`since`, `until`) and of these categories.

    Times are ISO 8601; without an offset they are local times of the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    since: str | None = None
    until: str | None = None
    categories: list[str] = []

    @field_validator("since", "until")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        # Read as it will be: a bound that nobody could read would be none, and what lies beyond it deleted.
        if instants(pa.array([value], pa.string()), ZoneInfo("UTC")).unreadable.any():
            raise ValueError(f"'{value}' is not an ISO 8601 time")
        return value


class Source(BaseModel):
    """One source, as declared; frozen.

    `file` is a path in the city's folder, or a pattern of paths (`calls_*.csv`): then each file is a load of its
    own, in the order of their names. `layer` is the layer of a database file, the sheet of a workbook or the
    member of a zip archive, `kind` what to take from an OSM file.

    `columns` maps target field to source column, `attributes` kept name to source column, `values` source value to
    code for each field, `constants` field to value. `key` names the columns that identify an incident, road or
    place; empty: its content does. Areas are identified by level and code, risk areas and
    resources by code.

    `max_quarantined` is the share of rows above which a run fails whole. `schedule` is a cron line in the city's
    time, and `watch` has the worker look for new files by itself. `cases` names the workflow that incidents with a
    state follow: each load makes cases of the new ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: Path
    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    target: Target
    title: Name
    file: str | None = Field(None, min_length=1)
    feed: FeedOptions | None = None
    format: Format
    layer: str | None = None
    kind: Literal["roads", "places", "pois"] | None = None
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
    scope: Scope | None = None
    max_quarantined: float = Field(0.5, ge=0, le=1)
    schedule: str | None = None
    watch: bool = False
    cases: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            _zone(name)
        return name

    @field_validator("schedule")
    @classmethod
    def _is_a_cron_line(cls, line: str | None) -> str | None:
        if line is not None and not is_cron_line(line):
            raise ValueError(f"'{line}' is no cron line: minute, hour, day of month, month, day of week")
        return line

    @model_validator(mode="after")
    def _promises_hold(self) -> Self:
        given = set(self.columns) | set(self.constants)
        allowed = REQUIRED[self.target] | OPTIONAL[self.target]
        problems = (
            [f"columns: {self.target} have no field '{name}'" for name in sorted(given - allowed)]
            + [f"columns: field '{name}' is missing" for name in sorted(REQUIRED[self.target] - given)]
            + [f"constants: '{n}' is a column too" for n in sorted(set(self.columns) & set(self.constants))]
            + [f"constants: '{n}' tells rows apart" for n in sorted({"version", "deleted"} & set(self.constants))]
            + [f"values: '{name}' is not among the columns" for name in sorted(set(self.values) - given)]
        )
        if len({"lon", "lat"} & set(self.columns)) == 1:
            problems.append("columns: lon and lat go together")
        if self.closed and self.format not in _TABULAR:
            problems.append("format: service_load comes as csv, tsv, xlsx or parquet")
        if not self.has_points and self.format not in _WITH_SHAPES and not self.closed:
            problems.append(f"columns: a {self.format} source needs lon and lat")
        if self.key and self.target not in KEYED:
            problems.append(f"key: {self.target} are identified by their code")
        problems += self._ways_in() + self._ways_to_change()
        if self.attributes and self.target != "incidents":
            problems.append(f"attributes: {self.target} keep none")
        if self.cases is not None and (self.target != "incidents" or "state" not in given):
            problems.append("cases: only incidents with a field 'state' become cases")
        if problems:
            raise ValueError(problems[0])
        return self

    def _ways_in(self) -> list[str]:
        needs = {
            "feed": self.format in FEEDS,
            "file": self.format not in FEEDS and self.format != "push",
            "kind": self.format == "osm",
        }
        given = {name for name in needs if getattr(self, name) is not None}
        problems = [
            f"{name}: a {self.format} source {'needs it' if needed else 'has none'}"
            for name, needed in needs.items()
            if needed != (name in given)
        ]
        if self.watch and not needs["file"]:
            problems.append("watch: only files are watched")
        if self.feed is not None and self.format in FEEDS:
            keyed = bool(self.key) or self.target not in KEYED
            problems += [f"feed.{said}" for said in self.feed.misfits(self.format, self.mode, keyed=keyed)]
        return problems

    def _ways_to_change(self) -> list[str]:
        problems = []
        if self.scope and (self.mode != "snapshot" or self.target != "incidents"):
            problems.append("scope: only a snapshot of incidents has one")
        if self.mode == "snapshot" and self.file and set(self.file) & set("*?["):
            problems.append("file: a snapshot is one file, not a pattern")
        if "deleted" in self.columns and self.mode != "changes":
            problems.append("columns: only mode 'changes' has tombstones")
        if not self.key and {"version", "deleted"} & set(self.columns):
            problems.append("key: states of a row are told apart by its key, and there is none")
        return problems

    @property
    def has_points(self) -> bool:
        """Whether places come from two number columns rather than from the file's own geometry."""
        return "lon" in self.columns

    @property
    def closed(self) -> bool:
        """Whether its files have no columns but those that are taken; one that has more is refused."""
        return self.target == "service_load"

    @property
    def taken(self) -> list[str]:
        """Names of the source columns that enter, sorted, each once."""
        return sorted({*self.columns.values(), *self.attributes.values(), *self.key})

    def files(self, folder: Path) -> list[Path]:
        """The files of this source in the city's `folder`, in the order of their names.

        Raises
        ------
        UnreadableFile : no file fits the pattern.
        BadSource : the pattern is none of paths in a folder.
        """
        if self.file is None:
            return []
        if not set(self.file) & set("*?["):
            return [folder / self.file]
        try:
            found = sorted(folder.glob(self.file))
        except (NotImplementedError, ValueError) as exc:  # an absolute one, or ** within a name
            raise BadSource(f"{self.path}: file: {exc}", file=str(self.path), key="file") from exc
        if not found:
            raise UnreadableFile(f"{folder / self.file}: no file fits this pattern", file=self.file)
        return found

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
            text = path.read_text("utf-8-sig")
            if re.search(r"\\u0{4}|\\U0{8}", text):
                raise BadSource(f"{path}: it holds a NUL character, which no name or value has", file=str(path))
            return cls.model_validate({**tomllib.loads(text), "path": path})
        except OSError as exc:
            raise BadSource(f"cannot read {path}: {exc.strerror}", file=str(path)) from exc
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as exc:
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


def chosen(city: City, ids: list[str]) -> list[Source]:
    """The sources of these ids, in the order of loading; none: all.

    Raises
    ------
    BadValue : the city has no source of an id; names those it has.
    """
    known = sources(city)
    for wanted in ids:
        if wanted not in {source.id for source in known}:
            has = ", ".join(source.id for source in known) or "none"
            raise BadValue(f"{city.code} has no source '{wanted}'; it has {has}", parameter="source")
    return [source for source in known if not ids or source.id in ids]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # a name like "Asia" is a folder of the tz database
        raise ValueError(f"'{name}' is not a time zone") from exc
