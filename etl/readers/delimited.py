"""Text with a header line and values between delimiters: CSV and TSV."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from etl.readers.base import BATCH_ROWS, RawFrame, Reading, existing, require, sha256
from etl.readers.encoding import encoding
from layers.core.errors import UnreadableFile

_BLOCK_BYTES = 1 << 22
"""Read at a time; the longest line is as long."""
_MOST_BROKEN = 1 << 20
"""Broken lines on end after which the file as a whole is broken."""


def read_csv(path: Path, columns: list[str], delimiter: str = ",", *, closed: bool = False) -> Reading:
    """Read text in UTF-8, GB18030 or marked UTF-16; every value stays text, an empty one is missing.

    A line with too few or too many values is a broken row, not a broken file; so is a header that comes again.
    Blank lines are no rows.

    Raises
    ------
    UnreadableFile : missing, in another encoding, without a header, or a quote is never closed.
    MissingColumn : the header lacks one of `columns`.
    """
    file = existing(path)
    text = encoding(path)
    try:
        with file.open("rb") as raw, _open(_Ended(raw, "\n".encode(text.codec)), text.codec, delimiter) as head:
            names = head.schema.names
    except pa.ArrowException as exc:
        raise UnreadableFile(f"{path}: there is no header line: {_first_line(exc)}", file=str(path)) from exc
    require(path, columns, names, closed=closed)
    lines = _Lines("\N{END OF TRANSMISSION}" + delimiter * len(names))
    batches = _batches(path, columns, text.codec, delimiter, lines)
    return Reading(path, sha256(file), batches, told={"encoding": text.name})


class _Ended:
    """The bytes of a file and, after them, `end`."""

    closed = False

    def __init__(self, file: BinaryIO, end: bytes) -> None:
        self._file, self._end = file, end

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) < size:
            found, self._end = found + self._end, b""
        return found


class _Lines:
    """Takes note of the lines that do not fit the header, until they are told.

    `end` is put after the last line of the file and does not fit either. If it is not among them, a quote that was
    never closed has swallowed it.
    """

    def __init__(self, end: str) -> None:
        self.end, self.ended = end, False
        self._broken: list[tuple[int, str]] = []

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        if row.text == self.end:
            self.ended = True
            return "skip"
        over = row.text.count("\n")
        reason = f"{row.actual_columns} values where {row.expected_columns} are needed"
        self._broken.append((row.number - 1, reason + (f"; a quote in it spans {over + 1} lines" if over else "")))
        return "skip" if len(self._broken) < _MOST_BROKEN else "error"

    def numbers(self, first: int, count: int) -> NDArray[np.int64]:
        """Numbers of `count` rows that fit, from row `first` on."""
        numbers = np.arange(first, first + count + len(self._broken))
        return numbers[~np.isin(numbers, [number for number, _ in self._broken])][:count]

    def told(self, until: float) -> list[tuple[int, str]]:
        """What is broken before row `until`."""
        found = [line for line in self._broken if line[0] < until]
        self._broken = self._broken[len(found) :]
        return found


def _open(
    text: _Ended, codec: str, delimiter: str, columns: list[str] | None = None, lines: _Lines | None = None
) -> pa.csv.CSVStreamingReader:
    return pa.csv.open_csv(
        text,
        # Numbers of the lines that do not fit are only known to the reader with one thread.
        pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=codec),
        pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lines or _skip),
        pa.csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns or [], pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _skip(_: pa.csv.InvalidRow) -> str:
    return "skip"


def _batches(path: Path, columns: list[str], codec: str, delimiter: str, lines: _Lines) -> Iterator[RawFrame]:
    size = path.stat().st_size
    last = 0
    with path.open("rb") as raw:
        text = _Ended(raw, f"\n{lines.end}\n".encode(codec))
        try:
            for blocks, batch in enumerate(_open(text, codec, delimiter, columns, lines), 1):
                if len(batch):
                    rows = lines.numbers(last + 1, len(batch))
                    last = int(rows[-1])
                    # Of what the file is ahead of the rows, pyarrow holds some dozen blocks.
                    through = min(raw.tell(), blocks * _BLOCK_BYTES) / size
                    yield from _frames(batch, rows, lines.told(last), through)
        except pa.ArrowException as exc:
            what = _first_line(exc)
            if "straddl" in what:
                what = f"a line is longer than {_BLOCK_BYTES >> 20} MiB, as if a quote were never closed"
            raise UnreadableFile(f"{path}: after row {last}: {what}", file=str(path)) from exc
    rest = lines.told(np.inf)
    if not lines.ended:
        last = max([last, *(number for number, _ in rest)])
        raise UnreadableFile(
            f"{path}: row {last}: a quote is never closed, as if the file were truncated", file=str(path), row=last
        )
    if rest or not last:
        nothing = pa.schema([(name, pa.string()) for name in columns]).empty_table()
        yield RawFrame(nothing, np.arange(0), broken=rest)


def _frames(
    batch: pa.RecordBatch, rows: NDArray[np.int64], broken: list[tuple[int, str]], through: float
) -> Iterator[RawFrame]:
    table = pa.Table.from_batches([batch])
    again = _is_header(table)
    if again.any():
        broken = sorted(broken + [(number, "this is the header again") for number in rows[again].tolist()])
        table, rows = table.filter(~again), rows[~again]
    for start in range(0, max(len(rows), 1), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        yield RawFrame(table[part], rows[part], broken=broken if start == 0 else [], through=through)


def _is_header(table: pa.Table) -> NDArray[np.bool_]:
    same = [pc.equal(table.column(name), name).fill_null(False) for name in table.column_names]  # noqa: FBT003
    found: NDArray[np.bool_] = np.logical_and.reduce([np.asarray(column) for column in same])
    return found


def _first_line(exc: Exception) -> str:
    return str(exc).split("\n", 1)[0]
