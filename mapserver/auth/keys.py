"""From a token to its audience, on every request: one indexed look-up, kept for a few seconds."""

import asyncio
import math
import time
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

from layers.core.audience import PUBLIC, Audience, Role
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import Unauthenticated, Unavailable
from layers.core.statement import Statement
from mapserver.auth.pepper import pepper
from mapserver.auth.tokens import digest, is_token

FRESH_S = 5.0
"""A revocation takes effect within this time."""

GRACE_S = 600.0
"""So long a token that was good stays good while the database does not answer: walls must not go blank."""

SOFT_S = 0.5
"""So long the database is waited for where there is such an earlier answer."""

_KEPT = 4096  # look-ups; strangers' guesses must not fill the memory


@dataclass(frozen=True)
class Grant:
    """What a live token gives, and until when."""

    audience: Audience
    expires_at: datetime | None


@dataclass(frozen=True)
class _Asked:
    at: float
    answer: asyncio.Task[Grant | None]
    earlier: Grant | None = None
    earlier_at: float = -math.inf

    def known(self) -> tuple[Grant | None, float]:
        """What was answered last, and when that was asked."""
        if self.answer.done() and not self.answer.cancelled() and self.answer.exception() is None:
            return self.answer.result(), self.at
        return self.earlier, self.earlier_at


class Keys:
    """The tokens as one server process knows them.

    Its clock is the wall's, also where the rest of the server replays a past: a token ends in real time.
    """

    def __init__(self, db: Database, home: Path, clock: Clock = Clock()) -> None:
        self._db = db
        self._home = home
        self._clock = clock
        self._asked: dict[bytes, _Asked] = {}
        self._digest = lru_cache(maxsize=_KEPT)(lambda token: digest(token, self._pepper))

    @cached_property
    def _pepper(self) -> bytes:
        return pepper(self._home)

    async def grant(self, token: str) -> Grant:
        """What `token` gives.

        Raises
        ------
        Unauthenticated : it is unknown, expired or revoked.
        Unavailable : the database does not answer, and no answer of the last seconds is kept.
        """
        found = await self._answer(self._digest(token)) if is_token(token) else None
        if found is None or not self._is_live(found):
            raise Unauthenticated("the token is unknown, expired or revoked")
        return found

    def fresh(self, token: str) -> Grant | None:
        """What `token` gives, without waiting; none where it gives nothing, or has to be looked up."""
        asked = self._asked.get(self._digest(token))
        if asked is None:
            return None
        found, at = asked.known()
        return found if found is not None and at + FRESH_S > time.monotonic() and self._is_live(found) else None

    def _is_live(self, found: Grant) -> bool:
        return found.expires_at is None or found.expires_at > self._clock.now()

    async def _answer(self, key: bytes) -> Grant | None:
        asked = self._asked.get(key)
        if asked is None or asked.at + FRESH_S < time.monotonic():
            # One look-up for all who wait: a screen asks for thirty tiles at once.
            looking = asyncio.create_task(self._look_up(key))
            asked = _Asked(time.monotonic(), looking, *(asked.known() if asked else (None, -math.inf)))
            looking.add_done_callback(_looked_at)
            self._asked.pop(key, None)
            self._asked[key] = asked
            if len(self._asked) > _KEPT:
                del self._asked[next(iter(self._asked))]
        graced = asked.earlier is not None and asked.earlier_at + GRACE_S > time.monotonic()
        await asyncio.wait({asked.answer}, timeout=SOFT_S if graced else None)
        if not asked.answer.done():
            return asked.earlier
        try:
            return asked.answer.result()
        except Unavailable:
            if self._asked.get(key) is asked:  # the next one asks again
                self._asked[key] = replace(asked, at=-math.inf)
            if graced:
                return asked.earlier
            raise

    async def _look_up(self, key: bytes) -> Grant | None:
        row = await self._db.row(
            PUBLIC,
            Statement("select audience, area_id, expires_at from onemap.token_of(%(digest)s)", {"digest": key}),
        )
        if row is None:
            return None
        return Grant(Audience(Role[row["audience"].upper()], row["area_id"]), row["expires_at"])


def _looked_at(looking: asyncio.Task[Grant | None]) -> None:
    """Nobody may be waiting any more; what went wrong was told to those who did."""
    if not looking.cancelled():
        looking.exception()
