"""Bad inputs 39, 94 and 95: who asks too much, guesses tokens or never ends a request, and that others are served."""

import asyncio
import random
import socket
import time
from contextlib import ExitStack

import httpx
import numpy as np
import pytest

from layers.core.audience import Role
from layers.core.settings import LimitSettings
from tests import toy
from tests.conftest import heated
from tests.mapserver.conftest import BASE, bearer, running, token
from tests.mapserver.hostile.conftest import refused
from tests.mapserver.process import served

BURST, PER_S = 100, 2
WALL_MS = 300


@pytest.fixture
async def limited(toy_settings, own_toy):
    """The toy city's app with the limits that ship, but that strangers' budgets are soon spent."""
    heated(own_toy.url, toy_settings.heat_folder(own_toy.url), toy.CITY)
    limits = LimitSettings(public_burst=BURST, public_per_s=PER_S)
    async with running(toy_settings.model_copy(update={"limits": limits}), own_toy.url) as made:
        yield made


def at(app, host, **headers):
    transport = httpx.ASGITransport(app, client=(host, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def test_39_who_scrapes_tiles_is_told_to_wait_and_a_wall_goes_on(limited, own_toy, toy_settings):
    places = [(z, x, y) for z in (14, 15, 16) for x in range(150) for y in range(2)]
    random.Random(5).shuffle(places)
    seen, begun = [], time.monotonic()

    async def scrape(client):
        while places:
            z, x, y = places.pop()
            seen.append(await client.get(f"/tiles/areas/{z}/{x}/{y}.mvt"))

    async def watch(client, count, took_ms):
        for _ in range(count):
            asked = time.monotonic()
            assert (await client.get("/heat/all/cells?res=9&f=arrow")).status_code == 200
            took_ms.append((time.monotonic() - asked) * 1000)
            await asyncio.sleep(0.02)

    wall, alone_ms, took_ms = bearer(token(toy_settings, own_toy.url, Role.ROOM)), [], []
    async with at(limited, "192.0.2.1") as stranger, at(limited, "192.0.2.1", **wall) as room:
        await watch(room, 30, alone_ms)
        await asyncio.gather(watch(room, 30, took_ms), *(scrape(stranger) for _ in range(8)))
    refusals = [answer for answer in seen if answer.status_code == 429]
    assert {answer.status_code for answer in seen} == {204, 429}
    assert BURST <= len(seen) - len(refusals) <= BURST + PER_S * (time.monotonic() - begun) + 1
    assert refused(refusals[0], 429)["type"] == "urn:onemap:too-many-requests"
    assert all(answer.headers["retry-after"] == "1" for answer in refusals)
    assert np.percentile(took_ms, 95) < max(WALL_MS, 3 * np.percentile(alone_ms, 95))


async def test_94_a_thousand_wrong_tokens_are_told_to_wait_and_a_wall_at_the_same_address_is_not(
    limited, own_toy, toy_settings
):
    wall = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    async with at(limited, "192.0.2.1") as client:
        seen = []
        for number in range(1000):
            wrong = f"om_{number:043d}"
            path = f"/enter?token={wrong}" if number % 2 else "/summary"
            answer = await client.get(path, headers={} if number % 2 else bearer(wrong))
            seen.append(answer.status_code)
        assert seen[:20] == [401] * 20
        assert set(seen[20:]) <= {429, 401}
        assert seen.count(401) < 50
        assert (await client.get("/summary", headers=wall)).status_code == 200
    async with at(limited, "192.0.2.2") as client:
        assert (await client.get("/summary", headers=bearer("om_" + 43 * "x"))).status_code == 401


def test_95_five_hundred_requests_that_never_end_keep_nobody_from_an_answer(toy_settings, own_toy, dist, tmp_path):
    env = {
        "ONEMAP_HOME": str(tmp_path / "home"), "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy", "ONEMAP_DB__URL": own_toy.url, "ONEMAP_SCREENS": str(dist),
    }  # fmt: skip
    with served("serve", env=env, log=tmp_path / "log") as server, ExitStack() as kept:
        address = server.url.removeprefix("http://").split(":")
        slow = [kept.enter_context(socket.create_connection(address, 5)) for _ in range(500)]
        for number, one in enumerate(slow):
            head = (
                b"GET /collections HTTP/1.1\r\nHost: map\r\n" if number % 2 else b"POST /ingest/desk HTTP/1.1\r\n"
            )
            one.sendall(head + b"X-Slow: ")
        for path in ("/healthz", "/collections", "/summary"):
            begun = time.monotonic()
            assert httpx.get(server.url + path).status_code in {200, 503}
            assert time.monotonic() - begun < 3
