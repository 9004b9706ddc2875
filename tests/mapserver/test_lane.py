"""Hits are answered before anything else looks at the request, and as they would be otherwise."""

import asyncio
import time

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from mapserver.auth import keys as keys_module
from mapserver.lane import Lane
from tests.mapserver.conftest import bearer, token

POINTS = "/tiles/incidents/11/1081/694.mvt"
PATHS = [
    "/tiles/areas/9/270/173.mvt",
    "/collections/areas/tiles/WebMercatorQuad/9/173/270",
    "/heat/all/9/270/173.mvt",
    POINTS,
]


@pytest.fixture
def app(own_app):
    return own_app


@pytest.fixture
def passed(app):
    """Paths of the requests that went the long way."""
    found = []
    stack = app.build_middleware_stack()
    lane = stack
    while not isinstance(lane, Lane):
        lane = lane.app
    inner = lane._app

    async def counted(scope, receive, send):
        found.append(scope["path"])
        await inner(scope, receive, send)

    lane._app = counted
    app.middleware_stack = stack
    return found


def told(answer):
    """Everything that an answer says, but when and whether it was kept."""
    return answer.status_code, answer.content, {
        name: ",".join(sorted(set(value.replace(" ", "").split(",")))) if name == "vary" else value
        for name, value in answer.headers.items() if name not in {"date", "x-cache"}
    }  # fmt: skip


async def test_a_hit_is_answered_at_once_and_says_the_same(client, passed, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    for path in PATHS:
        for headers in (bearer(text), {"Cookie": f"a=b; onemap={text}"}):
            first = await client.get(path, headers=headers)
            passed.clear()
            answers = [await client.get(path, headers=headers) for _ in range(3)]
            unchanged = await client.get(path, headers=headers | {"If-None-Match": first.headers["etag"]})
            assert passed == []
            assert {answer.headers["x-cache"] for answer in answers} == {"hit"}
            assert [told(answer) for answer in answers] == [told(first)] * 3
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["etag"] == first.headers["etag"]


async def test_hits_are_counted_as_all_answers_are(client, passed):
    for _ in range(5):
        await client.get(PATHS[0])
    assert len(passed) == 1
    text = (await client.get("/metrics")).text
    assert 'onemap_requests_total{method="GET",route="/tiles/{layer_id}/{z}/{x}/{y}.mvt",status="200"} 5.0' in text
    assert 'onemap_request_seconds_count{route="/tiles/{layer_id}/{z}/{x}/{y}.mvt"} 5.0' in text
    assert 'onemap_cache_answers_total{outcome="hit"} 4.0' in text
    assert 'onemap_cache_answers_total{outcome="miss"} 1.0' in text


async def test_a_token_that_is_revoked_is_out_within_five_seconds_of_hits(
    client, passed, toy_settings, own_toy, monkeypatch
):
    monkeypatch.setattr(keys_module, "FRESH_S", 0.5)
    room = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    assert (await client.get(POINTS, headers=room)).status_code == 200
    assert (await client.get(POINTS, headers=room)).status_code == 200
    assert len(passed) == 1
    with connect(own_toy.url) as connection:
        connection.execute("update onemap.token set revoked_at = now()")
    begun = time.monotonic()
    while (await client.get(POINTS, headers=room)).status_code == 200:
        assert time.monotonic() - begun < 3
        await asyncio.sleep(0.05)
    assert (await client.get(POINTS, headers=room)).status_code == 401
    assert (await client.get(POINTS, headers={"Authorization": "Basic x"})).status_code == 401


async def test_what_is_wrong_is_refused_also_where_the_rest_of_it_is_kept(client):
    await client.get(PATHS[0])
    for query in ("v=1&v=2", "w=1", "v=1&w=1"):
        assert (await client.get(f"{PATHS[0]}?{query}")).status_code == 400
    assert (await client.get("/tiles/areas/9/512/0.mvt")).status_code == 404


async def test_other_methods_go_the_long_way(client, passed):
    whole = await client.get(PATHS[0])
    head = await client.head(PATHS[0])
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", whole.headers["etag"])
    assert (await client.post(PATHS[0])).status_code == 405
    assert len(passed) == 3
