"""GeoJSON, a feature at a time: as one collection, and as a sequence of features."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely

from etl.readers.base import BATCH_ROWS, RawFrame, Reading, existing, require, sha256
from etl.readers.json_text import Collection, Item, records
from etl.readers.rows import located, parted
from layers.core.errors import UnreadableFile
from layers.records.personal import excerpt

_GEOMETRY = "\0geometry"  # no property is called so
_json = json.JSONEncoder(ensure_ascii=False).encode
_URN = re.compile(r"urn:ogc:def:crs:(EPSG|OGC):[^:]*:(\w+)")


def read_geojson(path: Path, columns: list[str]) -> Reading:
    """Read the features of a FeatureCollection; a batch of them, and the longest, is all that is held.

    Properties come as text, lists and records among them as JSON. Where none is called `id`, it is the feature's.

    Raises
    ------
    UnreadableFile : missing, truncated, not in UTF-8, or no FeatureCollection.
    MissingColumn : no feature has one of `columns` as a property.
    """
    file = existing(path)
    collection = Collection(path, "features", "GeoJSON")
    frames = _frames(path, columns, collection)
    batches = chain([next(frames)], _watched(path, frames, collection))
    return Reading(path, sha256(file), batches, crs=_crs(collection))


def read_geojsonseq(path: Path, columns: list[str]) -> Reading:
    """Read features that stand one to a line, or between record separators (RFC 8142), as `read_geojson` does.

    What is no feature is a broken row, not a broken file; a blank line is no row.

    Raises
    ------
    UnreadableFile : missing, or none of it is a feature.
    MissingColumn : no feature has one of `columns` as a property.
    """
    file = existing(path)
    frames = _frames(path, columns, records(path))
    return Reading(path, sha256(file), chain([next(frames)], frames))


def _frames(path: Path, columns: list[str], features: Iterable[Item]) -> Iterator[RawFrame]:
    """Batches of features; what the whole lacks is known before the last of them is given."""
    batch = _Batch(columns, 1)
    found: set[str] = set()
    good = False
    for feature, through in features:
        if len(batch.rows) == BATCH_ROWS:
            yield batch.frame()
            batch = _Batch(columns, batch.first + BATCH_ROWS)
        properties = batch.add(feature, through)
        if properties is not None:
            good = True
            found.update(properties)
    if good:
        require(path, columns, sorted(found))
    elif batch.reasons:
        raise UnreadableFile(f"{path}: no feature can be read: {batch.reasons[0]}", file=str(path))
    yield batch.frame()


class _Batch:
    """Features from number `first` on, as far as they are come."""

    def __init__(self, columns: list[str], first: int) -> None:
        self.first = first
        self.rows: list[list[str | None]] = []
        self.reasons: dict[int, str] = {}
        self._columns, self._through = columns, 1.0

    def add(self, feature: object, through: float) -> dict[str, Any] | None:
        """Take one feature; gives its properties, none if it is broken."""
        self._through = through
        try:
            properties, geometry = _parts(feature)
            self.rows.append([*(_text(name, properties.get(name)) for name in self._columns), geometry])
        except ValueError as exc:
            self.reasons[len(self.rows)] = str(exc)
            self.rows.append([None] * (len(self._columns) + 1))
            return None
        return properties

    def frame(self) -> RawFrame:
        """What was taken."""
        names = [*self._columns, _GEOMETRY]
        values = zip(*self.rows, strict=True) if self.rows else [()] * len(names)
        table = pa.table({name: pa.array(each, pa.string()) for name, each in zip(names, values, strict=True)})
        rows = np.arange(self.first, self.first + len(self.rows))
        frame = parted(RawFrame(table, rows, through=self._through), self.reasons)
        return located(frame, _GEOMETRY, shapely.from_geojson)


def _parts(feature: object) -> tuple[dict[str, Any], str | None]:
    """Properties and the text of the geometry of one feature."""
    if isinstance(feature, ValueError):
        raise feature
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        kind = feature.get("type") if isinstance(feature, dict) else type(feature).__name__
        raise ValueError(f"this is no Feature but {excerpt(kind)}")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise ValueError("its properties are no record")  # noqa: TRY004
    if "id" in feature:
        properties = {"id": feature["id"]} | properties
    geometry = feature.get("geometry")
    if geometry is None:
        return properties, None
    try:
        text = orjson.dumps(geometry).decode()
    except TypeError as exc:
        raise ValueError(f"geometry cannot be read: {exc}") from exc
    if "null" in text:  # so are NaN and infinity written
        raise ValueError("geometry has a coordinate that is not finite")
    return properties, text


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else _json(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise ValueError(f"property '{name}' holds half a surrogate pair") from exc
    return text


def _crs(collection: Collection) -> str | None:
    """What the member `crs` of GeoJSON as of 2008 says; without it, a file says nothing."""
    match collection.members.get("crs"):
        case None:
            return None
        case {"properties": {"name": str(name)}}:
            return _URN.sub(r"\1:\2", name)
        case other:
            return _json(other)


def _watched(path: Path, frames: Iterator[RawFrame], collection: Collection) -> Iterator[RawFrame]:
    """`frames`, unless a long file says only at its end in which coordinates its features were."""
    known = "crs" in collection.members
    yield from frames
    if ("crs" in collection.members) != known:
        raise UnreadableFile(f"{path}: its member 'crs' must stand before its features", file=str(path))
