"""GeoJSON text sequences (RFC 8142): one feature a line, each after a record separator."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import orjson

from layers.query.table import Column, Table
from mapserver.formats.batches import Batches

_SEPARATOR = b"\x1e"


async def lines(table: Table, batches: Batches) -> AsyncGenerator[bytes]:
    """Features as they come, a batch at a time."""
    async for rows in batches:
        yield b"".join(_line(table.columns, row) for row in rows)


def _line(columns: Sequence[Column], row: Sequence[Any]) -> bytes:
    properties = {
        column.name: orjson.Fragment(value) if column.kind == "json" and value is not None else value
        for column, value in zip(columns[1:], row[1:], strict=False)
    }
    feature = {
        "type": "Feature",
        "id": row[0],
        "geometry": orjson.Fragment(row[len(columns)]),
        "properties": properties,
    }
    return _SEPARATOR + orjson.dumps(feature, option=orjson.OPT_APPEND_NEWLINE)
