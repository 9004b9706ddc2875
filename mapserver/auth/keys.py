"""From a token to its audience, on every request: one indexed look-up, kept for a few seconds."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
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


class Keys:
    """The tokens as one server process knows them.

    Its clock is the wall's, also where the rest of the server replays a past: a token ends in real time.
    """

    def __init__(self, db: Database, home: Path, clock: Clock = Clock()) -> None:
        self._db = db
        self._home = home
        self._clock = clock
        self._asked: dict[bytes, _Asked] = {}

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
        found = await self._answer(digest(token, self._pepper)) if is_token(token) else None
        if found is None or not self._is_live(found):
            raise Unauthenticated("the token is unknown, expired or revoked")
        return found

    def fresh(self, token: str) -> Grant | None:
        """What `token` gives, without waiting; none where it gives nothing, or has to be looked up."""
        asked = self._asked.get(digest(token, self._pepper)) if is_token(token) else None
        if asked is None or asked.at + FRESH_S < time.monotonic() or not asked.answer.done():
            return None
        found = None if asked.answer.cancelled() or asked.answer.exception() else asked.answer.result()
        return found if found is not None and self._is_live(found) else None

    def _is_live(self, found: Grant) -> bool:
        return found.expires_at is None or found.expires_at > self._clock.now()

    async def _answer(self, key: bytes) -> Grant | None:
        asked = self._asked.get(key)
        if asked is None or asked.at + FRESH_S < time.monotonic():
            # One look-up for all who wait: a screen asks for thirty tiles at once.
            asked = _Asked(time.monotonic(), asyncio.create_task(self._look_up(key)))
            self._asked.pop(key, None)
            self._asked[key] = asked
            if len(self._asked) > _KEPT:
                del self._asked[next(iter(self._asked))]
        try:
            return await asyncio.shield(asked.answer)
        except Unavailable:
            if self._asked.get(key) is asked:
                del self._asked[key]
            raise

    async def _look_up(self, key: bytes) -> Grant | None:
        row = await self._db.row(
            PUBLIC,
            Statement("select audience, area_id, expires_at from onemap.token_of(%(digest)s)", {"digest": key}),
        )
        if row is None:
            return None
        return Grant(Audience(Role[row["audience"].upper()], row["area_id"]), row["expires_at"])
