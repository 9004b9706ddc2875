"""Shapefile: a file of shapes with its parts beside it, or all of them in a zip archive."""

import hashlib
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from etl.readers.archive import MAGIC as ZIP
from etl.readers.archive import unpacked
from etl.readers.base import RawFrame, Reading, existing, require, sha256
from etl.readers.dbf import BYTES, as_in_file, codec_of
from etl.readers.gdal import Dataset, held, neutral
from etl.readers.rows import decoded
from layers.core.errors import UnreadableFile

_MAGIC = struct.pack(">i", 9994)
_NEEDED = (".shp", ".shx", ".dbf")
_PARTS = (*_NEEDED, ".prj", ".cpg")


def read_shapefile(path: Path, columns: list[str], layer: str | None = None) -> Reading:
    """Read the rows of a shapefile in bounded memory; `path` is its .shp, or a zip archive where `layer` names it.

    The encoding of its texts is that of its .cpg; without one it is found. Row numbers are those of its records,
    of which deleted ones are left out.

    Raises
    ------
    UnreadableFile : missing, a part is missing or cut off, no shapefile, or texts of no known encoding.
    MissingColumn : it lacks one of `columns`.
    """
    file = existing(path)
    with file.open("rb") as head:
        magic = head.read(4)
    with ExitStack() as stack:
        told = {}
        if magic == ZIP:
            folder, told["layer"] = stack.enter_context(unpacked(path, _PARTS, layer))
            hashed = sha256(file)
        elif magic == _MAGIC:
            parts = _beside(file)
            folder = stack.enter_context(neutral({f"data{suffix}": part for suffix, part in parts.items()}))
            hashed = hashlib.sha256(
                "".join(sha256(parts[suffix]) for suffix in sorted(parts)).encode()
            ).hexdigest()
        else:
            raise UnreadableFile(
                f"{path}: this is no .shp and no zip archive: it begins otherwise", file=str(path)
            )
        _check(path, folder)
        data = Dataset.open(path, folder / "data.shp", "ESRI Shapefile", encoding=BYTES)
        told["encoding"], codec = codec_of(data, folder)
        frames = held(_frames(data, columns, codec), stack.pop_all())
    return Reading(path, hashed, frames, crs=data.crs, told=told)


def _frames(data: Dataset, columns: list[str], codec: str) -> Iterator[RawFrame]:
    names = [as_in_file(name.encode()).decode(codec, "replace") for name in data.names]
    require(data.path, columns, names)
    inside = [data.names[names.index(column)] for column in columns]
    for frame in data.frames(inside, numbered=True):
        yield decoded(replace(frame, table=frame.table.rename_columns(columns)), codec, as_in_file)


def _beside(file: Path) -> dict[str, Path]:
    """The parts of a shapefile by suffix, however that is written."""
    return {
        part.suffix.lower(): part
        for part in sorted(file.parent.iterdir())
        if part.stem == file.stem and part.suffix.lower() in _PARTS and part.is_file()
    } | {".shp": file}


def _check(path: Path, folder: Path) -> None:
    """Hold the parts against what they say of their own lengths and of each other.

    Source: ESRI Shapefile Technical Description, 1998; dBASE III file header.
    """
    for suffix in _NEEDED:
        if not (folder / f"data{suffix}").exists():
            raise UnreadableFile(f"{path}: its part {suffix} is missing", file=str(path))
    sizes = {suffix: (folder / f"data{suffix}").stat().st_size for suffix in _NEEDED}
    for suffix, header in {".shp": 100, ".shx": 100, ".dbf": 32}.items():
        if sizes[suffix] < header:
            raise UnreadableFile(f"{path}: its part {suffix} is cut off within its header", file=str(path))
    for suffix in (".shp", ".shx"):
        with (folder / f"data{suffix}").open("rb") as part:
            magic, words = struct.unpack(">i20xi", part.read(28))
        if struct.pack(">i", magic) != _MAGIC:
            raise UnreadableFile(f"{path}: its part {suffix} is of another format", file=str(path))
        _is_whole(path, suffix, words * 2, sizes[suffix])
    with (folder / "data.dbf").open("rb") as part:
        records, header, width = struct.unpack("<4xIHH", part.read(12))
    _is_whole(path, ".dbf", header + records * width, sizes[".dbf"])
    pairs = np.fromfile(folder / "data.shx", ">i4", count=(words * 2 - 100) // 8 * 2, offset=100)
    index = pairs.reshape(-1, 2).astype(np.int64) * 2
    if len(index) != records:
        raise UnreadableFile(f"{path}: it has {len(index)} shapes, but {records} records", file=str(path))
    beyond = np.flatnonzero(index.sum(axis=1) + 8 > sizes[".shp"])
    if len(beyond):
        raise UnreadableFile(f"{path}: its part .shx puts shape {beyond[0] + 1} beyond its .shp", file=str(path))


def _is_whole(path: Path, suffix: str, said: int, size: int) -> None:
    if not 0 < said <= size:
        raise UnreadableFile(
            f"{path}: its part {suffix} is cut off: it says {said} bytes and has {size}", file=str(path)
        )
