"""One moment of the database, seen by every statement of a transaction, and by other connections that join it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import DictRow

from layers.core.db import connect

Connection = psycopg.Connection[DictRow]


@contextmanager
def one_moment(connection: Connection) -> Iterator[None]:
    """A transaction in which every statement sees the same; the connection is in none yet."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        yield


def share(connection: Connection) -> str:
    """Name of the moment of the connection's transaction, to join as long as that goes on."""
    found = connection.execute("select pg_export_snapshot() as name").fetchone() or {}
    return str(found["name"])


def join(url: str, moment: str) -> Connection:
    """A connection whose transaction sees a moment that another one shares.

    Raises
    ------
    Unavailable : nothing answers at `url`.
    """
    connection = connect(url)
    try:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute(sql.SQL("set transaction snapshot {}").format(moment))
    except psycopg.Error:
        connection.close()
        raise
    return connection
