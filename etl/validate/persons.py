"""Places and events enter, persons do not: spans in texts that name one are masked, keys that do are refused."""

import numpy as np
import pyarrow as pa

from etl.validate.checker import Checker
from layers.records.columns import mask_column
from layers.records.personal import personal
from layers.records.sheet import plain, text


def masked(desk: Checker, name: str, column: pa.Array) -> pa.Array:
    """A column without the spans that name a person; how many of which kind is noted. Only texts hold any."""
    if not pa.types.is_string(column.type):
        return column
    found, kinds, _ = mask_column(column)
    for kind, count in kinds.items():
        desk.masked[name, kind] += count
    return found


def refuse_keys(desk: Checker) -> None:
    """Note every row whose key is a person's number or name: such a key cannot be masked and stay a key."""
    for name in desk.source.key:
        words = text(plain(desk.raw.table.column(name)))
        _, _, named = mask_column(words)  # a key that is a person's holds a span that would be masked
        where = np.flatnonzero(named)
        named[where] = [bool(personal(words[index])) for index in where.tolist()]
        desk.findings.add(named, f"key {name} names a person")
