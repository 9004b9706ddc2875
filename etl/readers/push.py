"""Rows that were pushed."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etl.readers.base import RawFrame, Reading


def read_push(rows: list[dict[str, Any]], columns: list[str], sha256: str) -> Reading:
    """Read the columns of rows that came as JSON; every value is text, as in a CSV file.

    So a value says the same whatever else was pushed with it.
    """
    table = pa.table([pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in columns], columns)
    return Reading(Path("push"), sha256, iter([RawFrame(table, np.arange(1, len(rows) + 1))]))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)
