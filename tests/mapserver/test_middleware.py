import gzip

import pytest
from fastapi import APIRouter
from starlette.responses import Response

from mapserver.middleware import LONGEST_URL
from tests.mapserver.conftest import asking, running

router = APIRouter()
LONG = b'{"a": 1}' * 1000


@router.get("/long")
async def long() -> Response:
    return Response(LONG, media_type="application/json")


@router.get("/short")
async def short() -> Response:
    return Response(b"{}", media_type="application/json")


@router.get("/tile")
async def tile() -> Response:
    return Response(LONG, media_type="application/vnd.mapbox-vector-tile")


@router.get("/image")
async def image() -> Response:
    return Response(LONG, media_type="image/png")


@pytest.fixture
async def client(toy_settings, shared_toy):
    async with running(toy_settings, shared_toy.url) as app, asking(app) as made:
        app.include_router(router)
        yield made


@pytest.mark.parametrize("path", ["/short", "/nowhere", "/city?x=1", "/%00"])
async def test_every_answer_tells_browsers_to_stay_here(client, path):
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"].split("; ")
    assert {
        "default-src 'self'",
        "frame-ancestors 'none'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
    } <= set(policy)
    assert not any("http" in directive or "unsafe-eval" in directive for directive in policy)
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize("path", ["/long", "/tile"])
async def test_what_shrinks_is_compressed_for_those_who_ask(client, path):
    async with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert gzip.decompress(raw) == LONG
    for refused in ("identity", "gzip;q=0", "*, gzip; q=0.0"):
        plain = await client.get(path, headers={"Accept-Encoding": refused})
        assert ("content-encoding" in plain.headers, plain.content) == (False, LONG)
        assert "Accept-Encoding" in plain.headers["vary"]


async def test_what_may_be_compressed_on_its_way_has_an_etag_that_names_no_bytes(client):
    codings = ("gzip", "identity")
    plain, packed = [await client.get("/collections", headers={"Accept-Encoding": coding}) for coding in codings]
    assert plain.headers.get("content-encoding") != packed.headers.get("content-encoding")
    assert plain.headers["etag"] == packed.headers["etag"]
    assert plain.headers["etag"].startswith('W/"')


@pytest.mark.parametrize("path", ["/short", "/image"])
async def test_what_does_not_shrink_is_left_as_it_is(client, path):
    assert "content-encoding" not in (await client.get(path, headers={"Accept-Encoding": "gzip"})).headers


async def test_a_url_may_be_as_long_as_8_kib_and_no_longer(client):
    longest = "/short?" + "a" * (LONGEST_URL - len("/short"))
    assert (await client.get(longest)).status_code == 400
    answer = await client.get(longest + "a")
    assert (answer.status_code, answer.json()["type"]) == (414, "urn:onemap:uri-too-long")


@pytest.mark.parametrize(
    "url", ["/short%00", "/short?a=%00", "/%ff", "/short?a=%ff", "/short?%c3=1", "/%ed%a0%80"]
)
async def test_a_url_with_a_nul_or_without_utf_8_is_400(client, url):
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:onemap:bad-url")


@pytest.mark.parametrize(
    "url",
    ["/%E6%B7%B1", "/short?%E6=1".replace("%E6", "%E6%B7%B1"), "/..%2f..%2fetc%2fpasswd", "/:id", "/%7Bid%7D"],
)
async def test_a_strange_url_is_a_plain_mistake(client, url):
    assert (await client.get(url)).status_code in {400, 404}


async def test_every_answer_is_counted_by_route_and_never_by_path(client):
    for path in ("/short", "/collections/areas", "/collections/walls", "/wall.html", "/nowhere", "/short%00"):
        await client.get(path)
    await client.request("BREW", "/short")
    text = (await client.get("/metrics")).text
    for line in (
        'onemap_requests_total{method="GET",route="/short",status="200"} 1.0',
        'onemap_requests_total{method="GET",route="/collections/{layer_id}",status="404"} 1.0',
        'onemap_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'onemap_requests_total{method="GET",route="unmatched",status="400"} 1.0',
        'onemap_requests_total{method="other",route="/short",status="405"} 1.0',
        'onemap_request_seconds_count{route="/collections/{layer_id}"} 2.0',
    ):
        assert line in text
    assert 'route="get_page"' in text
    assert "walls" not in text
