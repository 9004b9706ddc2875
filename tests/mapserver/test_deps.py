"""What every endpoint gets and refuses, asked through a route of the test's own."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query

from layers.core.audience import Role
from layers.core.db import connect
from mapserver.deps import AnAudience
from tests.mapserver.conftest import asking, bearer, running, token

router = APIRouter()


async def deep(deep: int | None = None) -> int | None:
    return deep


@router.get("/probe")
async def probe(
    audience: AnAudience,
    inner: Annotated[int | None, Depends(deep)],
    start: Annotated[str | None, Query(alias="from")] = None,
) -> dict[str, object]:
    return {"role": audience.role.slug, "area": audience.area_id, "deep": inner, "from": start}


@router.get("/probe/{name}")
async def named(name: str) -> str:
    return name


@pytest.fixture
async def client(toy_settings, own_toy):
    async with running(toy_settings, own_toy.url) as app, asking(app) as made:
        app.include_router(router)
        yield made


async def test_without_a_token_the_public_is_asking(client):
    assert (await client.get("/probe")).json()["role"] == "public"


async def test_a_token_is_read_from_header_or_cookie(client, toy_settings, own_toy):
    area = own_toy.area_id("V1")
    text = token(toy_settings, own_toy.url, Role.ANALYST, area)
    for headers in (bearer(text), {"Authorization": f"bearer {text}"}, {"Cookie": f"a=b; onemap={text}"}):
        said = (await client.get("/probe", headers=headers)).json()
        assert (said["role"], said["area"]) == ("analyst", area)


async def test_the_header_counts_where_there_is_a_cookie_too(client, toy_settings, own_toy):
    room, analyst = (token(toy_settings, own_toy.url, role) for role in (Role.ROOM, Role.ANALYST))
    answer = await client.get("/probe", headers={**bearer(analyst), "Cookie": f"onemap={room}"})
    assert answer.json()["role"] == "analyst"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer om_" + "a" * 43, "Basic YTpi", "", "x"])
async def test_a_bad_token_is_nobody_and_never_the_public(client, header):
    answer = await client.get("/probe", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:onemap:unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert "set-cookie" not in answer.headers


async def test_a_stale_cookie_is_refused_and_taken_back(client, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    with connect(own_toy.url) as connection:
        connection.execute("update onemap.token set revoked_at = now()")
    answer = await client.get("/probe", headers={"Cookie": f"onemap={text}"})
    assert answer.status_code == 401
    assert answer.headers["set-cookie"].startswith('onemap=""; ')
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_bad_header_does_not_cost_a_good_cookie(client):
    answer = await client.get("/probe", headers={"Authorization": "Bearer x", "Cookie": "onemap=om_x"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


async def test_declared_parameters_pass_whatever_declares_them(client):
    answer = await client.get("/probe", params={"from": "a", "deep": 3})
    assert (answer.json()["from"], answer.json()["deep"]) == ("a", 3)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("v=1", "v"),
        ("start=1", "start"),
        ("from=1&FROM=2", "FROM"),
        ("=1", ""),
        ("deep=1&%20deep=2", " deep"),
        ("inner=1", "inner"),
    ],
)
async def test_an_unknown_parameter_is_named(client, query, named):
    answer = await client.get(f"/probe?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, named)
    assert answer.json()["known"] == ["deep", "from"]


@pytest.mark.parametrize("query", ["deep=1&deep=2", "deep=1&from=a&deep=1", "deep=&deep"])
async def test_a_parameter_given_twice_is_named(client, query):
    answer = await client.get(f"/probe?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "deep")


async def test_every_documented_operation_refuses_an_unknown_parameter(client):
    document = (await client.get("/api")).json()
    for path, operations in document["paths"].items():
        for method in operations:
            answer = await client.request(method, path.replace("{", "").replace("}", "") + "?surprise=1")
            assert answer.status_code == 400, path
            assert "'surprise'" in answer.text, path


async def test_a_part_of_the_path_is_no_query_parameter(client):
    assert (await client.get("/probe/x")).json() == "x"
    answer = await client.get("/probe/x", params={"name": "y"})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "name")
