"""Rows on their way into the database: binary COPY into tables of this transaction alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import DictRow

from etl.binary import copy_stream, sql_type

PLAIN: Mapping[str, str] = {}

Connection = psycopg.Connection[DictRow]


@dataclass(frozen=True)
class Merged:
    """What a merge did: counts as in Account."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    superseded: int = 0


def create(connection: Connection, name: str, schema: pa.Schema, types: Mapping[str, str] = PLAIN) -> None:
    """Make the temporary table `name` with the columns of `schema`; `types` are of those that are not plain."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(column.name), sql.SQL(types.get(column.name) or sql_type(column.type))
        )
        for column in schema
    )
    connection.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(name), columns)
    )


def append(connection: Connection, name: str, chunks: Iterable[bytes], columns: Sequence[str] = ()) -> None:
    """Add rows to a table; `chunks` are those of one binary COPY with its columns, or with the `columns` named."""
    named = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    statement = sql.SQL("copy {} {} from stdin (format binary)").format(sql.Identifier(*name.split(".")), named)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            copy.write(chunk)


def counted(connection: Connection, name: str, columns: Sequence[str]) -> None:
    """Tell the planner what the `columns` of a filled table hold, which are those that it is joined by."""
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    connection.execute(sql.SQL("analyze {} ({})").format(sql.Identifier(name), listed))


def stage(connection: Connection, name: str, table: pa.Table, types: Mapping[str, str] = PLAIN) -> None:
    """Make the temporary table `name` with the rows of `table`."""
    create(connection, name, table.schema, types)
    append(connection, name, copy_stream(table))
    counted(connection, name, [column for column in table.column_names if column not in types])
