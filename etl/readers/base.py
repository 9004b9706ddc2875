"""What every reader gives: the columns that were asked for, untouched, with the place of each row in its file."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layers.core.errors import MissingColumn, UnreadableFile


@dataclass(frozen=True)
class RawFrame:
    """A file's rows as the file gave them.

    path : the file.
    sha256 : hash of its bytes, hex.
    table : the columns asked for, n rows, named as in the file, in file order.
    rows : int64[n], 1-based row numbers; a header is not a row.
    shapes : object[n], shapely geometries or none, for formats that carry geometry.
    crs : the coordinate reference system that the file itself declares, if it does.
    broken : rows that could not be read at all: (row number, reason).
    """

    path: Path
    sha256: str
    table: pa.Table
    rows: NDArray[np.int64]
    shapes: NDArray[np.object_] | None = None
    crs: str | None = None
    broken: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)


def existing(path: Path) -> Path:
    """The absolute path of a plain file.

    Raises
    ------
    UnreadableFile : it is not there, or no plain file.
    """
    if not path.is_file():
        raise UnreadableFile(f"{path}: there is no such file", file=str(path))
    return path.resolve()


def sha256(path: Path) -> str:
    """Hash of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require(path: Path, wanted: list[str], found: list[str]) -> None:
    """Check that a file has the columns that its TOML names, each once.

    Raises
    ------
    MissingColumn : names the first that is missing, and those that are there.
    UnreadableFile : one stands twice, so that nobody knows which is meant.
    """
    for column in wanted:
        if column not in found:
            raise MissingColumn(
                f"{path}: there is no column '{column}'; it has {', '.join(found) or 'none'}",
                file=str(path),
                column=column,
            )
        if found.count(column) > 1:
            raise UnreadableFile(
                f"{path}: column '{column}' stands {found.count(column)} times", file=str(path), column=column
            )
