"""Old answers in place of new ones, while the database is slow, hangs or is gone."""

import asyncio
import time

import psycopg

from layers.core.audience import PUBLIC, Role
from tests.hang import hanging
from tests.mapserver.cache.conftest import FOR_EVER, POINTS, TILE, change, until, versioned
from tests.mapserver.conftest import asking, bearer, running, token


async def test_where_the_database_is_slow_the_old_answer_is_shown_with_its_age(client, own_toy, app):
    path = await versioned(client)
    body = (await client.get(TILE)).content
    with psycopg.connect(own_toy.url) as holder:
        holder.execute("lock table onemap.area in access exclusive mode")
        await change(app, own_toy.url, "areas", "select 1")
        for wanted in (TILE, f"{TILE}?v={app.state.versions.tag('areas', PUBLIC)}", path):
            begun = time.monotonic()
            answer = await client.get(wanted)
            assert time.monotonic() - begun < 1.6
            assert (answer.content, answer.headers["x-cache"]) == (body, "stale")
            assert (answer.headers["age"].isdigit(), answer.headers["cache-control"]) == (True, "public, no-cache")
    assert (await client.get(TILE)).headers["x-cache"] in {"hit", "miss"}


async def test_where_the_database_hangs_walls_go_on_and_are_well_again_after_it(
    client, app, settings, own_toy, monkeypatch
):
    room = bearer(token(settings, own_toy.url, Role.ROOM))
    asks = [(TILE, room), (POINTS, room), (TILE, {})]
    bodies = [(await client.get(path, headers=headers)).content for path, headers in asks]
    monkeypatch.setattr("mapserver.versions.CONFIRMED_S", 1.0)
    monkeypatch.setattr("mapserver.auth.keys.FRESH_S", 0.5)
    with hanging(own_toy.url):
        await asyncio.sleep(1.1)
        for _ in range(3):
            for (path, headers), body in zip(asks, bodies, strict=True):
                begun = time.monotonic()
                answer = await client.get(path, headers=headers)
                assert time.monotonic() - begun < 1.6
                assert (answer.status_code, answer.content, answer.headers["x-cache"]) == (200, body, "stale")
        begun = time.monotonic()
        assert (await client.get("/tiles/areas/10/540/346.mvt")).status_code == 503
        assert time.monotonic() - begun < 3.5

    async def well():
        answer = await client.get(TILE, headers=room)
        return answer.status_code == 200 and answer.headers["x-cache"] == "hit"

    await until(well, within_s=12)


async def test_a_server_that_starts_while_its_database_is_away_shows_what_is_on_disk(settings, own_toy):
    async with running(settings, own_toy.url) as app, asking(app) as client:
        made = await client.get(TILE)
        path = await versioned(client)
    away = own_toy.url.replace("host=", "host=/nowhere")
    assert settings.cache_folder(away) == settings.cache_folder(own_toy.url)
    async with running(settings, away) as app, asking(app) as client:
        await until(lambda: asyncio.sleep(0, app.state.disk._names))
        for wanted in (TILE, path):
            begun = time.monotonic()
            answer = await client.get(wanted)
            assert time.monotonic() - begun < 1.6
            assert (answer.status_code, answer.content, answer.headers["x-cache"]) == (200, made.content, "stale")
            assert answer.headers["cache-control"] == "public, no-cache"
        assert (await client.get("/tiles/areas/10/540/346.mvt")).status_code == 503
    async with running(settings, own_toy.url) as app, asking(app) as client:
        await until(lambda: asyncio.sleep(0, app.state.disk._names and app.state.versions.confirmed))
        answer = await client.get(path)
        assert (answer.headers["x-cache"], answer.headers["cache-control"]) == ("hit", FOR_EVER)


async def test_an_old_answer_is_shown_for_a_day_of_silence_and_no_longer(client, app, own_toy, monkeypatch):
    made = await client.get(TILE)
    with psycopg.connect(own_toy.url) as holder:
        holder.execute("lock table onemap.area in access exclusive mode")
        await change(app, own_toy.url, "areas", "select 1")
        app.state.cache.memory.get(f"public.None {TILE}? ").made_at -= 90_000
        answer = await client.get(TILE)  # nothing was newer until just now
        assert (answer.content, answer.headers["x-cache"]) == (made.content, "stale")
        assert int(answer.headers["age"]) >= 90_000
        monkeypatch.setattr("mapserver.versions.Versions.silent_s", 86_401.0)
        assert (await client.get(TILE)).status_code == 503


async def test_what_other_code_or_another_city_file_made_is_no_answer_of_this_one(settings, own_toy, monkeypatch):
    async with running(settings, own_toy.url) as app, asking(app) as client:
        await client.get(TILE)
    monkeypatch.setattr("mapserver.versions.fingerprint", lambda: "other code")
    async with running(settings, own_toy.url) as app, asking(app) as client:
        await until(lambda: asyncio.sleep(0, app.state.disk._names and app.state.versions.confirmed))
        assert (await client.get(TILE)).headers["x-cache"] == "miss"
