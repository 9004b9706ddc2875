"""Parquet: typed columns, read a piece of a row group at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from etl.readers.base import BATCH_ROWS, RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile

_BUFFER_BYTES = 1 << 20


def read_parquet(path: Path, columns: list[str]) -> Reading:
    """Read plain columns with their types; what is stored as a dictionary comes as its values.

    Raises
    ------
    UnreadableFile : missing, truncated or no Parquet, or a column holds lists or records.
    MissingColumn : it lacks one of `columns`.
    """
    file = existing(path)
    try:
        with pa.parquet.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
    except (pa.ArrowException, OSError) as exc:
        raise _unreadable(path, exc) from exc
    require(path, columns, schema.names)
    kinds = {name: _plain(schema.field(name).type) for name in columns}
    for name, kind in kinds.items():
        if pa.types.is_nested(kind):
            raise UnreadableFile(
                f"{path}: column '{name}' holds {kind}, not plain values", file=str(path), column=name
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


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _unreadable(path: Path, exc: Exception, done: int = 0) -> UnreadableFile:
    where = f" after row {done}" if done else ""
    what = str(exc).split("\n", 1)[0]
    return UnreadableFile(f"{path}: this Parquet cannot be read{where}: {what}", file=str(path))
