"""Rows on their way into the database: one binary COPY into a table of this transaction alone."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import DictRow

from etl.binary import copy_stream, sql_type

Connection = psycopg.Connection[DictRow]

Landed = Callable[[str, float], None]
"""Hears what is being done, and the share of the landing (0 to 1) that is done."""


@dataclass(frozen=True)
class Merged:
    """What a merge did: counts as in Account."""

    inserted: int
    updated: int
    deleted: int


def stage(
    connection: Connection,
    name: str,
    table: pa.Table,
    *,
    geometry: frozenset[str] = frozenset(),
    on_rows: Callable[[int], None] = lambda _: None,
) -> None:
    """Make the temporary table `name` with the columns of `table` and fill it.

    The columns of `geometry` hold EWKB. `on_rows` hears the number of rows sent so far.
    """
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(column.name),
            sql.SQL("geometry") if column.name in geometry else sql.SQL(sql_type(column.type)),
        )
        for column in table.schema
    )
    target = sql.Identifier(name)
    connection.execute(sql.SQL("create temporary table {} ({}) on commit drop").format(target, columns))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} from stdin (format binary)").format(target)) as copy,
    ):
        for chunk, sent in copy_stream(table):
            copy.write(chunk)
            on_rows(sent)
    plain = [sql.Identifier(name) for name in table.column_names if name not in geometry]
    connection.execute(sql.SQL("analyze {} ({})").format(target, sql.SQL(", ").join(plain)))
