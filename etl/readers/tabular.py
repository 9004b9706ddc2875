"""Tables without geometry of their own: CSV, all as text, and Parquet with its types."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from etl.readers.base import RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile


def read_csv(path: Path, columns: list[str]) -> Reading:
    """Read UTF-8 text with a header line; every value stays text, an empty one is missing.

    A line with too few or too many values is a broken row, not a broken file.

    Raises
    ------
    UnreadableFile : missing, or not UTF-8.
    MissingColumn : the header lacks one of `columns`.
    """
    file = existing(path)
    skipped: list[tuple[int, str]] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        skipped.append((row.number - 1, f"{row.actual_columns} values where {row.expected_columns} are needed"))
        return "skip"

    parse = pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip)
    # Row numbers of skipped lines are only known to the reader with one thread.
    read = pa.csv.ReadOptions(use_threads=False)
    try:
        with pa.csv.open_csv(file, read_options=read, parse_options=parse) as head:
            require(path, columns, head.schema.names)
        skipped.clear()
        table = pa.csv.read_csv(
            file,
            read_options=read,
            parse_options=parse,
            convert_options=pa.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, OSError) as exc:
        raise UnreadableFile(f"{path}: this is not CSV in UTF-8: {_first_line(exc)}", file=str(path)) from exc
    rows = np.arange(1, len(table) + len(skipped) + 1)
    rows = rows[~np.isin(rows, [number for number, _ in skipped])]
    return Reading(path, sha256(file), iter([RawFrame(table.combine_chunks(), rows, broken=skipped)]))


def read_parquet(path: Path, columns: list[str]) -> Reading:
    """Read a Parquet file.

    Raises
    ------
    UnreadableFile : missing, truncated or no Parquet, or a column holds lists or records.
    MissingColumn : it lacks one of `columns`.
    """
    file = existing(path)
    try:
        with pa.parquet.ParquetFile(file) as parquet:
            require(path, columns, parquet.schema_arrow.names)
            table = parquet.read(columns)
        table.validate(full=True)  # a string column may hold bytes that are no UTF-8
    except (pa.ArrowException, OSError) as exc:
        raise UnreadableFile(f"{path}: this Parquet cannot be read: {_first_line(exc)}", file=str(path)) from exc
    for column in table.schema:
        if pa.types.is_nested(column.type):
            raise UnreadableFile(f"{path}: column '{column.name}' holds {column.type}, not plain values")
    frame = RawFrame(table.combine_chunks(), np.arange(1, len(table) + 1))
    return Reading(path, sha256(file), iter([frame]))


def _first_line(exc: Exception) -> str:
    return str(exc).split("\n", 1)[0]
