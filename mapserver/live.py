"""Live events from the outbox to every screen that follows, each screen seeing what its audience may see.

A process holds one LISTEN connection. A notification carries nothing; it wakes the hub, which reads the outbox
after the last event it told. So nothing is lost when the connection breaks: the hub also looks every few seconds.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from layers.core import events
from layers.core.audience import Audience, Role
from layers.core.clock import Clock, ReplayClock
from layers.core.db import Database
from layers.core.errors import Unauthenticated, Unavailable
from mapserver.auth.keys import Keys
from mapserver.build import BUILD
from mapserver.event import Event, message
from mapserver.follower import Follower
from mapserver.metrics import Metrics
from mapserver.versions import Versions

BEAT_S = 5.0
REPLAYED = 1000
"""Events that a returning screen is told at most; one that missed more has to ask for everything again."""

_POLL_S = 5.0
_RECHECK_S = 10.0
_PING_S = 30.0
_PATIENCE_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_CANCEL_AGAIN_S = 0.1
_BATCH = 200
_EVERYTHING = Audience(Role.ADMIN)
_SEQ = re.compile(r"[0-9]{1,18}")
_LISTEN = sql.SQL("listen {}").format(sql.Identifier(events.CHANNEL))

_log = logging.getLogger(__name__)


class Hub:
    """Reads the outbox once for all who follow."""

    def __init__(self, db: Database, keys: Keys, clock: Clock, metrics: Metrics, versions: Versions) -> None:
        self._db = db
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._versions = versions
        self._followers: set[Follower] = set()
        self._seq = 0
        self._begun = asyncio.Event()
        self._wake = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        rounds = (self._listen, self._tell_news, self._beat, self._recheck)
        self._tasks = [asyncio.create_task(_for_ever(one)) for one in rounds]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        # Again and again: psycopg waits by asyncio.wait_for, which before Python 3.12 may swallow a cancellation.
        while running := [task for task in self._tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_CANCEL_AGAIN_S)

    def close(self) -> None:
        """End every stream, now and from now on; a server that stops would else wait for them for ever."""
        self._closing = True
        for follower in self._followers:
            follower.end()

    @asynccontextmanager
    async def follow(self, audience: Audience, token: str | None, last: str | None) -> AsyncIterator[Follower]:
        """Follow from now on, or from the event after `last`, a browser's Last-Event-ID.

        Raises
        ------
        Unavailable : the database does not answer, so that nobody knows where "now" is.
        """
        try:
            # A browser that is refused once never comes back, and all of them come back when a server has started.
            async with asyncio.timeout(_PATIENCE_S):
                await self._begun.wait()
        except TimeoutError as exc:
            raise Unavailable("live events cannot be read from the database yet") from exc
        here = self._seq
        known = int(last) if last is not None and _SEQ.fullmatch(last) else None
        follower = Follower(audience, token, here if known is None else max(here, known))
        # Enrolled before the outbox is read: events after `here` come through the hub, those up to it by replay.
        self._followers.add(follower)
        self._metrics.live_clients.inc()
        try:
            hello = {**self._time(), "build": BUILD, "role": audience.role.slug}
            if last is None:
                follower.open(message("hello", hello, here))
            elif known is not None and (missed := await self._missed(known, here)) is not None:
                shown = (event.text(audience) for event in missed if event.visible_to(audience))
                follower.open(message("hello", hello, known) + b"".join(shown))
            else:
                follower.restart(self._seq)
                follower.open(message("hello", hello))
            if self._closing:
                follower.end()
            yield follower
        finally:
            self._followers.discard(follower)
            self._metrics.live_clients.dec()

    async def _missed(self, known: int, here: int) -> list[Event] | None:
        """Events after `known` up to `here`; none where the outbox cannot tell them all."""
        async with self._db.transaction(_EVERYTHING) as tx:
            bounds = await tx.row(events.bounds()) or {}
            rows = await tx.rows(events.since(known, REPLAYED + 1))
        newest = bounds["newest"] or here
        oldest = bounds["oldest"] or newest + 1
        if not oldest - 1 <= known <= newest or len(rows) > REPLAYED:
            return None
        return [Event.of(row) for row in rows if row["seq"] <= here]

    async def _listen(self) -> None:
        """Wake the hub at every notification, as long as the connection lasts."""
        connecting = psycopg.AsyncConnection.connect(
            self._db.url, autocommit=True, connect_timeout=int(_PATIENCE_S)
        )
        async with await connecting as connection:
            while True:
                async with asyncio.timeout(_PATIENCE_S):
                    await connection.execute(_LISTEN)  # again and again: a connection to a dead host shows so
                self._wake.set()  # there may be news from the time before
                async for _ in connection.notifies(timeout=_PING_S):
                    self._wake.set()

    async def _tell_news(self) -> None:
        """Tell everything after the last event told, and wait until there may be more."""
        self._wake.clear()
        bounds = await self._db.row(_EVERYTHING, events.bounds()) or {}
        newest = bounds["newest"]
        if not self._begun.is_set():
            self._seq = newest or 0
            self._begun.set()
        elif newest is not None and newest < self._seq:
            _log.warning("the outbox went back, as after a restore", extra={"from": self._seq, "to": newest})
            self._seq = newest
            for follower in self._followers:
                follower.restart(newest)
        more = True
        while more:
            rows = await self._db.rows(_EVERYTHING, events.since(self._seq, _BATCH))
            # Before the event is told: a screen asks for what is new at once.
            await self._versions.refresh()
            if rows:
                self._tell([Event.of(row) for row in rows])
            more = len(rows) == _BATCH  # else that was all; whatever came meanwhile has woken the hub again
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._wake.wait()

    def _tell(self, batch: Sequence[Event]) -> None:
        self._seq = batch[-1].seq
        for follower in self._followers:
            news = (event for event in batch if event.seq > follower.after)
            who = follower.audience
            text = b"".join(event.text(who) for event in news if event.visible_to(who))
            if text:
                self._give(follower, text)

    async def _beat(self) -> None:
        """Tell the time, and how far a screen is: one that may see little would else have much replayed."""
        await asyncio.sleep(BEAT_S)
        now = self._time()
        for follower in self._followers:
            self._give(follower, message("beat", now, max(self._seq, follower.after)))

    def _time(self) -> dict[str, Any]:
        """The instant shown, and how fast it runs where it is of a past."""
        replay = self._clock.replay if isinstance(self._clock, ReplayClock) else None
        return {"now": self._clock.now(), "replay": None if replay is None else replay.speed}

    def _give(self, follower: Follower, text: bytes) -> None:
        if not follower.ended and not follower.offer(text):
            self._metrics.live_dropped.inc()
            follower.end()

    async def _recheck(self) -> None:
        """End the streams of tokens that were revoked or have expired."""
        await asyncio.sleep(_RECHECK_S)
        for token in {follower.token for follower in self._followers if follower.token is not None}:
            try:
                await self._keys.grant(token)
            except Unauthenticated:
                for follower in self._followers:
                    if follower.token == token:
                        follower.end()


async def _for_ever(one_round: Callable[[], Awaitable[None]]) -> None:
    """Round after round; what fails is tried again ever more slowly: a hub that gave up would still look alive."""
    pause = _FIRST_PAUSE_S
    while True:
        begun = time.monotonic()
        try:
            await one_round()
        except (Unavailable, psycopg.Error, OSError) as exc:
            _log.warning("live: %s failed", one_round.__name__, extra={"reason": str(exc)})
        except Exception:  # noqa: BLE001 - whatever it is, the screens wait for the next round
            _log.exception("live: %s failed", one_round.__name__)
        else:
            continue
        if time.monotonic() - begun > _LONGEST_PAUSE_S:
            pause = _FIRST_PAUSE_S
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
