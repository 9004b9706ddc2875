"""Answers that are kept: as long as what they tell of does not change, and longer where the database is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response

from layers.core.audience import Audience, Role
from layers.core.errors import Unavailable
from mapserver.cache.disk import Disk
from mapserver.cache.entry import HIT, MISS, STALE, Entry, Made
from mapserver.cache.memory import Memory
from mapserver.cache.question import asked
from mapserver.metrics import Metrics
from mapserver.versions import Line, Versions

SOFT_S = 1.0
"""So long a caller waits for a new answer where there is an old one."""

STALE_S = 86_400.0
"""So long an old answer is shown while the database says nothing."""

_IN_LINE_BYTES = 100_000
"""More is compressed in a thread."""

_MOST_FACTS = 1000

T = TypeVar("T")

Make = Callable[[], Awaitable[Made]]


class Cache:
    """The answers that one server process keeps.

    An answer is kept by what was asked and who asked, together with the version that it is of. Of one question
    there is one answer: a newer one replaces it, and until there is one the old one may be shown with its age.
    """

    def __init__(self, versions: Versions, metrics: Metrics, disk: Disk, most_bytes: int) -> None:
        self.memory = Memory(most_bytes)
        self.versions = versions
        self._metrics = metrics
        self._disk = disk
        self._flights: dict[tuple[str, str], asyncio.Task[Entry]] = {}
        self._facts: dict[tuple[Audience, str, str], tuple[str, object]] = {}

    async def answer(
        self,
        request: Request,
        audience: Audience,
        subject: str,
        make: Make,
        pay: Callable[[], None],
        form: str = "",
    ) -> Response:
        """The kept answer to a request, or the one that `make` makes; 304 where the caller has it.

        Parameters
        ----------
        subject : the layer whose version the answer is of.
        make : its errors are the callers', all of those who wait for it.
        pay : called where something has to be made for this caller.
        form : whatever the answer depends on beside URL and audience.

        Raises
        ------
        Unavailable : the database does not answer, and there is no old answer either.
        """
        key, version = asked(request.scope, audience, form)
        line = self.versions.line(subject)
        named = version is not None and version == line.tag(audience)
        # A version that was never named here may be one that another process knows already: nothing kept is it.
        unknown = version if version is not None and not named and not line.had(version, audience) else None
        entry = self.memory.get(key) or await self._recalled(key, line, audience)
        if entry is not None and min(entry.age_s, self.versions.silent_s) > STALE_S:
            entry = None
        if entry is not None and unknown is None and entry.holds(named=named):
            state = HIT if self.versions.confirmed else STALE
            return await self._reply(request, key, entry, state, named=named)
        wanted = unknown or (line.named if named else line.newest)
        flight, state = self._flights.get((key, wanted)), HIT
        if flight is None:
            pay()
            route = request.scope["route"].path
            making = self._made(key, route, line, audience, make, keep=unknown is None)
            flight, state = self._begun((key, wanted), making), MISS
        entry, in_time = await _landed(flight, entry)
        return await self._reply(request, key, entry, state if in_time else STALE, named=named)

    async def fact(self, audience: Audience, subject: str, what: str, find: Callable[[], Awaitable[T]]) -> T:
        """What `find` finds out of a layer, asked for again when the layer has another version.

        Parameters
        ----------
        what : names it among the facts of that layer.
        """
        key, stamp = (audience, subject, what), self.versions.line(subject).newest
        kept = self._facts.get(key)
        if kept is not None and kept[0] == stamp and stamp:
            return cast("T", kept[1])
        found = await find()
        if len(self._facts) >= _MOST_FACTS:
            self._facts.clear()
        self._facts[key] = (stamp, found)
        return found

    def _begun(self, at: tuple[str, str], making: Coroutine[None, None, Entry]) -> asyncio.Task[Entry]:
        """One making for all who wait; it goes on where nobody does."""
        flight = self._flights[at] = asyncio.create_task(making)

        def over(flight: asyncio.Task[Entry]) -> None:
            del self._flights[at]
            if not flight.cancelled():
                flight.exception()  # it was told to those who waited, if any did

        flight.add_done_callback(over)
        return flight

    async def _made(
        self, key: str, route: str, line: Line, audience: Audience, make: Make, *, keep: bool
    ) -> Entry:
        if not line.newest:
            await self.versions.refresh()
        # Read before anything is asked: what comes may be newer, but not older.
        stamp, named = line.newest, line.named
        made = await make()
        entry = Entry(made, route, stamp, named, time.time(), line, public=audience.role is Role.PUBLIC)
        if keep:
            self.memory.put(key, entry)
            self._disk.write(self._on_disk(key), entry.record(), made.content or b"")
        return entry

    async def _recalled(self, key: str, line: Line, audience: Audience) -> Entry | None:
        """An answer from the disk, from now on in memory."""
        if self._on_disk(key) not in self._disk:
            return None
        found = await asyncio.to_thread(self._disk.read, self._on_disk(key))
        if found is None:
            return None
        entry = Entry.of(*found, line, public=audience.role is Role.PUBLIC)
        self.memory.put(key, entry)
        return entry

    def _on_disk(self, key: str) -> str:
        """What other code made, or was made of other categories, is never shown, not even as an old answer."""
        return f"{self.versions.policy} {key}"

    async def _reply(self, request: Request, key: str, entry: Entry, state: str, *, named: bool) -> Response:
        headers = dict(request.scope["headers"])
        coding = entry.coding_for(headers.get(b"accept-encoding", b""))
        if coding not in entry.coded:
            await self._encode(key, entry, coding)
        status, head, body = entry.reply(coding, headers.get(b"if-none-match"), state, named=named)
        self._metrics.cached(state, len(body))
        self._metrics.cache_bytes.set(self.memory.bytes)
        answer = Response(body, status)
        answer.raw_headers = list(head)
        return answer

    async def _encode(self, key: str, entry: Entry, coding: str) -> None:
        """Bytes in one more coding; of all who wait for them one does the work."""
        async with entry.encoding:
            if coding in entry.coded:
                return
            if entry.size > _IN_LINE_BYTES:
                encoded = await asyncio.to_thread(entry.encoded, coding)
            else:
                encoded = entry.encoded(coding)
            self.memory.add_coding(key, entry, coding, encoded)


async def _landed(flight: asyncio.Task[Entry], old: Entry | None) -> tuple[Entry, bool]:
    """The new answer and true; where there is an old one and the new one takes too long, the old one and false."""
    if old is None:
        return await asyncio.shield(flight), True
    await asyncio.wait({flight}, timeout=SOFT_S)
    with suppress(Unavailable):
        if flight.done():
            return flight.result(), True
    return old, False
