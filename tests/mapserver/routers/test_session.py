import pytest

from layers.core.audience import Role
from tests.mapserver.conftest import asking, bearer, running, token


async def test_the_token_of_a_link_becomes_a_cookie_that_works(own_app, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    async with asking(own_app) as client:
        answer = await client.get("/enter", params={"token": text, "to": "/wall.html?lang=zh#7/10/50"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/wall.html?lang=zh#7/10/50")
        assert answer.headers["cache-control"] == "no-store"
        flags = answer.headers["set-cookie"].split("; ")
        assert flags[0] == f"onemap={text}"
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(flags)
        assert "Secure" not in flags
        assert (await client.get("/city")).json()["audience"]["role"] == "room"


async def test_the_cookie_goes_over_https_alone_where_the_map_is_reached_so(toy_settings, own_toy):
    server = toy_settings.server.model_copy(update={"public_url": "https://map.example"})
    settings = toy_settings.model_copy(update={"server": server})
    text = token(settings, own_toy.url, Role.ROOM)
    async with running(settings, own_toy.url) as app, asking(app) as client:
        answer = await client.get("/enter", params={"token": text})
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("text", ["", "nonsense", "om_" + "a" * 43])
async def test_a_bad_link_gives_no_cookie(client, text):
    answer = await client.get("/enter", params={"token": text})
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert not text or text not in answer.text


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example", "", "/\t/evil.example",
     "/a\r\nSet-Cookie: x=y", "javascript:alert(1)", " /wall.html", "/\\/evil.example", "/a\\..\\b"],
)  # fmt: skip
async def test_a_link_leads_nowhere_else(own_app, toy_settings, own_toy, to):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    async with asking(own_app) as client:
        answer = await client.get("/enter", params={"token": text, "to": to})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "to")
    assert "set-cookie" not in answer.headers


async def test_a_link_without_a_token_names_it(client):
    answer = await client.get("/enter")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "token")


async def test_leaving_takes_the_cookie_back(own_app, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    async with asking(own_app) as client:
        await client.get("/enter", params={"token": text})
        assert (await client.post("/leave")).status_code == 204
        assert (await client.get("/city")).json()["audience"]["role"] == "public"
        assert (await client.get("/city", headers=bearer(text))).json()["audience"]["role"] == "room"


async def test_who_has_a_stale_cookie_can_leave(client):
    answer = await client.post("/leave", headers={"Cookie": "onemap=om_stale"})
    assert (answer.status_code, "Max-Age=0" in answer.headers["set-cookie"]) == (204, True)


async def test_no_token_stands_in_the_log(own_app, toy_settings, own_toy, caplog):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    caplog.set_level("DEBUG", "mapserver")
    async with asking(own_app) as client:
        await client.get("/enter", params={"token": text})
        await client.get("/enter", params={"token": text, "to": "//x"})
    assert text not in "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("http")
    )
