"""Bad inputs 86-90, 92 and 97: who is asking, and how."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import bearer, token
from tests.mapserver.hostile.conftest import refused

PUSH = {"Content-Type": "application/json", "Idempotency-Key": "k"}


def jwt(header, key=b""):
    parts = [json.dumps(each).encode() for each in (header, {"role": "admin", "sub": "x"})]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in [*parts, key]).decode()


async def test_86_no_token_an_unknown_one_and_one_that_has_expired_or_was_revoked(public, town, settings):
    refused(await public.post("/ingest/desk", content=b"[]", headers=PUSH), 401)
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired = token(settings, town.url, Role.ADMIN, expires_at=past)
    revoked = token(settings, town.url, Role.ADMIN)
    with connect(town.url) as connection:
        connection.execute(
            "update onemap.token set revoked_at = now() where token_id = (select max(token_id) from onemap.token)"
        )
    for text in (expired, revoked, "om_" + "a" * 43, "", "x", "om_" + "a" * 100_000):
        if len(text) < 8192:
            answer = await public.get("/collections", headers=bearer(text))
            refused(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS256", "typ": "JWT"}, {"alg": "RS256", "kid": "../../dev/null"}]
)
async def test_87_a_signed_text_of_ones_own_is_no_token(public, header):
    for key in (b"", b"public key"):
        refused(await public.get("/collections", headers=bearer(jwt(header, key))), 401)


async def test_88_what_lies_outside_the_scope_is_not_there(public, town, settings):
    def area(code):
        (found,) = town.rows("select area_id from onemap.area where code = %s", code)
        return found["area_id"]

    scoped = bearer(token(settings, town.url, Role.DISPATCHER, area("V1")))
    (other,) = town.rows(
        "select min(incident_id) as id from onemap.incident join onemap.area using (area_id) where area.code like 'V2%%'"
    )
    answer = await public.get(f"/collections/incidents/items/{other['id']}", headers=scoped)
    unknown = await public.get("/collections/incidents/items/999999999", headers=scoped)
    assert refused(answer, 404)["type"] == refused(unknown, 404)["type"]
    refused(await public.get(f"/summary?area={area('V2')}", headers=scoped), 404)
    refused(await public.get(f"/heat/all/cells?area={area('V2')}", headers=scoped), 404)


@pytest.mark.parametrize("role", [Role.ROOM, Role.ANALYST, Role.PLANNER])
async def test_89_who_only_reads_pushes_nothing(public, town, settings, role):
    reader = bearer(token(settings, town.url, role))
    refused(await public.post("/ingest/desk", content=b"[]", headers=PUSH | reader), 403)
    refused(await public.get("/jobs/1", headers=reader), 403)


async def test_90_a_role_that_a_caller_gives_himself_is_passed_over(public, town, settings):
    claims = {
        "X-Role": "admin",
        "X-Onemap-Role": "admin",
        "X-User": "admin",
        "Cookie": "role=admin",
        "onemap.role": "admin",
    }
    refused(await public.get("/collections/incidents", headers=claims), 403)
    refused(await public.get("/city?role=admin"), 400, "role")
    room = bearer(token(settings, town.url, Role.ROOM))
    assert (await public.get("/city", headers=claims | room)).json()["audience"] == {"role": "room", "area": None}
    body = b'[{"role": "admin"}]'
    refused(await public.post("/ingest/desk", content=body, headers=PUSH | room), 403)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://map.test.evil.example", "https://map.test", "http://map.test:81"],
)
async def test_92_a_page_of_another_site_changes_nothing_with_our_cookie(public, town, settings, origin):
    cookie = {"Cookie": f"onemap={token(settings, town.url, Role.ADMIN)}", "Origin": origin}
    refused(await public.post("/ingest/desk", content=b"[]", headers=PUSH | cookie), 403)
    refused(await public.post("/leave", headers=cookie), 403)
    assert "access-control-allow-origin" not in (await public.get("/city", headers=cookie)).headers


async def test_92_our_own_page_does_and_so_does_a_token_in_a_header(public, town, settings):
    text = token(settings, town.url, Role.ADMIN)
    ours = {"Cookie": f"onemap={text}", "Origin": "http://map.test"}
    assert (await public.post("/ingest/desk", content=b"[]", headers=PUSH | ours)).status_code == 400
    elsewhere = bearer(text) | {"Origin": "https://another.example"}
    assert (await public.post("/ingest/desk", content=b"[]", headers=PUSH | elsewhere)).status_code == 400
    assert (await public.post("/leave", headers=ours)).status_code == 204


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "BREW"])
@pytest.mark.parametrize(
    "path", ["/collections/areas/items", "/tiles/areas/9/270/173.mvt", "/live", "/leave", "/api"]
)
async def test_97_a_method_that_is_not_there_says_which_are(public, method, path):
    answer = await public.request(method, path)
    refused(answer, 405)
    assert "OPTIONS" in answer.headers["allow"]
