import pytest
from fastapi import APIRouter

from layers.core import errors
from mapserver.errors import STATUS, status_of
from tests.mapserver.conftest import asking, running

router = APIRouter()


@router.get("/raise/{name}")
async def fail(name: str) -> None:
    raise getattr(errors, name)("a sentence", layer="x", odd={1, 2} - {1})


@router.get("/number/{n}")
async def number(n: int, limit: int = 1) -> int:
    return n + limit


@router.get("/crash")
async def crash() -> None:
    secret = "hunter2"
    raise RuntimeError(secret)


@pytest.fixture
async def client(toy_settings, shared_toy):
    async with running(toy_settings, shared_toy.url) as app, asking(app) as made:
        app.include_router(router)
        yield made


def test_a_kind_of_error_has_the_status_of_its_nearest_ancestor():
    assert (status_of(errors.UnknownLayer), status_of(errors.BadCity)) == (404, 500)
    assert (status_of(errors.ScreensMissing), STATUS[errors.Unavailable]) == (503, 503)


@pytest.mark.parametrize(
    ("name", "status", "slug"),
    [
        ("BadValue", 400, "bad-value"),
        ("UnknownLayer", 404, "unknown-layer"),
        ("Forbidden", 403, "forbidden"),
        ("Conflict", 409, "conflict"),
        ("UnknownDatum", 422, "unknown-datum"),
        ("Unavailable", 503, "unavailable"),
        ("BadCity", 500, "bad-city"),
    ],
)
async def test_an_error_of_ours_is_a_problem_document_with_its_context(client, name, status, slug):
    answer = await client.get(f"/raise/{name}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"urn:onemap:{slug}",
        "title": "a sentence",
        "status": status,
        "layer": "x",
        "odd": "{2}",
    }


async def test_only_what_may_pass_says_when_to_try_again(client):
    assert (await client.get("/raise/Unavailable")).headers["retry-after"] == "2"
    assert "retry-after" not in (await client.get("/raise/BadCity")).headers


async def test_no_error_is_kept_by_a_cache(client):
    for path in ("/nowhere", "/raise/UnknownLayer", "/crash"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "named", "place"), [("/number/x", "n", "path"), ("/number/1?limit=1.5", "limit", "query")]
)
async def test_a_value_that_cannot_be_read_is_400_and_names_its_parameter(client, path, named, place):
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:onemap:bad-value")
    assert (answer.json()["parameter"], answer.json()["in"]) == (named, place)
    assert answer.json()["title"].startswith(f"{named}: ")


async def test_a_path_that_nothing_serves_is_a_problem_document(client):
    answer = await client.get("/nowhere")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:onemap:not-found")
    assert "/nowhere" in answer.json()["title"]


@pytest.mark.parametrize("method", ["POST", "DELETE", "TRACE", "BREW"])
async def test_a_method_that_is_not_served_says_which_are(client, method):
    answer = await client.request(method, "/city")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.json()["type"] == "urn:onemap:method-not-allowed"


async def test_a_plain_route_says_too_which_methods_it_serves(client):
    answer = await client.post("/wall.html")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})


async def test_what_nobody_foresaw_gives_nothing_away_and_is_logged(client, caplog):
    answer = await client.get("/crash")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:onemap:internal")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    (record,) = [record for record in caplog.records if record.name == "mapserver.middleware"]
    assert record.path == "/crash"
    assert "hunter2" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"
