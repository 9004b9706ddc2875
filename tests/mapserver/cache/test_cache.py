"""Answers that are kept, as clients of a whole server get them."""

import asyncio
import gzip
import time

import zstandard

from layers.core.audience import Role
from layers.core.errors import Unavailable
from layers.core.settings import CacheSettings
from mapserver.cache import coding
from tests.mapserver.cache.conftest import FOR_EVER, POINTS, TILE, change, until, versioned
from tests.mapserver.conftest import asking, bearer, running, token


async def test_a_thousand_equal_requests_for_a_cold_tile_ask_the_database_once(client, asked):
    answers = await asyncio.gather(*(client.get(TILE) for _ in range(1000)))
    assert len(asked) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    states = [answer.headers["x-cache"] for answer in answers]
    assert (states.count("miss"), states.count("hit")) == (1, 999)


async def test_what_many_wait_for_is_compressed_once(client, settings, own_toy, monkeypatch):
    headers = {"Accept-Encoding": "zstd"} | bearer(token(settings, own_toy.url, Role.ROOM))
    compressed, encoded = [], coding.encoded
    monkeypatch.setattr("mapserver.cache.cache._IN_LINE_BYTES", 0)  # in a thread, while the others go on
    monkeypatch.setattr(coding, "encoded", lambda *given: compressed.append(given) or encoded(*given))
    answers = await asyncio.gather(*(client.get(POINTS, headers=headers) for _ in range(20)))
    assert {answer.headers["content-encoding"] for answer in answers} == {"zstd"}
    assert len({answer.content for answer in answers}) == len(compressed) == 1


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
    for name, decoded in (
        ("", bytes), ("gzip", gzip.decompress), ("zstd", zstandard.ZstdDecompressor().decompress),
    ):  # fmt: skip
        headers = {"Accept-Encoding": name or "identity"} | room
        for _ in range(2):  # the slow way, and the short one
            async with client.stream("GET", POINTS, headers=headers) as answer:
                raw = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers.get("content-encoding", "") == name
            assert answer.headers["content-length"] == str(len(raw))
            assert "Accept-Encoding" in answer.headers["vary"]
            found.setdefault(decoded(raw), {}).setdefault(answer.headers["etag"], set()).add(raw)
    (etags,) = found.values()
    assert [len(bodies) for bodies in etags.values()] == [1, 1, 1]
    assert not any(etag.startswith("W/") for etag in etags)
    for etag in etags:
        answers = [
            await client.get(POINTS, headers=room | {"Accept-Encoding": name, "If-None-Match": f'"x", {etag}'})
            for name in ("identity", "gzip", "zstd")
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
