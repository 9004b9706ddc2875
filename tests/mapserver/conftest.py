"""A running app in this process, and screens that follow its live events."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.settings import Settings
from mapserver.app import create_app
from mapserver.auth import tokens
from mapserver.auth.pepper import pepper
from tests import toy
from tests.conftest import Toy, heated

BASE = "http://map.test"


@dataclass
class Moving:
    """A clock that is set by hand."""

    at: datetime

    def now(self) -> datetime:
        """What it is set to."""
        return self.at


@asynccontextmanager
async def running(settings: Settings, url: str) -> AsyncIterator[FastAPI]:
    """The app of `settings` on the database at `url`, its lifespan begun."""
    app = create_app(settings, url)
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` that shows what a failing endpoint answers, as a server does."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
async def app(toy_settings: Settings, shared_toy: Toy) -> AsyncIterator[FastAPI]:
    """The app of the toy city, for tests that only read."""
    heated(shared_toy.url, toy_settings.heat_folder(shared_toy.url), toy.CITY)
    async with running(toy_settings, shared_toy.url) as made:
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the toy city's app, nobody in particular."""
    async with asking(app) as made:
        yield made


@pytest.fixture
async def own_app(toy_settings: Settings, own_toy: Toy) -> AsyncIterator[FastAPI]:
    """The app of a toy city of the test's own, to write to."""
    heated(own_toy.url, toy_settings.heat_folder(own_toy.url), toy.CITY)
    async with running(toy_settings, own_toy.url) as made:
        yield made


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Screens as Vite would build them."""
    folder = tmp_path / "dist"
    (folder / "assets" / "fonts").mkdir(parents=True)
    (folder / "index.html").write_text("<title>hub</title>")
    (folder / "wall.html").write_text("<title>wall</title>")
    (folder / "assets" / "wall-B_3fSYDa.js").write_text("let wall = 1;" * 200)
    (folder / "assets" / "fonts" / "noto-complete.pbf").write_bytes(b"glyphs")
    (tmp_path / "secret").write_text("not for you")
    return folder


def token(settings: Settings, url: str, role: Role, area_id: int | None = None, **given: Any) -> str:
    """A token of `role` in the database at `url`."""
    now = Clock().now()
    with connect(url) as connection:
        return tokens.create(
            connection, pepper(settings.home), Audience(role, area_id), "test", now, given.get("expires_at")
        )


def bearer(text: str) -> dict[str, str]:
    """Headers that carry a token."""
    return {"Authorization": f"Bearer {text}"}


@dataclass
class Screen:
    """One screen that follows /live: the status it got, and the events in the order in which they came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, *names: str, within_s: float = 10) -> dict[str, Any]:
        """The next event of one of these names; beats are passed over unless they are asked for."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self.events.get()
                if event["event"] in names:
                    return event
                assert event["event"] == "beat", event

    async def take(self, message: dict[str, Any]) -> None:
        """What the app sends to this screen."""
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.body += message.get("body", b"")
        while (end := self.body.find(b"\n\n")) >= 0:
            text, self.body = self.body[:end].decode(), self.body[end + 2 :]
            fields = dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))
            if "event" in fields:
                self.events.put_nowait(fields | {"data": orjson.loads(fields["data"])})


@asynccontextmanager
async def screen(
    app: FastAPI, *, last: object = None, reads: bool = True, query: str = "", **headers: str
) -> AsyncIterator[Screen]:
    """A screen that follows until the end of the block; it reads what it gets unless told otherwise."""
    one = Screen()
    if reads:
        one.reads.set()
    leaves = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def follow() -> None:
        try:
            await app(scope, receive, one.take)
        finally:
            one.over.set()

    sent = headers if last is None else headers | {"Last-Event-ID": str(last)}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("map.test", 80),
        "app": app,
    }
    task = asyncio.create_task(follow())
    try:
        yield one
    finally:
        leaves.set()
        one.reads.set()
        async with asyncio.timeout(5):
            await task
