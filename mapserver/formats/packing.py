"""Files that a process of its own packs: rows go to it as they come from the database, bytes come back."""

import asyncio
import pickle
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import cast

from layers.core.errors import Unavailable
from mapserver.formats.batches import Batches, Rows

MOST = 4
"""Processes at a time; each takes a hundred megabytes, and whatever a core has left."""

WAIT_S = 10.0
"""So long a file waits for its turn."""

_CHUNK_BYTES = 1 << 17
_turns = asyncio.Semaphore(MOST)


async def _packed(name: str, table: object, batches: Batches) -> AsyncGenerator[bytes]:
    """The file; when nobody wants it any more the process ends.

    Raises
    ------
    Unavailable : as many files as may be are being packed, or the process failed; why is in the log.
    """
    async with _turn():
        first: Rows = await anext(batches, [])  # a database that does not answer needs no process
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "mapserver.formats.pack", name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        to, back = cast("asyncio.StreamWriter", process.stdin), cast("asyncio.StreamReader", process.stdout)
        feeding = asyncio.create_task(_feed(to, table, first, batches))
        try:
            while chunk := await back.read(_CHUNK_BYTES):
                yield chunk
            await feeding
            if await process.wait():
                raise Unavailable(f"the file could not be written as {name}", retry_after_s=60)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WAIT_S):
            await _turns.acquire()
    except TimeoutError as exc:
        raise Unavailable(f"{MOST} files are being packed, as many as may be", retry_after_s=10) from exc
    try:
        yield
    finally:
        _turns.release()


async def _feed(to: asyncio.StreamWriter, table: object, first: Rows, batches: Batches) -> None:
    """Hand over all rows, no faster than they are taken; a process that has failed takes none.

    Where there is no end to them, because the database fails, the process gets none and ends.
    """
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            to.write(pickle.dumps(table))
            if first:
                to.write(pickle.dumps(first))
            async for rows in batches:
                to.write(pickle.dumps(rows))
                await to.drain()
            to.write(pickle.dumps(None))
            await to.drain()
    finally:
        to.close()


flatgeobuf = partial(_packed, "fgb")
geoparquet = partial(_packed, "parquet")
xlsx = partial(_packed, "xlsx")
