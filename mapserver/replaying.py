"""A server's clock follows the past that is replayed, if one is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from layers.core import replays
from layers.core.audience import PUBLIC
from layers.core.clock import Clock, ReplayClock
from layers.core.db import Database
from layers.core.errors import OnemapError

_LOOK_EVERY_S = 2.0


@asynccontextmanager
async def following(clock: Clock, db: Database) -> AsyncIterator[None]:
    """Have `clock` show what the database says is shown, from before the block begins until it ends."""
    if not isinstance(clock, ReplayClock):
        yield
        return
    await _look(clock, db)
    task = asyncio.create_task(_keep_looking(clock, db))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_looking(clock: ReplayClock, db: Database) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        await _look(clock, db)


async def _look(clock: ReplayClock, db: Database) -> None:
    """Without an answer it goes on as it went."""
    with contextlib.suppress(OnemapError, psycopg.Error):
        shown = replays.Replayed.of(await db.row(PUBLIC, replays.standing()))
        clock.replay = None if shown is None else shown.replay
