"""A workshop to build sources in: the toy city's folder, and files and declarations that a test writes."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from etl import pipeline, vocabulary
from etl.readers.base import RawFrame
from etl.spec import Source
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

COMMON = {
    "title": {"zh": "测试", "en": "Test"},
    "mode": "append",
    "datum": "EPSG:4326",
    "licence": "none",
    "attribution": "made up",
    "max_quarantined": 1.0,
}
INCIDENTS = COMMON | {
    "id": "calls",
    "target": "incidents",
    "file": "calls.csv",
    "format": "csv",
    "key": ["id"],
    "columns": {"category": "kind", "occurred_at": "at", "lon": "lon", "lat": "lat", "state": "state"},
    "attributes": {"street": "street"},
    "constants": {"origin": "citizen"},
}
AREAS = COMMON | {
    "id": "tree",
    "target": "areas",
    "file": "tree.geojson",
    "format": "geojson",
    "mode": "snapshot",
    "columns": {name: name for name in ("level", "code", "name_zh", "name_en", "parent_code")},
}
RISK_AREAS = COMMON | {
    "id": "places",
    "target": "risk_areas",
    "file": "places.csv",
    "format": "csv",
    "mode": "snapshot",
    "columns": {
        name: name
        for name in ("code", "zone_type", "name_zh", "name_en", "influence_m", "lon", "lat", "approximate")
    },
}
ROADS = COMMON | {
    "id": "streets",
    "target": "roads",
    "file": "roads.geojson",
    "format": "geojson",
    "mode": "snapshot",
    "key": ["id"],
    "columns": {name: name for name in ("class", "name_zh", "name_en", "oneway", "layer")},
}
SPOTS = COMMON | {
    "id": "spots",
    "target": "places",
    "file": "spots.csv",
    "format": "csv",
    "mode": "snapshot",
    "key": ["id"],
    "columns": {name: name for name in ("kind", "name_zh", "name_en", "lon", "lat")},
}
RESOURCES = COMMON | {
    "id": "stations",
    "target": "resources",
    "file": "stations.csv",
    "format": "csv",
    "mode": "snapshot",
    "columns": {
        name: name for name in ("code", "kind", "name_zh", "name_en", "unit", "device_id", "link", "lon", "lat")
    },
}
TREE = [
    ("district", "D", None, (10.0, 50.0, 10.1, 50.06)),
    ("village", "V1", "D", (10.0, 50.0, 10.05, 50.06)),
    ("village", "V2", "D", (10.05, 50.0, 10.1, 50.06)),
    ("grid", "V1G1", "V1", (10.0, 50.03, 10.05, 50.06)),
    ("grid", "V1G2", "V1", (10.0, 50.0, 10.05, 50.03)),
]
PLACES = [
    {"code": "S1", "zone_type": "school", "name_zh": "一小", "name_en": "First School", "influence_m": "300",
     "lon": "10.02", "lat": "50.02", "approximate": "true"},
    {"code": "M1", "zone_type": "market", "name_zh": "集市", "name_en": "Market", "influence_m": "500",
     "lon": "10.022", "lat": "50.02", "approximate": "false"},
]  # fmt: skip


def call(number: int = 1, **changes: str) -> dict[str, str]:
    """One row of an incident file, good unless changed."""
    row = {
        "id": f"c{number}",
        "kind": "noise",
        "at": "2025-01-02T03:04:05",
        "lon": "10.02",
        "lat": "50.02",
        "state": "",
        "street": "Long Street",
    }
    return row | changes


def area(level: str, code: str, parent: str | None, box: tuple[float, ...], **changes: Any) -> dict[str, Any]:
    """One feature of an area file."""
    properties = {"level": level, "code": code, "name_zh": f"{code}区", "name_en": code, "parent_code": parent}
    return {
        "type": "Feature",
        "properties": properties | changes,
        "geometry": json.loads(shapely.to_geojson(shapely.box(*box))),
    }


def tree() -> list[dict[str, Any]]:
    """The features of a small tree of areas."""
    return [area(*row) for row in TREE]


def road(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One feature of a road file, good unless changed; `line` are its corners."""
    line = changes.pop("line", [(10.0, 50.0), (10.01, 50.01)])
    properties = {
        "id": number,
        "class": "primary",
        "name_zh": "长街",
        "name_en": "Long Street",
        "oneway": None,
        "layer": None,
    }
    geometry = {"type": "LineString", "coordinates": line}
    return {"type": "Feature", "properties": properties | changes, "geometry": geometry}


def spot(number: int = 1, **changes: str) -> dict[str, str]:
    """One row of a file of places, good unless changed."""
    row = {
        "id": str(number),
        "kind": "library",
        "name_zh": "图书馆",
        "name_en": "Library",
        "lon": "10.02",
        "lat": "50.02",
    }
    return row | changes


def station(code: str = "T1", **changes: str) -> dict[str, str]:
    """One row of a file of resources, a team's home, good unless changed."""
    row = {
        "code": code,
        "kind": "team",
        "name_zh": "一队",
        "name_en": "First Team",
        "unit": "team one",
        "device_id": "",
        "link": "",
        "lon": "10.02",
        "lat": "50.02",
    }
    return row | changes


def camera(code: str = "C1", **changes: str) -> dict[str, str]:
    """One row of a file of resources, a camera, good unless changed."""
    known = {"device_id": "34020000001320000001", "link": "https://video.test/view?id=34020000001320000001"}
    return station(code, **{"kind": "camera", "unit": "", "name_zh": "", "name_en": "", **known, **changes})


def pieces(rows: list[dict[str, str]], size: int = 2) -> Iterator[RawFrame]:
    """The rows as a file of several batches."""
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        columns = {name: pa.array([row[name] for row in part], pa.string()) for name in part[0]}
        numbers = np.arange(start + 1, start + len(part) + 1)
        yield RawFrame(pa.table(columns), numbers, through=(start + len(part)) / len(rows))


@dataclass(frozen=True)
class FixedClock(Clock):
    """A clock that stands still."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Workshop:
    """The toy city's folder, to write files and sources in."""

    folder: Path
    url: str | None = None
    clock: Clock = field(default_factory=FixedClock)

    @property
    def city(self) -> City:
        return City.load(self.folder)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def csv(self, name: str, rows: Iterable[dict[str, str]]) -> Path:
        rows = list(rows)
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def geojson(self, name: str, features: Iterable[dict[str, Any]], **members: Any) -> Path:
        collection = {"type": "FeatureCollection"} | members | {"features": list(features)}
        return self.write(name, json.dumps(collection))

    def source(self, base: dict[str, Any], **changes: Any) -> Source:
        values = {k: v for k, v in (base | changes).items() if v is not None}
        path = self.write(f"sources/{values['id']}.toml", "".join(f"{k} = {toml(v)}\n" for k, v in values.items()))
        return Source.load(path)

    def write_words(self) -> None:
        """The city's words into the database, as a command does before it loads."""
        assert self.url is not None
        with connect(self.url) as connection:
            vocabulary.write(connection, self.city)

    def run(self, source: Source) -> pipeline.Result:
        assert self.url is not None
        with connect(self.url) as connection:
            vocabulary.write(connection, self.city)
        (result,) = pipeline.run(self.url, self.city, source, self.clock)
        return result

    def load_calls(self, *rows: dict[str, str], **changes: Any) -> pipeline.Result:
        self.csv("calls.csv", rows)
        return self.run(self.source(INCIDENTS, **changes))

    def load_tree(self, features: Iterable[dict[str, Any]] | None = None, **changes: Any) -> pipeline.Result:
        self.geojson("tree.geojson", tree() if features is None else features)
        return self.run(self.source(AREAS, **changes))

    def load_places(self, rows: Iterable[dict[str, str]] = PLACES, **changes: Any) -> pipeline.Result:
        self.csv("places.csv", rows)
        return self.run(self.source(RISK_AREAS, **changes))

    def load_stations(self, *rows: dict[str, str], **changes: Any) -> pipeline.Result:
        self.csv("stations.csv", rows)
        return self.run(self.source(RESOURCES, **changes))

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        assert self.url is not None
        with connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def reasons(self, run_id: int) -> dict[int, list[str]]:
        found = self.rows("select row_number, reasons from onemap.quarantine where run_id = %s", run_id)
        return {row["row_number"]: row["reasons"] for row in found}


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
