"""One screen that follows the live events."""

import asyncio
from collections.abc import Callable

from layers.core.audience import Audience
from mapserver.event import message

BUFFER = 1 << 20
"""Bytes that may wait for one screen; one that reads more slowly is dropped, and comes back by itself."""

_FAREWELL_S = 0.5


class Follower:
    """Who it is, what it knows already, and what waits to be sent to it.

    after : seq of the last event that it knows; what is told again up to there is left out.
    """

    def __init__(self, audience: Audience, token: str | None, after: int) -> None:
        self.audience = audience
        self.token = token
        self.after = after
        self.ended = False
        self._waiting = bytearray()
        self._ready = asyncio.Event()
        self._stop: Callable[[], object] | None = None

    def cut_by(self, stop: Callable[[], object]) -> None:
        """Have `stop` called some time after the end: one that does not read would be waited for."""
        self._stop = stop

    def offer(self, text: bytes) -> bool:
        """Add to what waits; false where too much waits already."""
        if len(self._waiting) + len(text) > BUFFER:
            return False
        self._waiting += text
        self._ready.set()
        return True

    def open(self, text: bytes) -> None:
        """Put `text` before everything that waits."""
        self._waiting[:0] = text
        self._ready.set()

    def restart(self, after: int) -> None:
        """Forget what waits, and have the screen ask for everything again."""
        self.after = after
        self._waiting.clear()
        self.offer(message("reset", {}, after))

    def end(self) -> None:
        """Have its stream end once the rest is sent."""
        if not self.ended:
            self.ended = True
            self._ready.set()
            asyncio.get_running_loop().call_later(_FAREWELL_S, self._cut)

    def _cut(self) -> None:
        if self._stop is not None:
            self._stop()

    async def next(self) -> bytes:
        """All that waits, as soon as something does; empty at the end."""
        while not self._waiting and not self.ended:
            self._ready.clear()
            await self._ready.wait()
        text = bytes(self._waiting)
        self._waiting.clear()
        return text
