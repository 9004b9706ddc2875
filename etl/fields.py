"""A file's columns as the target's fields: renamed, and filled from constants."""

import pyarrow as pa

from etl.readers.base import RawFrame
from etl.spec import Source
from layers.records.sheet import Sheet, plain


def sheet(raw: RawFrame, source: Source) -> Sheet:
    """The n rows of `raw` as `source` declares them."""
    taken = {field: plain(raw.table.column(column)) for field, column in source.columns.items()}
    fixed = {field: pa.repeat(value, len(raw)) for field, value in source.constants.items()}
    return Sheet(len(raw), taken | fixed, source.values)
