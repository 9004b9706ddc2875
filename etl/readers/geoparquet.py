"""GeoParquet: Parquet with a column of WKB, and metadata that say which."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from etl.readers.base import Reading, existing
from etl.readers.parquet import read_parquet
from etl.readers.rows import located
from layers.core.errors import UnreadableFile
from layers.records.personal import excerpt


def read_geoparquet(path: Path, columns: list[str]) -> Reading:
    """Read the rows of a GeoParquet file, a piece of a row group at a time, with their primary geometry.

    Without a word about its coordinates a file has OGC:CRS84, as the specification says; with null they are
    undeclared.

    Raises
    ------
    UnreadableFile : missing, truncated, no GeoParquet, or its geometry is not encoded as WKB.
    MissingColumn : it lacks one of `columns`.

    Source: GeoParquet 1.1, https://geoparquet.org/releases/v1.1.0/
    """
    geo = _geo(path)
    name = str(geo.get("primary_column"))
    try:
        about = geo["columns"][name]
        encoding = about["encoding"]
    except (KeyError, TypeError) as exc:
        said = excerpt(name)
        raise UnreadableFile(f"{path}: its 'geo' metadata do not describe '{said}'", file=str(path)) from exc
    if encoding != "WKB":
        said = excerpt(encoding)
        raise UnreadableFile(f"{path}: its geometry is encoded as {said}; only WKB is read", file=str(path))
    if name in columns:
        raise UnreadableFile(f"{path}: column '{name}' is its geometry, not plain values", file=str(path))
    plain = read_parquet(path, columns, name)
    return replace(
        plain,
        batches=(located(frame, name) for frame in plain.batches),
        crs=_crs(about.get("crs", {"id": {"authority": "OGC", "code": "CRS84"}})),
        told={"geometry": name},
    )


def _geo(path: Path) -> dict[str, Any]:
    try:
        with pa.parquet.ParquetFile(existing(path)) as parquet:
            written = (parquet.schema_arrow.metadata or {}).get(b"geo")
        geo = json.loads(written) if written else None
    except (pa.ArrowException, OSError, ValueError) as exc:
        what = str(exc).split("\n", 1)[0]
        raise UnreadableFile(f"{path}: this GeoParquet cannot be read: {what}", file=str(path)) from exc
    if not isinstance(geo, dict):
        raise UnreadableFile(f"{path}: this is no GeoParquet: it has no 'geo' metadata", file=str(path))
    return geo


def _crs(written: dict[str, Any] | str | None) -> str | None:
    """The short name of a coordinate reference system where it has one; else the whole of it."""
    match written:
        case {"id": {"authority": authority, "code": code}}:
            return f"{authority}:{code}"
        case dict():  # PROJJSON
            return json.dumps(written)
    return written  # WKT, as before version 1.0
