"""The database as the rest sees it: transactions that know their audience, and never wait for ever.

Every transaction runs as a role without BYPASSRLS, with the audience's area scope set for the transaction
alone; so a query that forgets to filter still returns nothing that the audience may not see.
"""

import asyncio
import select
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from layers.core.audience import Audience
from layers.core.errors import BadValue, Unavailable
from layers.core.statement import Statement

_ENTER = """select set_config('role', %(role)s, true), set_config('onemap.area_id', %(area)s, true),
set_config('statement_timeout', %(timeout)s, true), set_config('TimeZone', 'UTC', true),
set_config('plan_cache_mode', 'force_custom_plan', true)"""
"""A plan for any values at all would look things up row by row where thousands come, and take twice to four times
as long as one for these values does with its planning."""

_STREAM = "select set_config('cursor_tuple_fraction', '1', true)"  # a plan for all rows, not for the first ones

_STREAM_S = 600.0
"""Longest time that a stream of rows takes with all that its reader does in between."""

_CANCEL_S = 0.5
"""So long a server has to cancel a statement that took too long."""

_NO_PLACE = "transform: "
"""So PostGIS begins what it says of a point that a system has no place for."""

_FOR_EVER_S = 10 * 365 * 86400.0


def connect(url: str) -> psycopg.Connection[DictRow]:
    """One plain connection as the owner, for loaders, migrations and the command line.

    Raises
    ------
    Unavailable : nothing answers at `url`.
    """
    try:
        return psycopg.connect(url, row_factory=dict_row)
    except psycopg.OperationalError as exc:
        raise Unavailable(f"the database does not answer: {exc}") from exc


@asynccontextmanager
async def _until(end: float) -> AsyncIterator[None]:
    """Raise TimeoutError where the block lasts beyond `end`, a time of the running loop, a moment later at most.

    At the end psycopg asks the server to cancel the statement and waits ten seconds for it. One that hangs does
    not answer; a second interruption, a moment later, has psycopg close the connection instead.
    """
    async with asyncio.timeout_at(end + _CANCEL_S), asyncio.timeout_at(end):
        yield


@contextmanager
def _answering() -> Iterator[None]:
    """Say of a database that fails its caller what callers know."""
    try:
        yield
    except (TimeoutError, PoolTimeout, TooManyRequests, psycopg.OperationalError) as exc:
        raise Unavailable("the database does not answer in time", retry_after_s=2) from exc
    except psycopg.errors.InternalError as exc:
        if str(exc).startswith(_NO_PLACE):  # PostGIS has no code of its own for it
            raise BadValue("crs: a geometry lies where that system does not hold", parameter="crs") from exc
        raise


async def _said_nothing(connection: psycopg.AsyncConnection[DictRow]) -> None:
    """Raise where the server has ended an idle connection; only one that said something is asked."""
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    if heard.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def _ask(connection: psycopg.AsyncConnection[DictRow], statement: Statement) -> psycopg.AsyncCursor[DictRow]:
    # As text, bytes would come as twice as many digits.
    return await connection.execute(statement.sql.encode(), statement.params, binary=True)


class Transaction:
    """One open read, already confined to its audience."""

    def __init__(self, connection: psycopg.AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def rows(self, statement: Statement) -> list[dict[str, Any]]:
        """All rows, each a dict by column name."""
        return await (await _ask(self._connection, statement)).fetchall()

    async def row(self, statement: Statement) -> dict[str, Any] | None:
        """The first row, or none."""
        return await (await _ask(self._connection, statement)).fetchone()

    async def value(self, statement: Statement) -> Any:
        """First column of the first row, or none."""
        return _first(await self.row(statement))


def _first(row: dict[str, Any] | None) -> Any:
    return next(iter(row.values())) if row else None


class Database:
    """An async pool of connections.

    A server that hangs defeats its own statement_timeout, so every transaction also has a limit on this side.
    """

    def __init__(self, url: str, *, pool_size: int = 8, timeout_s: float = 10.0) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._streams = asyncio.Semaphore(max(1, pool_size // 2))  # they last, and the other half is for the rest
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[DictRow]] = AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs={"row_factory": dict_row, "autocommit": True},  # transactions are begun by hand, see _enter
            min_size=1,
            max_size=pool_size,
            max_waiting=pool_size * 32,
            timeout=min(timeout_s / 2, 2.0),
            reconnect_timeout=_FOR_EVER_S,  # a pool that gives up stays dead after the server is back
            check=_said_nothing,
            open=False,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self, audience: Audience) -> AsyncIterator[Transaction]:
        """A transaction that sees what `audience` may see.

        Raises
        ------
        Unavailable : the database is gone, busy or hung beyond the time limit.
        """
        with _answering():
            end = asyncio.get_running_loop().time() + self._timeout_s
            async with _until(end), self._pool.connection() as connection:
                async with connection.pipeline():
                    await self._enter(connection, audience)
                yield Transaction(connection)

    async def stream(
        self, audience: Audience, statement: Statement, batch: int
    ) -> AsyncGenerator[list[tuple[Any, ...]]]:
        """All rows of one statement in batches, so that no more than one of them is ever held.

        The rows are of one moment. Close the generator to end the query. Each batch has the time limit of a
        transaction, and all of them together ten minutes.

        Raises
        ------
        Unavailable : the database is gone, busy or hung beyond a time limit, or has streams enough.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _STREAM_S

        def limit() -> AbstractAsyncContextManager[None]:
            return _until(min(until, loop.time() + self._timeout_s))

        with _answering():
            async with limit():
                await self._streams.acquire()
        held = AsyncExitStack()
        try:
            with _answering():
                async with limit():
                    connection = await held.enter_async_context(self._pool.connection())
                    async with connection.pipeline():
                        await self._enter(connection, audience)
                        await connection.execute(_STREAM)
                    cursor = connection.cursor("stream", row_factory=tuple_row)
                    await held.enter_async_context(cursor)
                    await cursor.execute(statement.sql.encode(), statement.params, binary=True)
            more = True
            while more:
                with _answering():
                    async with limit():
                        rows = await cursor.fetchmany(batch)
                more = len(rows) == batch
                if rows:
                    yield rows
        finally:
            self._streams.release()
            with _answering():
                async with asyncio.timeout(self._timeout_s):
                    await held.aclose()

    async def _enter(self, connection: psycopg.AsyncConnection[DictRow], audience: Audience) -> None:
        """Begin a transaction as the audience; in a pipeline nothing of what follows runs where this fails."""
        await connection.execute(b"begin")
        given = {
            "role": audience.policy.db_role,
            "area": "" if audience.area_id is None else str(audience.area_id),
            "timeout": str(int(self._timeout_s * 1000)),
        }
        await connection.execute(_ENTER, given)

    async def _alone(self, audience: Audience, statement: Statement) -> psycopg.AsyncCursor[DictRow]:
        """What one statement finds in a transaction of its own, in one exchange with the server."""
        with _answering():
            end = asyncio.get_running_loop().time() + self._timeout_s
            async with _until(end), self._pool.connection() as connection:
                async with connection.pipeline():
                    await self._enter(connection, audience)
                    cursor = await _ask(connection, statement)
                    await connection.execute(b"commit")
                return cursor

    async def rows(self, audience: Audience, statement: Statement) -> list[dict[str, Any]]:
        """All rows of one statement in a transaction of its own."""
        return await (await self._alone(audience, statement)).fetchall()

    async def row(self, audience: Audience, statement: Statement) -> dict[str, Any] | None:
        """The first row of one statement in a transaction of its own."""
        return await (await self._alone(audience, statement)).fetchone()

    async def value(self, audience: Audience, statement: Statement) -> Any:
        """First value of one statement in a transaction of its own."""
        return _first(await self.row(audience, statement))
