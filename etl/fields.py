"""A file's columns as the target's fields: renamed, filled from constants, with codes for source values."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etl.binary import whole
from etl.readers.base import RawFrame
from etl.spec import Source

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Fields:
    """The n rows of `raw` as `source` declares them."""

    raw: RawFrame
    source: Source

    def column(self, field: str) -> pa.Array:
        """The values as the file gave them; all missing when the source does not have the field."""
        if field in self.source.columns:
            return plain(self.raw.table.column(self.source.columns[field]))
        return pa.repeat(pa.scalar(self.source.constants.get(field), None), len(self.raw))

    def text(self, field: str) -> pa.StringArray:
        """Trimmed text, by `values` where the source lists it; empty text is missing."""
        found = text(self.column(field))
        codes = self.source.values.get(field)
        if not codes:
            return found
        coded = found.dictionary_encode()
        known = pa.array([codes.get(value, value) for value in coded.dictionary.to_pylist()], pa.string())
        return known.take(coded.indices)

    def number(self, field: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """float64[n], NaN where missing or unreadable, and a mask of what is there but is no number."""
        column = self.column(field)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return np.asarray(column.cast(pa.float64()).fill_null(np.nan)), np.zeros(len(column), np.bool_)
        words = text(column)
        readable = pc.match_substring_regex(words, _NUMBER).fill_null(False)  # noqa: FBT003
        values = pc.if_else(readable, words, pa.scalar(None, pa.string())).cast(pa.float64()).fill_null(np.nan)
        return np.asarray(values), np.asarray(pc.and_not(words.is_valid(), readable))

    def truth(self, field: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[n], false where missing, and a mask of what is there but is neither true nor false."""
        words = pc.utf8_lower(text(self.column(field))).to_pylist()
        unreadable = [word is not None and word not in _TRUTH for word in words]
        return np.array([_TRUTH.get(word, False) for word in words], np.bool_), np.array(unreadable, np.bool_)


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece with each value in place, in the widest type of its kind.

    The same value then has the same bytes, whether a file held it as int16 or int64, as milli- or microseconds.
    """
    found = whole(column)
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    kind = found.type
    if pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return found
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return found.cast(pa.int64())
    if pa.types.is_floating(kind):
        return found.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return found.cast(pa.timestamp("us", kind.tz and "UTC"), safe=False)
    if pa.types.is_date(kind):
        return found.cast(pa.timestamp("us"))
    return found.cast(pa.string())


def text(column: pa.Array) -> pa.StringArray:
    """Trimmed text of each value; empty text is missing."""
    words = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
