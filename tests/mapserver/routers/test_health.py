import asyncio
import os
import signal
import time

import pytest

from layers.core.db import connect
from tests.mapserver.conftest import asking, running

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def settings(toy_settings, dist):
    return toy_settings.model_copy(update={"screens": dist})


async def test_a_server_that_has_everything_is_ready(settings, shared_toy):
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        assert (await client.get("/readyz")).status_code == 200


async def missing(settings, url):
    async with running(settings, url) as app, asking(app) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["type"], "retry-after" in answer.headers) == (
        503,
        "urn:onemap:not-ready",
        True,
    )
    return [what.partition(":")[0] for what in answer.json()["missing"]]


async def test_a_server_without_screens_says_so(settings, shared_toy, tmp_path):
    assert await missing(settings.model_copy(update={"screens": tmp_path / "none"}), shared_toy.url) == ["screens"]


async def test_a_server_without_its_city_says_so(settings, empty_url):
    assert await missing(settings, empty_url) == ["city"]


async def test_a_server_on_an_older_database_says_so(settings, own_toy):
    with connect(own_toy.url) as connection:
        connection.execute(
            "delete from onemap.migration where number = (select max(number) from onemap.migration)"
        )
    assert await missing(settings, own_toy.url) == ["migrations"]


async def test_a_server_on_a_database_that_was_never_migrated_says_so(settings, own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("drop schema onemap cascade")
    assert await missing(settings, own_toy.url) == ["migrations", "city"]


async def test_a_server_without_a_database_says_so_and_is_alive(settings):
    assert await missing(settings, NOWHERE) == ["database"]
    async with running(settings, NOWHERE) as app, asking(app) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_database_that_is_busy_is_not_waited_for(settings, own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("lock table onemap.migration in access exclusive mode")
        assert await missing(settings, own_toy.url) == ["database"]


async def test_a_database_that_hangs_is_not_waited_for_and_found_again(settings, own_toy):
    async with running(settings, own_toy.url) as app, asking(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        with connect(own_toy.url) as connection:
            backends = connection.execute(
                "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            ).fetchall()
        try:
            for row in backends:
                os.kill(row["pid"], signal.SIGSTOP)
            begun = time.monotonic()
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert time.monotonic() - begun < 2
        finally:
            for row in backends:
                os.kill(row["pid"], signal.SIGCONT)
        for _ in range(100):
            if (await client.get("/readyz")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("it is not ready again")
