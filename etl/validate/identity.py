"""What identifies a row: a key or a code that is there, that an index can hold, and that names no person."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.keys import source_keys
from etl.validate.checker import Checker
from etl.validate.persons import refuse_keys

LONGEST_BYTES = 1000
"""An entry of PostgreSQL's index holds 2704 bytes at most."""


def identified(desk: Checker) -> pa.StringArray:
    """The key of each row; missing where there is none that can be kept."""
    name = f"key {' + '.join(desk.source.key)}"
    found = source_keys(desk.raw, desk.source)
    desk.findings.add(np.asarray(found.is_null()), f"{name} is missing")
    refuse_keys(desk)
    return short(desk, name, found)


def coded(desk: Checker) -> pa.StringArray:
    """The code of each row; missing where there is none that can be kept."""
    return short(desk, "code", desk.text("code", required=True))


def short(desk: Checker, name: str, words: pa.StringArray) -> pa.StringArray:
    """Words that are short enough to identify a row."""
    long = pc.greater(pc.binary_length(words), LONGEST_BYTES).fill_null(False)  # noqa: FBT003
    desk.findings.add(np.asarray(long), f"{name} is longer than {LONGEST_BYTES:,} bytes")
    return pc.if_else(long, pa.scalar(None, pa.string()), words)
