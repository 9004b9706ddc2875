"""Live events to many screens of one server process: how late the last screen hears, and what a screen costs.

Events are written at a steady rate, one a transaction, as a load writes an incident; a screen is a socket that says
what a browser says. How late is counted from before the transaction. Exits with 1 when a mark is missed.
"""

import asyncio
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np

from layers.core import events
from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.core.settings import Settings
from mapserver.auth import tokens
from mapserver.auth.pepper import pepper
from tests import toy
from tests.bench.marks import Marks
from tests.bench.place import place
from tests.mapserver.process import ROOT, Served, served

SCREENS, MANY = 500, 1_100
EVENTS, PER_S = 300, 10
LATE_MS, SCREEN_KB = 250, 60
_NAME = b"event: incident\n"
_ROLES = (Role.ROOM, Role.ANALYST, Role.DISPATCHER, Role.ADMIN)


@dataclass
class Screen(asyncio.Protocol):
    """One screen: when each of the events reached it."""

    request: bytes
    arrived: list[float] = field(default_factory=list)
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    _tail: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now, text = time.perf_counter(), self._tail + data
        if b"event: hello" in text:
            self.greeted.set()
        self.arrived += [now] * text.count(_NAME)
        self._tail = text[-len(_NAME) + 1 :]


class Bench:
    """The toy city in a private cluster, and its server."""

    def __init__(self, home: Path, cluster: Cluster, marks: Marks) -> None:
        self.marks, self.log = marks, home / "serve.log"
        cluster.create_database("bench")
        self.url = cluster.url("bench")
        with connect(self.url) as connection:
            migrate(connection)
            toy.fill(connection, toy.incidents())
            areas = [None, connection.execute("select min(area_id) as id from onemap.area").fetchone()["id"]]
            now, salt = Clock().now(), pepper(Settings(home=home).home)
            self.tokens = [
                tokens.create(connection, salt, Audience(role, area), "bench", now, None)
                for role in _ROLES
                for area in areas
            ]
        self.area_id = areas[1]
        self.env = {
            "ONEMAP_DB__URL": self.url, "ONEMAP_HOME": str(home), "ONEMAP_CITY": "toy",
            "ONEMAP_CITIES": str(ROOT / "tests" / "cities"), "ONEMAP_SERVER__WORKERS": "1",
        }  # fmt: skip

    async def run(self) -> None:
        """All marks, and that a server with many more screens still answers."""
        with served("serve", env=self.env, log=self.log) as server:
            self.marks.section(f"{SCREENS} screens of one process, {PER_S} events a second")
            await self._open(server, 20)  # what is made once is no part of a screen
            before_kb = _memory_kb(server)
            screens = await self._open(server, SCREENS)
            idle_kb = _memory_kb(server)
            late_ms = await self._follow(screens)
            told_kb = _memory_kb(server)
            self.marks.say("an event to its last screen, median", float(np.median(late_ms)), "ms")
            self.marks.most(
                "an event to its last screen, 99th percentile", np.percentile(late_ms, 99), LATE_MS, "ms"
            )
            self.marks.say("  longest", max(late_ms), "ms")
            self.marks.say("memory of a screen that was told nothing yet", (idle_kb - before_kb) / SCREENS, "kB")
            self.marks.most("memory of a screen", (told_kb - before_kb) / SCREENS, SCREEN_KB, "kB")
            self.marks.section(f"{MANY} screens of one process")
            more = await self._open(server, MANY - SCREENS)
            began = time.perf_counter()
            answer = await asyncio.to_thread(httpx.get, f"{server.url}/healthz")
            self.marks.most("another request, answered", (time.perf_counter() - began) * 1e3, LATE_MS, "ms")
            assert answer.status_code == httpx.codes.OK
            late_ms = await self._follow(screens + more, 30)
            self.marks.say("an event to its last screen, 99th percentile", np.percentile(late_ms, 99), "ms")

    async def _open(self, server: Served, count: int) -> list[Screen]:
        """Screens that were greeted."""
        where, screens = urlsplit(server.url), []
        for number in range(count):
            token = self.tokens[number % len(self.tokens)]
            request = (
                f"GET /live HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: text/event-stream\r\n"
                f"Accept-Encoding: gzip, deflate, br, zstd\r\nCookie: onemap={token}\r\n\r\n"
            )
            _, one = await asyncio.get_running_loop().create_connection(
                lambda asked=request: Screen(asked.encode()), where.hostname, where.port
            )
            screens.append(one)
        async with asyncio.timeout(60):
            await asyncio.gather(*(one.greeted.wait() for one in screens))
        return screens

    async def _follow(self, screens: list[Screen], count: int = EVENTS) -> list[float]:
        """Milliseconds from each of `count` events to its last screen."""
        heard, written = [len(one.arrived) for one in screens], []
        writer = threading.Thread(target=self._write, args=[count, written])
        writer.start()
        async with asyncio.timeout(60 + 2 * count / PER_S):
            while any(len(one.arrived) < before + count for one, before in zip(screens, heard, strict=True)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        writer.join()
        arrived = np.array([one.arrived[before:] for one, before in zip(screens, heard, strict=True)])
        return ((arrived.max(axis=0) - np.array(written)) * 1e3).tolist()

    def _write(self, count: int, written: list[float]) -> None:
        point = {"type": "Point", "coordinates": [10.02, 50.02]}
        facts = {"category": "noise", "occurred_at": "2025-01-01T00:00:00Z", "area": "V1G2", "source": "calls"}
        payload = {"id": 1, "sensitive": False, "geometry": point, "exact": point, "properties": facts}
        with connect(self.url) as connection:
            connection.autocommit = True
            begun = time.perf_counter()
            for number in range(count):
                time.sleep(max(0.0, begun + number / PER_S - time.perf_counter()))
                written.append(time.perf_counter())
                with connection.transaction():
                    events.begin(connection)
                    events.bump(connection, "incidents", Clock().now())
                    events.emit(connection, "incident", "incidents", [payload], Clock().now(), [[self.area_id]])


def _memory_kb(server: Served) -> int:
    """Resident memory of the server's processes."""
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in server.children()]
    return sum(int(line.split()[1]) for text in lines for line in text.splitlines() if line.startswith("VmRSS"))


def main() -> int:
    """Measure, and say what was missed."""
    marks = Marks()
    with place() as (home, cluster):
        asyncio.run(Bench(home, cluster, marks).run())
    return marks.verdict()


if __name__ == "__main__":
    sys.exit(main())
