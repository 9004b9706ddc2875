"""What every reader gives: the columns that were asked for, untouched, with the place of each row in its file.

A file is read in batches, so that its size does not matter.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layers.core.errors import MissingColumn, UnreadableFile
from layers.records.personal import excerpt, printable

BATCH_ROWS = 1 << 16
"""Rows that a reader gives at a time, at most."""

_NAMED = 50


@dataclass(frozen=True)
class RawFrame:
    """Some rows of a file as the file gave them.

    table : the columns asked for, n rows, named as in the file, in file order.
    rows : int64[n], 1-based row numbers in the whole file; a header is not a row.
    shapes : object[n], shapely geometries or none, for formats that carry geometry.
    broken : rows that could not be read at all: (row number, reason).
    through : the share of the file that is read by now, 0 to 1.
    superseded : rows left out because a later part of the file or feed has another state of their key.
    said : the table as the file gave it, where `table` has corrections of an operator.
    place : int64[n], each row's number among its equals in the file, where these rows are a part of it.
    """

    table: pa.Table
    rows: NDArray[np.int64]
    shapes: NDArray[np.object_] | None = None
    broken: list[tuple[int, str]] = field(default_factory=list)
    through: float = 1.0
    superseded: int = 0
    said: pa.Table | None = None
    place: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Reading:
    """An opened file: what is known of it before its rows, and the rows, to be taken once.

    path : the file.
    sha256 : hash of its bytes, hex.
    batches : its rows; taking them may raise UnreadableFile. At least one, be it without rows.
    crs : the coordinate reference system that the file itself declares, if it does.
    told : what the reader found out and the operator should know: `encoding`, `layer`, ...
    """

    path: Path
    sha256: str
    batches: Iterator[RawFrame]
    crs: str | None = None
    told: dict[str, str] = field(default_factory=dict)

    def whole(self) -> RawFrame:
        """All rows at once; for what is small by nature, like areas."""
        parts = list(self.batches)
        if len(parts) == 1:
            return parts[0]
        shapes = [part.shapes for part in parts if part.shapes is not None]
        return RawFrame(
            pa.concat_tables([part.table for part in parts], promote_options="permissive").combine_chunks(),
            np.concatenate([part.rows for part in parts]),
            shapes=np.concatenate(shapes) if len(shapes) == len(parts) else None,
            broken=[line for part in parts for line in part.broken],
            superseded=sum(part.superseded for part in parts),
        )


def existing(path: Path) -> Path:
    """The absolute path of a plain file.

    Raises
    ------
    UnreadableFile : it is not there, no plain file, not to be read by this user, or not called in UTF-8.
    """
    name = printable(str(path))
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a name is too long
        raise UnreadableFile(f"{path}: there is no such file", file=name)
    if not os.access(path, os.R_OK):
        raise UnreadableFile(f"{path}: it may not be read by the user that this runs as", file=name)
    try:
        str(path).encode()
    except UnicodeEncodeError as exc:
        raise UnreadableFile(f"{name}: its name is not in UTF-8; rename it", file=name) from exc
    return path.resolve()


def sha256(path: Path) -> str:
    """Hash of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require(path: Path, wanted: list[str], found: list[str], *, closed: bool = False) -> None:
    """Check that a file has the columns that its TOML names, each once, and no other where it is `closed`.

    Raises
    ------
    MissingColumn : names the first that is missing, and those that are there, masked: without a header line they
        are the first row.
    UnreadableFile : one stands twice, so that nobody knows which is meant; or there is one too many.
    """
    if closed and (more := sorted(set(found) - set(wanted))):
        raise UnreadableFile(
            f"{path}: it has columns that may not be there: {_listed(more)}",
            file=str(path),
            column=excerpt(more[0]),
        )
    for column in wanted:
        if column not in found:
            raise MissingColumn(
                f"{path}: there is no column '{column}'; it has {_listed(found) or 'none'}",
                file=str(path),
                column=column,
            )
        if found.count(column) > 1:
            raise UnreadableFile(
                f"{path}: column '{column}' stands {found.count(column)} times", file=str(path), column=column
            )


def _listed(names: list[str]) -> str:
    return ", ".join(map(excerpt, names[:_NAMED])) + (" ..." if len(names) > _NAMED else "")
