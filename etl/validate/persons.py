"""Places and events enter, persons do not: spans in texts that name one are masked, keys that do are refused."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.validate.checker import Checker
from layers.records.columns import mask_column
from layers.records.personal import personal
from layers.records.sheet import plain, text

_LEAST = 1_000_000
"""Whole numbers below it are nobody's."""


def masked(desk: Checker, name: str, column: pa.Array) -> pa.Array:
    """A column without the spans, or the numbers, that name a person; how many of which kind is noted."""
    if pa.types.is_string(column.type):
        found, kinds, _ = mask_column(column)
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        found, kinds = _mask_numbers(column)
    else:
        return column
    for kind, count in kinds.items():
        desk.masked[name, kind] += count
    return found


def _mask_numbers(column: pa.Array) -> tuple[pa.Array, Counter[str]]:
    """A number has no room for a marker: one that names a person becomes missing."""
    size = column.cast(pa.float64(), safe=False)
    long = pc.and_(pc.greater_equal(size, _LEAST), pc.less(size, 2.0**63))
    words = pc.if_else(long, column, pa.scalar(None, column.type)).cast(pa.int64(), safe=False).cast(pa.string())
    _, kinds, named = mask_column(words)
    return pc.if_else(pa.array(named), pa.scalar(None, column.type), column), kinds


def refuse_keys(desk: Checker) -> None:
    """Note every row whose key is a person's number or name: such a key cannot be masked and stay a key."""
    for name in desk.source.key:
        words = text(plain(desk.raw.table.column(name)))
        _, _, named = mask_column(words)  # a key that is a person's holds a span that would be masked
        where = np.flatnonzero(named)
        named[where] = [bool(personal(words[index])) for index in where.tolist()]
        desk.findings.add(named, f"key {name} names a person")
