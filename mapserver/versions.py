"""Which version of each layer this process knows, and which one URLs name.

What is known follows the outbox within moments. What URLs name follows at most every HOLD_S, or ten events a
second would have every screen fetch every tile ten times a second. The processes of one machine share a clock that
counts from its start, and so they name the same.
"""

import asyncio
import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from layers.catalog.city import City
from layers.catalog.registry import LAYERS
from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import HeatNotReady, HeatStoreError
from layers.heat.engine import Engine
from layers.heat.public import LAYER as RELEASED
from layers.query import version
from mapserver.build import fingerprint

HOLD_S = 5.0
"""URLs name another version at most that often."""

CONFIRMED_S = 12.0
"""What is known counts as current that long after the database confirmed it; it is asked every five seconds."""

HEAT = "heat"
"""What the exact counts of heat are known as; the published product is a layer."""

_BINS = timedelta(minutes=15)  # bins become public at a midnight, in whatever time zone
_EVERYTHING = Audience(Role.ADMIN)


class Line:
    """The versions of one subject in their order, each a text that is never used again for another."""

    def __init__(self, policy: str) -> None:
        self.newest = ""
        self.named = ""
        self._policy = policy
        self._since = -1
        self._next: str | None = None
        self._tags: dict[Audience, str] = {}
        self._earlier: dict[Audience, str] = {}

    def note(self, stamp: str, now_s: float) -> None:
        """Learn of a version."""
        if stamp == self.newest:
            return
        self.settle(now_s)
        first, self.newest = not self.newest, stamp
        if first:
            self.named = stamp  # it is no change, and holds back none
        elif self._since < now_s // HOLD_S:
            self._name(stamp, int(now_s // HOLD_S))
        else:
            self._next = stamp

    def settle(self, now_s: float) -> None:
        """Let URLs name what was known when the last five seconds ended."""
        if self._next is not None and self._since < now_s // HOLD_S:
            self._name(self._next, self._since + 1)  # whenever it is asked for, or processes would differ

    def tag(self, audience: Audience) -> str:
        """The `v` of URLs for one audience."""
        self.settle(time.monotonic())
        found = self._tags.get(audience)
        if found is None:
            text = f"{self._policy} {audience.role.slug} {audience.area_id} {self.named}"
            found = self._tags[audience] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return found

    @property
    def number(self) -> int:
        """How often the subject had changed when it became what URLs name now."""
        self.settle(time.monotonic())
        return int(self.named.partition("@")[0] or 0)

    def had(self, tag: str, audience: Audience) -> bool:
        """Whether `tag` was the `v` of URLs just before: screens need a moment to take the present one."""
        return self._earlier.get(audience) == tag

    def _name(self, stamp: str, since: int) -> None:
        self.named, self._next = stamp, None
        self._since = since
        self._earlier, self._tags = self._tags, {}


@dataclass(frozen=True)
class _Turn:
    """When the clock alone changed a layer of version `of` last, and when it does next."""

    of: str
    last: datetime | None
    next: datetime | None


class Versions:
    """Versions of all layers, as far as this process knows them."""

    def __init__(self, db: Database, engine: Engine, city: City, clock: Clock) -> None:
        self._db = db
        self._engine = engine
        self._clock = clock
        self.policy = hashlib.blake2b(f"{fingerprint()} {city.model_dump_json()}".encode()).hexdigest()
        self._lines: dict[str, Line] = {}
        self._turns: dict[str, _Turn] = {}
        self._confirmed_s = float("-inf")
        self._known = asyncio.Event()

    @property
    def confirmed(self) -> bool:
        """Whether the database said lately that there is nothing newer."""
        return self.silent_s < CONFIRMED_S

    @property
    def silent_s(self) -> float:
        """Seconds since the database was last asked with success; without end where it never was."""
        return time.monotonic() - self._confirmed_s

    def line(self, subject: str) -> Line:
        """The versions of a layer, or of HEAT; without any before the first refresh."""
        found = self._lines.get(subject)
        if found is None:
            found = self._lines[subject] = Line(self.policy)
        return found

    def tag(self, subject: str, audience: Audience) -> str:
        """The `v` of URLs: a short hash of version, scope, policy and build."""
        return self.line(subject).tag(audience)

    async def known(self, within_s: float) -> None:
        """Wait for the first refresh, or for so many seconds: before it, URLs name nothing that lasts."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), within_s)

    async def refresh(self) -> None:
        """Ask the database for all versions.

        Raises
        ------
        Unavailable : it does not answer.
        """
        asked_s = time.monotonic()
        rows = await self._db.rows(_EVERYTHING, version.versions())
        now = self._clock.now()
        own = dict.fromkeys((*LAYERS, RELEASED), "0@") | {
            row["layer"]: f"{row['version']}@{row['changed_at'].timestamp()}" for row in rows
        }
        for name, layer in LAYERS.items():
            if layer.valid is not None or layer.turns:
                own[name] += f"~{await self._last_turn(name, own[name], now)}"
            if not layer.versioned:
                own[name] += f"~{time.time() // HOLD_S}"  # of the wall: disks outlast a boot
        own[RELEASED] += f"~{now.timestamp() // _BINS.total_seconds()}"
        own[HEAT] = f"{self._heat()}@{own['incidents']}"
        for name, stamp in own.items():
            # Scopes, codes and outlines come from the tree of areas, so every answer is of its version too.
            self.line(name).note(f"{stamp} {own['areas']}", asked_s)
        self._confirmed_s = asked_s
        self._known.set()

    async def _last_turn(self, name: str, stamp: str, now: datetime) -> datetime | None:
        """When the clock alone changed the layer last; asked for where that can have changed."""
        kept = self._turns.get(name)
        if kept is None or kept.of != stamp or (kept.next is not None and kept.next <= now):
            row = await self._db.row(_EVERYTHING, version.turns(LAYERS[name], now)) or {}
            kept = self._turns[name] = _Turn(stamp, row.get("last"), row.get("next"))
        return kept.last

    def _heat(self) -> int:
        try:
            return self._engine.state().seq
        except (HeatNotReady, HeatStoreError):
            return 0
