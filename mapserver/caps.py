"""How long any answer may be worked on before its first byte, and how many bytes it may have."""

import asyncio
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapserver.errors import problem

GRACE_S = 5.0
"""Beyond the time limit of one transaction: an answer may need several, and work of its own."""

MOST_BYTES = 100_000_000
"""Bytes of an answer that is made as a whole, before it is compressed."""

FILE_S, FILE_BYTES = 600.0, 4_000_000_000
"""The same of features and of the ledger as a file, which goes out as it is made and is not held."""

_AGAIN_S = 10
_FILES = re.compile(r"/collections/[^/]+/items|/ledger")


@dataclass(frozen=True)
class Cap:
    """Seconds to the first byte, and bytes in all; an answer that lasts, as live events do, has no last byte."""

    seconds: float
    most: int


class Capped:
    """Ends what takes too long or becomes too large: with a problem document, or by cutting the connection."""

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._whole = Cap(timeout_s + GRACE_S, MOST_BYTES)
        self._file = Cap(FILE_S, FILE_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and keep an eye on the answer."""
        if scope["type"] != "http" or scope["path"] == "/live":
            await self._app(scope, receive, send)
            return
        cap = self._file if _FILES.fullmatch(scope["path"]) else self._whole
        answer = _Answer(cap, scope, receive, send)
        try:
            async with asyncio.timeout(cap.seconds) as answer.limit:
                await self._app(scope, receive, answer.send)
        except TimeoutError:
            if answer.started or not answer.expired:
                raise
            late = "the answer took too long: ask for less, or later"
            await problem(503, "unavailable", late, headers={"Retry-After": str(_AGAIN_S)})(scope, receive, send)


class _Answer:
    """One answer on its way."""

    def __init__(self, cap: Cap, scope: Scope, receive: Receive, send: Send) -> None:
        self.started = False
        self.limit: asyncio.Timeout | None = None
        self._cap = cap
        self._asked = scope, receive, send
        self._send = send
        self._bytes = 0
        self._refused = False

    @property
    def expired(self) -> bool:
        """Whether it is its own limit that it has met."""
        return self.limit is not None and self.limit.expired()

    async def send(self, message: Message) -> None:
        """Let a part pass, unless it is too much."""
        if message["type"] == "http.response.start":
            self.started = True
            if self.limit is not None:
                self.limit.reschedule(None)
            if int(Headers(raw=message["headers"]).get("content-length", "0")) > self._cap.most:
                self._refused = True
                most = self._cap.most
                large = f"the answer would be of more than {most:,} bytes: ask for less"
                await problem(400, "too-large", large, {"most": most})(*self._asked)
                return
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._cap.most and not self._refused:
            raise ConnectionAbortedError(f"an answer became longer than {self._cap.most:,} bytes")
        if not self._refused:
            await self._send(message)
