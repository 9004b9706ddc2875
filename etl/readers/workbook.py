"""Workbooks: a sheet of an XLSX."""

import json
import mmap
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from etl.readers import sheet
from etl.readers.base import RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile

_LIMITS = f"{sheet.MEMORY_BYTES >> 20} MiB of memory or {sheet.CPU_SECONDS} s"


def read_xlsx(path: Path, columns: list[str], layer: str | None = None, *, closed: bool = False) -> Reading:
    """Read the sheet `layer`, or the first visible one; the header is its row 1, and row 1 the one below it.

    Every value is text: a whole number without a point, a time in ISO 8601. A formula has the value stored with
    it; a cell with an error is missing, and so is a formula that no program has calculated yet. Each cell of a
    merged area has the area's value. Rows without any value are left out. The whole sheet must fit into 2 GiB.

    Raises
    ------
    UnreadableFile : missing, truncated, encrypted, of another format or too large to unpack; or the sheet is not
        there or has no header.
    MissingColumn : the header lacks one of `columns`.
    """
    file = existing(path)
    lines = _unpacked(path, [str(file), layer or "", *columns])
    found = json.loads(lines.readline())
    require(path, columns, found["header"], closed=closed)
    told = {"layer": found["layer"]}
    if found["others"]:
        told["other layers"] = ", ".join(found["others"])
    if found["merged"]:
        told["merged areas"] = f"{found['merged']}, each cell of which has the area's value"
    return Reading(path, sha256(file), _batches(lines, columns, found["height"]), told=told)


def _unpacked(path: Path, arguments: list[str]) -> mmap.mmap:
    program = [sys.executable, "-X", "utf8", "-m", sheet.__name__, *arguments]
    with tempfile.TemporaryFile() as lines:
        done = subprocess.run(program, stdout=lines, stderr=subprocess.PIPE, encoding="utf-8", check=False)  # noqa: S603
        if done.returncode:
            said = done.stderr.strip().split("\n")[-1]
            why = said if done.returncode == 1 else f"this XLSX needs more than {_LIMITS}"
            raise UnreadableFile(f"{path}: {why}", file=str(path))
        return mmap.mmap(lines.fileno(), 0, access=mmap.ACCESS_READ)


def _batches(lines: mmap.mmap, columns: list[str], height: int) -> Iterator[RawFrame]:
    schema = pa.schema([(name, pa.string()) for name in columns])
    empty = True
    for line in iter(lines.readline, b""):
        batch = json.loads(line)
        table = pa.Table.from_arrays([pa.array(column, pa.string()) for column in batch["columns"]], schema=schema)
        yield RawFrame(table, np.array(batch["rows"]), through=batch["rows"][-1] / height)
        empty = False
    if empty:
        yield RawFrame(schema.empty_table(), np.arange(0))
