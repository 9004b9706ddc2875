"""Files as GDAL reads them, in the process that has all of its formats."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tiles import _process


@dataclass(frozen=True)
class Read:
    """What a file holds: its system, the type of its geometries, the types of its columns, and its rows with WKB."""

    crs: str | None
    shape: str
    types: dict[str, str]
    rows: list[dict[str, Any]]


def read_file(path: Path, **options: Any) -> Read:
    """The one layer of a file."""
    return _process().submit(_read, path, options).result(timeout=60)


def _read(path: Path, options: dict[str, Any]) -> Read:
    import pyogrio  # noqa: PLC0415 (in that process alone)

    about, found = pyogrio.read_arrow(path, **options)
    geometry = about["geometry_name"] or "wkb_geometry"
    rows = [{"geometry": row.pop(geometry, None), **row} for row in found.to_pylist()]
    types = {field.name: str(field.type) for field in found.schema if field.name != geometry}
    return Read(about["crs"], about["geometry_type"], types, rows)
