"""Comma-separated values with a header; the geometry is WKT."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from layers.query.table import Column, Table
from mapserver.formats.batches import Batches
from mapserver.negotiate import csv_bytes


async def lines(table: Table, batches: Batches) -> AsyncGenerator[bytes]:
    """The rows a batch at a time, the header with the first of them."""
    header: list[str] | None = [*(column.name for column in table.columns), "geometry"]
    async for rows in batches:
        yield csv_bytes(header, _cells(table.columns, rows))
        header = None
    if header:
        yield csv_bytes(header, ())


def _cells(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    told = [place for place, column in enumerate(columns) if column.kind == "bool"]
    for row in rows:
        cells = list(row[: len(columns) + 1])
        for place in told:
            cells[place] = None if cells[place] is None else str(cells[place]).lower()
        yield cells
