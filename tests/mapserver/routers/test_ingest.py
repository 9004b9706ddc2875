"""Pushes: who may, what is answered at once, and what is kept."""

import asyncio
import json
import shutil

import pytest

from etl.work import Town
from layers.core.audience import Role
from layers.core.db import connect
from layers.records.pushed import MOST_ROWS
from mapserver.body import MOST_BYTES
from tests.mapserver.conftest import asking, bearer, running, token
from tests.workshop import INCIDENTS, Workshop, call

CALLS = INCIDENTS | {"id": "desk", "format": "push", "file": None}


@pytest.fixture
def town(own_toy, toy_settings, tmp_path):
    """The toy city with a source that takes pushes, and one that is a file."""
    folder = tmp_path / "toy"
    shutil.copytree(toy_settings.city_folder, folder)
    shop = Workshop(folder, own_toy.url)
    shop.source(CALLS)
    shop.source(INCIDENTS)
    Town(folder, own_toy.url).read()
    return shop


@pytest.fixture
async def client(town, toy_settings):
    settings = toy_settings.model_copy(update={"cities": town.folder.parent})
    async with running(settings, town.url) as app, asking(app) as made:
        made.headers.update(bearer(token(settings, town.url, Role.DISPATCHER)))
        yield made


async def push(client, rows, source="desk", key="k1", **headers):
    sent = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    given = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {}) | headers
    return await client.post(f"/ingest/{source}", content=sent, headers=given)


async def test_a_push_is_taken_in_with_its_job(client, town):
    answer = await push(client, [call(1, extra="dropped"), call(2)])
    assert answer.status_code == 202
    (kept,) = town.rows("select * from onemap.push")
    path = f"/jobs/{kept['job_id']}"
    assert answer.headers["location"] == path
    assert answer.json() == {"job": kept["job_id"], "status": f"http://map.test{path}"}
    assert kept["rows"] == [call(1), call(2)]
    (job,) = town.rows("select task_name, lock, args, status::text from jobs.procrastinate_jobs")
    assert job == {"task_name": "push", "lock": "desk", "args": {"push_id": kept["push_id"]}, "status": "todo"}
    asked = (await client.get(path)).json()
    assert (asked["state"], asked["source"], asked["progress"], asked["account"]) == ("queued", "desk", None, None)


async def test_a_key_that_comes_again_is_answered_alike_and_stored_once(client, town):
    first = await push(client, [call(1)])
    again = await push(client, [call(1)])
    assert (again.status_code, again.json()) == (202, first.json())
    other = await push(client, [call(2)])
    assert (other.status_code, other.json()["type"]) == (409, "urn:onemap:conflict")
    assert (await push(client, [call(2)], key="k2")).json() != first.json()
    assert len(town.rows("select from jobs.procrastinate_jobs")) == 2


async def test_a_key_that_comes_often_at_once_makes_one_job(client, town):
    answers = await asyncio.gather(*(push(client, [call(1)]) for _ in range(8)))
    assert len({answer.json()["job"] for answer in answers}) == 1
    assert len(town.rows("select from jobs.procrastinate_jobs")) == 1


async def test_persons_are_masked_before_anything_is_stored(client, town):
    answer = await push(client, [call(1, street="call 13800138000", at="张三先生 13900139000")])
    assert answer.status_code == 202
    (kept,) = town.rows("select rows::text, masked from onemap.push")
    assert "138001" not in kept["rows"]
    assert "139001" not in kept["rows"]
    assert sorted(kept["masked"]) == [["at", "name", 1], ["at", "phone", 1], ["street", "phone", 1]]


async def test_a_key_that_names_a_person_is_refused_and_not_stored(client, town):
    answer = await push(client, [call(1), call(2, id="13800138000")])
    assert (answer.status_code, answer.json()["row"], answer.json()["column"]) == (422, 2, "id")
    assert "13800138000" not in answer.text
    assert town.rows("select from onemap.push") == []


async def test_bad_rows_are_told_and_not_stored(client, town):
    answer = await push(client, [call(1), {"id": 1}])
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["row"]) == (400, "urn:onemap:bad-input", 2)
    assert town.rows("select from onemap.push") == []


@pytest.mark.parametrize("key", [None, "", "a b", "é", "x" * 201])
async def test_a_key_is_needed_of_visible_characters(client, key):
    given = {} if key is None else {"Idempotency-Key": key.encode()}
    answer = await push(client, [call(1)], key=None, **given)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:onemap:bad-value")


async def test_sources_that_take_no_pushes_say_so(client):
    unknown, file = await push(client, [call(1)], "nope"), await push(client, [call(1)], "calls")
    assert (unknown.status_code, unknown.json()["source"]) == (404, "nope")
    assert (file.status_code, file.json()["title"]) == (409, "'calls' is read as csv, not pushed")


@pytest.mark.parametrize(
    ("who", "area", "status"),
    [
        (None, None, 401),
        (Role.ROOM, None, 403),
        (Role.PLANNER, None, 403),
        (Role.DISPATCHER, "D", 403),
        (Role.ADMIN, None, 202),
    ],
)
async def test_only_dispatchers_and_administrators_of_the_whole_city_push_and_look(
    client, town, own_toy, toy_settings, who, area, status
):
    del client.headers["authorization"]
    if who is not None:
        client.headers.update(bearer(token(toy_settings, town.url, who, area and own_toy.area_id(area))))
    assert (await push(client, b"not even JSON" if status != 202 else [call(1)])).status_code == status
    assert (await client.get("/jobs/99")).status_code == {202: 404}.get(status, status)


async def test_a_bad_token_is_nobodys(client):
    assert (await push(client, [call(1)], Authorization="Bearer om_" + "a" * 43)).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/csv"}, {"Content-Encoding": "gzip"}, {"Content-Type": ""}]
)
async def test_another_kind_of_body_is_refused(client, headers):
    answer = await push(client, [call(1)], **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")


async def test_a_body_that_is_too_long_is_refused_before_it_is_read(client, town):
    read = 0

    async def endless():
        nonlocal read
        while read < 10 * MOST_BYTES:
            read += 1_000_000
            yield b" " * 1_000_000

    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await client.post("/ingest/desk", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:onemap:too-large")
    assert (await push(client, b" " * (MOST_BYTES + 1))).status_code == 413
    assert (await push(client, [call(n) for n in range(MOST_ROWS + 1)])).status_code == 413
    assert town.rows("select from onemap.push") == []


async def test_a_body_that_is_cut_off_is_told_to_nobody_and_logs_no_fault(town, toy_settings, caplog):
    settings = toy_settings.model_copy(update={"cities": town.folder.parent})
    headers = bearer(token(settings, town.url, Role.ADMIN)) | {
        "Content-Type": "application/json",
        "Idempotency-Key": "k",
    }
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/ingest/desk", "raw_path": b"/ingest/desk", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http", "server": ("map.test", 80), "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    async with running(settings, town.url) as app:
        await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_no_audience_reads_or_writes_pushes_and_jobs_by_itself(town):
    for role in ("onemap_public", "onemap_room", "onemap_analyst", "onemap_exact"):
        for tried in (
            "select from onemap.push",
            "select from jobs.procrastinate_jobs",
            "select from onemap.job_report",
            "insert into onemap.push default values",
        ):
            forbidden(town, role, tried)
    forbidden(town, "onemap_analyst", "select * from onemap.accept_push('desk', 'k', 's', 1, '[]', '[]', now())")


def forbidden(town, role, tried):
    with connect(town.url) as connection:
        connection.execute(f"set role {role}")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(tried)


async def test_the_function_that_stores_a_push_knows_its_sources_itself(town):
    with connect(town.url) as connection:
        connection.execute("set role onemap_exact")
        found = connection.execute("select * from onemap.accept_push('calls', 'k', 's', 1, '[]', '[]', now())")
        assert found.fetchall() == []
