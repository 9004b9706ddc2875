"""HEAD and OPTIONS, wherever GET is."""

import asyncio

import pytest

from mapserver.methods import Methods

PATHS = (
    "/",
    "/heat/all.json",
    "/collections/areas",
    "/collections/nope",
    "/tiles/areas/9/270/173.mvt",
    "/healthz",
    "/api",
)


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_its_body(client, path):
    accept = {"Accept": "application/json", "Accept-Encoding": "identity"}
    await client.get(path, headers=accept)  # from now on a cache may have it
    got, head = await client.get(path, headers=accept), await client.head(path, headers=accept)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers == got.headers
    assert int(head.headers["content-length"]) == len(got.content) > 0


async def test_the_head_of_a_stream_comes_to_an_end(client):
    async with asyncio.timeout(5):
        answer = await client.head("/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "onemap_live_clients 0.0" in (await client.get("/metrics")).text


async def test_a_long_answer_is_not_made_to_its_end_for_its_head_alone():
    made, sent = [], []

    async def long(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in range(1000):
            made.append(part)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    async def send(message):
        sent.append(message)

    await Methods(long)({"type": "http", "method": "HEAD"}, None, send)
    assert made == [0]
    assert sent[1:] == [{"type": "http.response.body", "body": b"", "more_body": False}]


async def test_head_keeps_conditions(client):
    areas = await client.head("/collections/areas/items/1")
    again = await client.head("/collections/areas/items/1", headers={"If-None-Match": areas.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, areas.headers["etag"])


async def test_head_is_counted_as_what_it_was(client):
    await client.head("/city")
    assert 'method="HEAD",route="/city",status="200"' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/city", "GET, HEAD, OPTIONS"),
        ("/leave", "OPTIONS, POST"),
        ("/cases", "GET, HEAD, OPTIONS, POST"),
        ("/wall.html", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_and_each_405_say_what_is_there(client, path, allow):
    asked = await client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")
    wrong = await client.delete(path)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, allow)
    assert wrong.json()["type"] == "urn:onemap:method-not-allowed"


async def test_options_of_nothing_is_404(client):
    assert (await client.options("/nowhere")).status_code == 404
