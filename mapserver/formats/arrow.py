"""Batches of rows as Arrow record batches with well-known binary."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from layers.query.table import Kind, Table

GEOMETRY = "geometry"

_TYPES: dict[Kind, pa.DataType] = {
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "instant": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "json": pa.json_(pa.string()),
}


def schema(table: Table, shape: dict[str, str] | None = None) -> pa.Schema:
    """Columns of the table, the geometry last; `shape` is what its field says of itself."""
    fields = [pa.field(column.name, _TYPES[column.kind]) for column in table.columns]
    return pa.schema([*fields, pa.field(GEOMETRY, pa.binary(), metadata=shape)])


def batches(schema: pa.Schema, found: Iterable[list[tuple[Any, ...]]]) -> Iterator[pa.RecordBatch]:
    """Record batches of the schema, one of each batch of rows; what a row has beyond it is left out."""
    for rows in found:
        columns = zip(*rows, strict=True)
        yield pa.record_batch(
            [pa.array(values, field.type) for field, values in zip(schema, columns, strict=False)], schema=schema
        )
