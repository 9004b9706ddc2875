"""Answers that are kept, as clients of a whole server get them."""

import asyncio
import gzip
import time
from datetime import UTC, datetime

import psycopg
import pytest
import zstandard

from layers.core import events
from layers.core.audience import PUBLIC, Role
from layers.core.db import connect
from layers.core.errors import Unavailable
from layers.core.settings import CacheSettings, DbSettings
from tests import toy
from tests.conftest import heated
from tests.hang import hanging
from tests.mapserver.conftest import asking, bearer, running, token

TILE = "/tiles/areas/9/270/173.mvt"
POINTS = "/tiles/incidents/11/1081/694.mvt"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def settings(toy_settings, tmp_path):
    return toy_settings.model_copy(update={"home": tmp_path / "home", "db": DbSettings(timeout_s=2)})


@pytest.fixture
async def app(settings, own_toy):
    heated(own_toy.url, settings.heat_folder(own_toy.url), toy.CITY)
    async with running(settings, own_toy.url) as made:
        yield made


@pytest.fixture
async def client(app):
    async with asking(app) as made:
        yield made


@pytest.fixture
def asked(app, monkeypatch):
    """Statements that make tiles, as the database gets them."""
    found, row = [], app.state.db.row

    async def counted(audience, statement):
        if "ST_AsMVT" in statement.sql:
            found.append(statement)
        return await row(audience, statement)

    monkeypatch.setattr(app.state.db, "row", counted)
    return found


async def versioned(client, layer="areas", **headers):
    """Path of that layer's tile as its TileJSON has it."""
    template = (await client.get(f"/tiles/{layer}.json", headers=headers)).json()["tiles"][0]
    z, x, y = (9, 270, 173) if layer == "areas" else (11, 1081, 694)
    return template.removeprefix("http://map.test").format(z=z, x=x, y=y)


async def change(app, url, layer, statement):
    """Waits until the server has heard of it."""
    before = app.state.versions.line(layer).newest
    with connect(url) as connection:
        connection.execute(statement)
        events.begin(connection)
        events.bump(connection, layer, datetime.now(UTC))
    await until(lambda: asyncio.sleep(0, app.state.versions.line(layer).newest != before))


async def until(found, within_s=8.0):
    """The first true answer of an asynchronous question."""
    end = time.monotonic() + within_s
    while not (answer := await found()):
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.02)
    return answer


async def test_a_thousand_equal_requests_for_a_cold_tile_ask_the_database_once(client, asked):
    answers = await asyncio.gather(*(client.get(TILE) for _ in range(1000)))
    assert len(asked) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    states = [answer.headers["x-cache"] for answer in answers]
    assert (states.count("miss"), states.count("hit")) == (1, 999)


async def test_who_gives_up_waiting_does_not_spoil_it_for_the_others(client, asked):
    impatient, patient = (asyncio.create_task(client.get(TILE)) for _ in range(2))
    await until(lambda: asyncio.sleep(0, asked))
    impatient.cancel()
    assert (await patient).status_code == 200
    assert len(asked) == 1


async def test_what_went_wrong_is_told_to_all_who_wait_and_not_kept(client, app, monkeypatch):
    async def away(audience, statement):
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(app.state.db, "row", away)
        answers = await asyncio.gather(*(client.get(TILE) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {503}
    assert (await client.get(TILE)).status_code == 200


async def test_a_versioned_url_holds_for_ever_another_is_answered_anew_and_one_without_is_asked_for_again(
    client, asked, app
):
    path = await versioned(client)
    first, second = await client.get(path), await client.get(path)
    assert [one.headers["x-cache"] for one in (first, second)] == ["miss", "hit"]
    assert {one.headers["cache-control"] for one in (first, second)} == {FOR_EVER}
    plain = await client.get(TILE)
    assert (plain.headers["x-cache"], plain.headers["cache-control"]) == ("hit", "public, no-cache")
    assert len(asked) == 1
    kept = app.state.cache.memory.bytes
    for number in range(3):
        random = await client.get(f"{TILE}?v=random{number}")
        assert (random.headers["x-cache"], random.headers["cache-control"]) == ("miss", "public, no-cache")
        assert random.content == first.content
    assert (await client.get("/tiles/areas/9/270/174.mvt?v=random")).status_code in {200, 204}
    assert (len(asked), app.state.cache.memory.bytes) == (5, kept)
    assert (await client.get(f"{path}&v=1")).status_code == 400
    assert (await client.get(f"{path}&w=1")).status_code == 400


async def test_each_coding_has_bytes_and_a_strong_etag_of_its_own(client, settings, own_toy):
    room = bearer(token(settings, own_toy.url, Role.ROOM))
    found = {}
    for coding, decoded in (
        ("", bytes), ("gzip", gzip.decompress), ("zstd", zstandard.ZstdDecompressor().decompress),
    ):  # fmt: skip
        headers = {"Accept-Encoding": coding or "identity"} | room
        for _ in range(2):  # the slow way, and the short one
            async with client.stream("GET", POINTS, headers=headers) as answer:
                raw = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers.get("content-encoding", "") == coding
            assert answer.headers["content-length"] == str(len(raw))
            assert "Accept-Encoding" in answer.headers["vary"]
            found.setdefault(decoded(raw), {}).setdefault(answer.headers["etag"], set()).add(raw)
    (etags,) = found.values()
    assert [len(bodies) for bodies in etags.values()] == [1, 1, 1]
    assert not any(etag.startswith("W/") for etag in etags)
    for etag in etags:
        answers = [
            await client.get(POINTS, headers=room | {"Accept-Encoding": coding, "If-None-Match": f'"x", {etag}'})
            for coding in ("identity", "gzip", "zstd")
        ]
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [200, 200, 304]
        unchanged = answers[statuses.index(304)]
        assert (unchanged.content, unchanged.headers["etag"]) == (b"", etag)


async def test_what_changes_while_an_answer_is_made_is_not_taken_for_a_part_of_it(client, app, asked, monkeypatch):
    row, line = app.state.db.row, app.state.versions.line("areas")

    async def changing(audience, statement):
        found = await row(audience, statement)
        line.note(f"{line.newest} and later", time.monotonic())
        return found

    with monkeypatch.context() as patch:
        patch.setattr(app.state.db, "row", changing)
        await client.get(TILE)
    assert (await client.get(TILE)).headers["x-cache"] == "miss"
    assert (await client.get(await versioned(client))).headers["x-cache"] == "hit"
    assert len(asked) == 2


async def test_nothing_is_empty_and_kept_too(client, asked):
    answers = [await client.get("/tiles/areas/9/0/0.mvt") for _ in range(3)]
    assert [(answer.status_code, answer.headers["x-cache"]) for answer in answers] == [
        (204, "miss"), (204, "hit"), (204, "hit"),
    ]  # fmt: skip
    assert len(asked) == 1


async def test_nobody_gets_what_was_kept_for_another(client, app, settings, own_toy):
    villages = [own_toy.area_id(code) for code in ("V1", "V2")]
    audiences = [(Role.ROOM, None), (Role.DISPATCHER, None), *((Role.ROOM, area) for area in villages)]
    tokens = [bearer(token(settings, own_toy.url, *audience)) for audience in audiences]
    found = []
    for _ in range(3):  # made, kept, and by the short lane
        found.append([(await client.get(POINTS, headers=headers)) for headers in tokens])
        assert (await client.get(POINTS)).status_code == 403
    bodies = [[answer.content for answer in answers] for answers in found]
    assert bodies[0] == bodies[1] == bodies[2]
    assert len(set(bodies[0])) == 4
    assert {answer.headers["cache-control"] for answers in found for answer in answers} == {"private, no-cache"}
    for headers in tokens:
        path = await versioned(client, "incidents", **headers)
        for _ in range(2):
            control = (await client.get(path, headers=headers)).headers["cache-control"]
            assert control == "private, max-age=31536000, immutable"
        other = await client.get(path, headers=next(each for each in tokens if each != headers))
        assert other.headers["cache-control"] == "private, no-cache"


async def test_a_change_is_answered_as_soon_as_it_is_heard_of_and_has_another_url(client, app, own_toy):
    before, path = await client.get(TILE), await versioned(client)
    await change(app, own_toy.url, "areas", "update onemap.area set name_en = 'Elsewhere' where code = 'V2'")

    async def new():
        answer = await client.get(TILE)
        return answer if b"Elsewhere" in answer.content else None

    assert b"Elsewhere" not in before.content
    await until(new)
    now = await versioned(client)
    assert now != path
    answer = await client.get(now)
    assert b"Elsewhere" in answer.content
    assert answer.headers["cache-control"] == FOR_EVER
    old = await client.get(path)  # by a screen that has not heard of it yet
    assert b"Elsewhere" in old.content
    assert (old.headers["cache-control"], old.headers["x-cache"]) == ("public, no-cache", "hit")


async def test_a_versioned_url_is_not_made_anew_at_every_change(client, app, asked, own_toy, monkeypatch):
    monkeypatch.setattr("mapserver.versions.HOLD_S", 1e9)
    await change(app, own_toy.url, "areas", "select 1")  # from here on URLs wait
    path = await versioned(client)
    for _ in range(5):
        await change(app, own_toy.url, "areas", "select 1")
        assert (await client.get(path)).headers["cache-control"] == FOR_EVER
    assert len(asked) == 1


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


async def test_how_far_a_layer_reaches_is_looked_up_once_a_version_for_each_audience(
    client, app, settings, own_toy, monkeypatch
):
    room = bearer(token(settings, own_toy.url, Role.ROOM))
    village = bearer(token(settings, own_toy.url, Role.ROOM, own_toy.area_id("V1")))
    found, row = [], app.state.db.row

    async def counted(audience, statement):
        found.append(statement)
        return await row(audience, statement)

    async def extent(headers):
        covers = (await client.get("/collections/incidents", headers=headers)).json()["extent"]
        return covers["temporal"]["interval"][0]

    wide, narrow = await extent(room), await extent(village)
    assert wide != narrow
    monkeypatch.setattr(app.state.db, "row", counted)
    for _ in range(3):
        assert [await extent(room), await extent(village)] == [wide, narrow]
    assert [one for one in found if "occurred_at" in one.sql] == []
    await change(
        app, own_toy.url, "incidents", "update onemap.incident set occurred_at = occurred_at + interval '1 day'"
    )
    later = await extent(room)
    assert later[0] > wide[0]
    assert later[1] > wide[1]


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


async def test_memory_is_bounded_and_told(settings, own_toy):
    small = settings.model_copy(update={"cache": CacheSettings(memory_mb=1, disk_mb=1)})
    async with running(small, own_toy.url) as app, asking(app) as client:
        for y in range(150):
            await client.get(f"/tiles/areas/16/34590/{y}.mvt?properties=code")
        kept = app.state.cache.memory.bytes
        text = (await client.get("/metrics")).text
    assert 0 < kept <= 1_000_000
    assert f"onemap_cache_bytes {float(kept)}" in text
    assert 'onemap_cache_answers_total{outcome="miss"} 150.0' in text
    assert 'onemap_cache_answers_total{outcome="stale"} 0.0' in text
