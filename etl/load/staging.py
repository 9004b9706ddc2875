"""Rows on their way into the database: binary COPY into tables of this transaction alone."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import DictRow

from etl.binary import copy_stream, sql_type

Connection = psycopg.Connection[DictRow]


@dataclass(frozen=True)
class Merged:
    """What a merge did: counts as in Account."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    superseded: int = 0


def create(
    connection: Connection, name: str, schema: pa.Schema, *, geometry: frozenset[str] = frozenset()
) -> None:
    """Make the temporary table `name` with the columns of `schema`; those of `geometry` hold EWKB."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(column.name),
            sql.SQL("geometry") if column.name in geometry else sql.SQL(sql_type(column.type)),
        )
        for column in schema
    )
    connection.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(name), columns)
    )


def append(connection: Connection, name: str, chunks: Iterable[bytes]) -> None:
    """Add rows to a staged table; `chunks` are those of one binary COPY with its columns."""
    with connection.cursor() as cursor, cursor.copy(_copy(name)) as copy:
        for chunk in chunks:
            copy.write(chunk)


def counted(
    connection: Connection, name: str, schema: pa.Schema, *, geometry: frozenset[str] = frozenset()
) -> None:
    """Tell the planner what a filled table holds; of a geometry that would take long and help nobody."""
    plain = [sql.Identifier(column) for column in schema.names if column not in geometry]
    connection.execute(sql.SQL("analyze {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(plain)))


def stage(connection: Connection, name: str, table: pa.Table, *, geometry: frozenset[str] = frozenset()) -> None:
    """Make the temporary table `name` with the rows of `table`."""
    create(connection, name, table.schema, geometry=geometry)
    append(connection, name, copy_stream(table))
    counted(connection, name, table.schema, geometry=geometry)


def _copy(name: str) -> sql.Composed:
    return sql.SQL("copy {} from stdin (format binary)").format(sql.Identifier(name))
