"""The columns of some records by field: as a file, a feed or a form gave them, with codes for the source's words.

One record is a sheet of one row, so that a column and a value are judged by the same code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_WHOLE = r"^[+-]?\d{1,18}$"
_YEAR_1, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of year 9999, since 1970
_DATES = {pa.date32(): "s", pa.date64(): "ms"}
_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Sheet:
    """n records.

    columns : values by field, each of n rows; a field that is not there is missing in every row.
    codes : by field, what a word of the source stands for.
    """

    count: int
    columns: Mapping[str, pa.Array]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def column(self, name: str) -> pa.Array:
        """The values as they were given."""
        return self.columns[name] if name in self.columns else pa.nulls(self.count)

    def text(self, name: str) -> pa.StringArray:
        """Trimmed text, by `codes` where they list it; empty text is missing."""
        found = text(self.column(name))
        codes = self.codes.get(name)
        if not codes:
            return found
        coded = found.dictionary_encode()
        known = pa.array([codes.get(value, value) for value in coded.dictionary.to_pylist()], pa.string())
        return known.take(coded.indices)

    def number(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """float64[n], NaN where missing or unreadable, and a mask of what is there but is no number."""
        column = self.column(name)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return np.asarray(column.cast(pa.float64()).fill_null(np.nan)), np.zeros(len(column), np.bool_)
        words = text(column)
        readable = pc.match_substring_regex(words, _NUMBER).fill_null(False)  # noqa: FBT003
        values = pc.if_else(readable, words, pa.scalar(None, pa.string())).cast(pa.float64()).fill_null(np.nan)
        return np.asarray(values), np.asarray(pc.and_not(words.is_valid(), readable))

    def whole(self, name: str) -> tuple[pa.Array, NDArray[np.bool_]]:
        """int64, missing where it is no whole number, and a mask of what is there but is none."""
        column = self.column(name)
        if pa.types.is_integer(column.type):
            return column.cast(pa.int64()), np.zeros(len(column), np.bool_)
        words = self.text(name)
        readable = pc.match_substring_regex(words, _WHOLE).fill_null(False)  # noqa: FBT003
        digits = pc.utf8_ltrim(pc.if_else(readable, words, pa.scalar(None, pa.string())), "+")
        return digits.cast(pa.int64()), np.asarray(pc.and_not(words.is_valid(), readable))

    def truth(self, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[n], false where missing, and a mask of what is there but is neither true nor false."""
        words = pc.utf8_lower(self.text(name)).dictionary_encode()
        known = words.dictionary.to_pylist()
        which = np.asarray(words.indices.fill_null(len(known)))
        values = np.array([*(_TRUTH.get(word, False) for word in known), False], np.bool_)
        unreadable = np.array([*(word not in _TRUTH for word in known), False], np.bool_)
        return values[which], unreadable[which]


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece with each value in place, in the widest type of its kind.

    The same value then has the same bytes, whether a file held it as int16 or int64, as milli- or microseconds.
    A time that no calendar holds becomes the first or last that one does, which no check lets pass.
    """
    found = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    kind = found.type
    if pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return found
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return found.cast(pa.int64())
    if pa.types.is_floating(kind):
        return found.cast(pa.float64())
    if kind in _DATES:
        found = found.cast(pa.timestamp(_DATES[kind]))
    return _calendar(found) if pa.types.is_timestamp(found.type) else found.cast(pa.string())


def _calendar(column: pa.TimestampArray) -> pa.TimestampArray:
    """Times in microseconds; what lies before or beyond the years 1 to 9999 is their first or last second."""
    size = _A_SECOND[column.type.unit]
    lowest, highest = max(_YEAR_1 * size, -(2**63)), min(_LAST_SECOND * size, 2**63 - 1)
    counts = column.cast(pa.int64())
    counts = pc.if_else(pc.less(counts, lowest), lowest, counts)
    counts = pc.if_else(pc.greater(counts, highest), highest, counts)
    return counts.cast(column.type).cast(pa.timestamp("us", column.type.tz and "UTC"), safe=False)


def text(column: pa.Array) -> pa.StringArray:
    """Trimmed text of each value; empty text is missing."""
    words = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
