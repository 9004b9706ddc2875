"""Rows of whole numbers from PostgreSQL as one array, by its binary COPY: nothing is parsed value by value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import DictRow

_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_SIZES = {"smallint": 2, "integer": 4, "bigint": 8}


def copied(
    connection: psycopg.Connection[DictRow],
    query: sql.Composable,
    given: Mapping[str, object],
    columns: Mapping[str, str],
) -> NDArray[np.void]:
    """A structured array with a field for each of the `columns`, in network byte order.

    Parameters
    ----------
    query : selects the columns in their order; none of their values is missing.
    columns : names, and what each is in SQL: smallint, integer or bigint.
    """
    row: list[tuple[str, Any]] = [("", ">i2")]
    casts = []
    for name, kind in columns.items():
        row += [(f"{name}_bytes", ">i4"), (name, f">i{_SIZES[kind]}")]
        casts.append(sql.SQL("{}::" + kind).format(sql.Identifier(name)))
    copy_all = sql.SQL("copy (select {} from ({}) given ({})) to stdout (format binary)").format(
        sql.SQL(", ").join(casts), query, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    stream = bytearray()
    with connection.cursor() as cursor, cursor.copy(copy_all, given) as copy:
        for piece in copy:
            stream += piece
    count = (len(stream) - _HEADER_BYTES - _TRAILER_BYTES) // np.dtype(row).itemsize
    found: NDArray[np.void] = np.frombuffer(stream, np.dtype(row), count, _HEADER_BYTES)
    return found
