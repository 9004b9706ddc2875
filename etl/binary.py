"""Rows in PostgreSQL's binary COPY format: what goes to the database, and what a row's content hash is made of.

Each value is its length as a big-endian int32 and its bytes; a missing value is the length -1. So a row's
bytes say exactly what the row is, whatever the file or the platform it came from.
"""

import struct
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)

_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_SLICE_ROWS = 1 << 15
_FIXED = {
    pa.bool_(): ("u1", "bool"),
    pa.int16(): (">i2", "smallint"),
    pa.int32(): (">i4", "integer"),
    pa.int64(): (">i8", "bigint"),
    pa.float32(): (">f4", "real"),
    pa.float64(): (">f8", "double precision"),
    pa.timestamp("us"): (">i8", "timestamp"),
    pa.timestamp("us", "UTC"): (">i8", "timestamptz"),
}
_VARIABLE = {pa.string(): "text", pa.binary(): "bytea"}

POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<i4"), ("lon", "<f8"), ("lat", "<f8")])
"""EWKB of one point, 25 bytes."""


def sql_type(kind: pa.DataType) -> str:
    """The PostgreSQL type that `kind` is sent as."""
    return _FIXED[kind][1] if kind in _FIXED else _VARIABLE[kind]


def rows(columns: list[pa.Array], prefix: bytes = b"") -> pa.Array:
    """The bytes of each row: binary[n], `prefix` and then the values of `columns` in their order.

    `columns` hold bool, int16, int32, int64, float32, float64, timestamp[us] (naive or UTC), string or binary;
    any value may be missing.
    """
    parts = [pa.scalar(prefix, pa.binary())] if prefix else []
    for column in columns:
        parts += _value(column)
    return pc.binary_join_element_wise(*parts, b"")


def copy_stream(table: pa.Table) -> Iterator[bytes]:
    """A table as the chunks of one COPY ... (FORMAT binary)."""
    prefix = struct.pack(">h", table.num_columns)
    yield HEADER
    for start in range(0, len(table), _SLICE_ROWS):
        piece = table.slice(start, _SLICE_ROWS).combine_chunks()
        body = rows([whole(column) for column in piece.columns], prefix)
        yield pc.binary_join(pa.ListArray.from_arrays([0, len(body)], body), b"")[0].as_py()
    yield TRAILER


def integers(stream: bytes | bytearray) -> NDArray[np.int64]:
    """The one bigint column of a COPY ... TO STDOUT (FORMAT binary): int64[n], none of it missing."""
    row = np.dtype([("columns", ">i2"), ("length", ">i4"), ("value", ">i8")])
    found: NDArray[np.int64] = np.frombuffer(stream[len(HEADER) : -len(TRAILER)], row)["value"].astype(np.int64)
    return found


def points(lonlat: NDArray[np.float64]) -> pa.Array:
    """EWKB in EPSG:4326 of each point of float64[n, 2], lon-lat degrees."""
    wkb = np.empty(len(lonlat), POINT)
    wkb["order"], wkb["type"], wkb["srid"] = 1, 0x20000001, 4326
    wkb["lon"], wkb["lat"] = lonlat[:, 0], lonlat[:, 1]
    return _fixed(wkb)


def jsonb(texts: pa.StringArray) -> pa.Array:
    """JSON texts as PostgreSQL's binary form of jsonb: a version and the text."""
    return pc.binary_join_element_wise(pa.scalar(b"\x01", pa.binary()), texts.cast(pa.binary()), b"")


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _value(column: pa.Array) -> list[pa.Array]:
    missing = np.asarray(column.is_null())
    if column.type in _FIXED:
        dtype = np.dtype(_FIXED[column.type][0])
        numbers = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
        values = np.asarray(numbers.fill_null(False if pa.types.is_boolean(column.type) else 0))
        if pa.types.is_timestamp(column.type):
            values = values - _EPOCH_US
        body = _fixed(values.astype(dtype))
        lengths = np.full(len(column), dtype.itemsize, ">i4")
    else:
        body = column.cast(pa.binary())
        lengths = np.asarray(pc.binary_length(body).fill_null(0)).astype(">i4")
    if missing.any():
        lengths[missing] = -1
        body = pc.if_else(column.is_null(), pa.scalar(b"", pa.binary()), body)
    return [_fixed(lengths), body]


def _fixed(values: NDArray[np.generic]) -> pa.Array:
    """Each item of a one-dimensional array as its bytes, without a copy."""
    data = np.ascontiguousarray(values)
    size = data.dtype.itemsize
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(size), len(data), [None, pa.py_buffer(data.view("u1"))]
    ).cast(pa.binary())
