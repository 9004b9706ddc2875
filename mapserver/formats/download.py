"""The answer that a whole selection is: it goes out as it is made, and is not made on when nobody takes it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mapserver.formats.batches import Batches
from mapserver.leaving import while_there
from mapserver.methods import HEAD_ONLY

STALL_S = 30.0
"""A client that takes nothing for so long is gone; the database waits for it meanwhile."""

_T = TypeVar("_T")


class Download(Response):
    """Sends what `write` makes of the batches. What fails before the first bytes is a problem document as ever."""

    def __init__(
        self, write: Callable[[_T, Batches], AsyncGenerator[bytes]], table: _T, batches: Batches, media_type: str
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._write = partial(write, table)
        self._batches = batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until all is sent, or the client is gone.

        An answer that breaks off raises, and so the server cuts the connection: nobody takes it for a whole one.
        """
        sending = asyncio.create_task(self._send_head(send) if HEAD_ONLY in scope else self._send(send))
        if await while_there(receive, sending):
            sending.result()

    async def _send_head(self, send: Send) -> None:
        """The head alone, without asking for a single batch: of some formats the first part is made last."""
        async with aclosing(self._batches):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _part(send, b"")

    async def _send(self, send: Send) -> None:
        async with aclosing(self._batches), aclosing(self._write(self._batches)) as chunks:
            first = await anext(chunks, b"")
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _part(send, first)
            async for chunk in chunks:
                await _part(send, chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _part(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(STALL_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
