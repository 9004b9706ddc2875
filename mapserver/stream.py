"""An answer that lasts: Server-Sent Events to one screen until either side ends it."""

import asyncio
from contextlib import AbstractAsyncContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mapserver.follower import Follower
from mapserver.leaving import while_there

_RETRY = b"retry: 2000\n\n"


class EventStream(Response):
    """Sends what waits for a follower; it is enrolled when the answer begins and leaves when it ends."""

    media_type = "text/event-stream"

    def __init__(self, following: AbstractAsyncContextManager[Follower]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._following = following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer until the screen is gone or the hub ends it; one that does not read is left, not waited for."""
        async with self._following as follower:
            writing = asyncio.create_task(self._write(follower, send))
            follower.cut_by(writing.cancel)
            await while_there(receive, writing)

    async def _write(self, follower: Follower, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        text = _RETRY + await follower.next()
        while text:
            await send({"type": "http.response.body", "body": text, "more_body": True})
            text = await follower.next()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
