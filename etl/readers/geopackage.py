"""GeoPackage: one layer of it, once its own database says that it is a plain table."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from etl.readers.base import Reading, existing, sha256
from etl.readers.gdal import Dataset, held, neutral
from etl.readers.rows import decoded
from layers.core.errors import UnreadableFile

_MAGIC = b"SQLite format 3\0"
_COMPUTED = (
    "select name from sqlite_schema where type = 'view' or (type = 'table' and coalesce(rootpage, 0) = 0)"
    " order by name"
)
_FEATURES = "select table_name from gpkg_contents where data_type = 'features' order by table_name"
_UNDECLARED = (-1, 0)
"""srs_id of what has coordinates that nobody knows, Cartesian and geographic."""


def read_geopackage(path: Path, columns: list[str], layer: str | None = None) -> Reading:
    """Read the rows of a feature table in bounded memory; `layer` names it, and need not where there is only one.

    Raises
    ------
    UnreadableFile : missing, truncated, no GeoPackage, still being written, or the layer is no plain table.
    MissingColumn : it lacks one of `columns`.
    """
    file = existing(path)
    with file.open("rb") as head:
        if head.read(len(_MAGIC)) != _MAGIC:
            raise UnreadableFile(f"{path}: this is no GeoPackage: it begins otherwise", file=str(path))
    journal = file.with_name(file.name + "-wal")
    if journal.exists() and journal.stat().st_size:
        raise UnreadableFile(
            f"{path}: {journal.name} holds rows that are not in it yet: close it where it is open"
        )
    with _database(path, file) as database:
        _must_store(path, database)
        layer = _chosen(path, database, layer)
        count = database.execute(f"select count(*) from {_quoted(layer)}").fetchone()[0]  # noqa: S608
        declared = _declares_crs(database, layer)
    with ExitStack() as stack:
        place = stack.enter_context(neutral({"data.gpkg": file})) / "data.gpkg"
        data = Dataset.open(path, place, "GPKG", layer, immutable="YES", list_all_tables="NO")
        data = replace(data, count=count)  # what GDAL says is what a table of the file says
        frames = held((decoded(frame, "utf-8") for frame in data.frames(columns)), stack.pop_all())
    return Reading(path, sha256(file), frames, crs=data.crs if declared else None, told={"layer": layer})


@contextmanager
def _database(path: Path, file: Path) -> Iterator[sqlite3.Connection]:
    try:
        database = sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            yield database
        finally:
            database.close()
    except sqlite3.Error as exc:
        raise UnreadableFile(f"{path}: this GeoPackage cannot be read: {exc}", file=str(path)) from exc


def _must_store(path: Path, database: sqlite3.Connection) -> None:
    """Refuse a file whose layers, or the tables that tell of them, are computed when asked: that can be endless.

    GDAL asks all of them, whichever layer is meant.
    """
    database.execute("pragma trusted_schema = off")
    views = [name for (name,) in database.execute(_COMPUTED)]
    told = [name for name in views if name.lower().startswith("gpkg_")]
    if not told:
        layers = {name.lower() for (name,) in database.execute("select table_name from gpkg_contents")}
        told = [name for name in views if name.lower() in layers]
    if told:
        raise UnreadableFile(
            f"{path}: '{told[0]}' is a view or a virtual table, and only plain tables are read", file=str(path)
        )


def _chosen(path: Path, database: sqlite3.Connection, layer: str | None) -> str:
    """The feature table that is meant."""
    features = [name for (name,) in database.execute(_FEATURES)]
    if layer is None and len(features) == 1:
        layer = features[0]
    if layer is None or layer not in features:
        what = "'layer' must name one of its layers" if layer is None else f"there is no layer '{layer}'"
        raise UnreadableFile(f"{path}: {what}; it has {', '.join(features) or 'none'}", file=str(path))
    for _, name, *_, hidden in database.execute(f"pragma table_xinfo({_quoted(layer)})"):
        if hidden:
            raise UnreadableFile(
                f"{path}: column '{name}' of '{layer}' is computed, and only plain tables are read", file=str(path)
            )
    return layer


def _declares_crs(database: sqlite3.Connection, layer: str) -> bool:
    found = database.execute("select srs_id from gpkg_geometry_columns where table_name = ?", [layer]).fetchone()
    return found is not None and found[0] not in _UNDECLARED


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
