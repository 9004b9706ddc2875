"""Parquet: typed columns, read a piece of a row group at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from etl.readers.base import BATCH_ROWS, RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile

_BUFFER_BYTES = 1 << 20


def read_parquet(path: Path, columns: list[str], shape: str | None = None, *, closed: bool = False) -> Reading:
    """Read plain columns with their types; what is stored as a dictionary comes as its values.

    Bytes are text in UTF-8, as some programs write it; only those of the column `shape` stay bytes.

    Raises
    ------
    UnreadableFile : missing, truncated or no Parquet, or a column holds lists or records, or `shape` no bytes.
    MissingColumn : it lacks one of `columns`, or `shape`.
    """
    file = existing(path)
    try:
        with pa.parquet.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
    except (pa.ArrowException, OSError) as exc:
        raise _unreadable(path, exc) from exc
    taken = columns if shape is None else [*columns, shape]
    require(path, taken, schema.names, closed=closed)
    kinds = {name: _plain(schema.field(name).type, name == shape) for name in taken}
    for name, kind in kinds.items():
        if pa.types.is_nested(kind):
            raise UnreadableFile(
                f"{path}: column '{name}' holds {kind}, not plain values", file=str(path), column=name
            )
    if shape is not None and not pa.types.is_binary(kinds[shape]):
        raise UnreadableFile(
            f"{path}: column '{shape}' holds {kinds[shape]}, not WKB", file=str(path), column=shape
        )
    return Reading(path, sha256(file), _batches(path, pa.schema(list(kinds.items()))))


def _batches(path: Path, schema: pa.Schema) -> Iterator[RawFrame]:
    done = 0
    try:
        # Without a buffer of its own, each column of a row group would be held whole.
        with pa.parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES) as parquet:
            count = parquet.metadata.num_rows
            for batch in parquet.iter_batches(BATCH_ROWS, columns=schema.names):
                table = pa.Table.from_batches([batch]).cast(schema)
                table.validate(full=True)  # a text column may hold bytes that are no UTF-8
                rows = np.arange(done + 1, done + len(table) + 1)
                done += len(table)
                yield RawFrame(table, rows, through=done / count)
    except (pa.ArrowException, OSError) as exc:
        raise _unreadable(path, exc, done) from exc
    if not done:
        yield RawFrame(schema.empty_table(), np.arange(0))


def _plain(kind: pa.DataType, shape: bool) -> pa.DataType:  # noqa: FBT001
    found = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_binary(found) or pa.types.is_large_binary(found):
        return pa.binary() if shape else pa.string()
    return found


def _unreadable(path: Path, exc: Exception, done: int = 0) -> UnreadableFile:
    where = f" after row {done}" if done else ""
    what = str(exc).split("\n", 1)[0]
    return UnreadableFile(f"{path}: this Parquet cannot be read{where}: {what}", file=str(path))
