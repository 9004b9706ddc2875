"""What ends an answer that takes too long or becomes too large, and that the README says so of each."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from layers.core import db
from layers.core.audience import Role
from layers.query import condition, expression, features, placed, tiles
from layers.records import pushed
from mapserver import body, caps, follower, heat, live, middleware, params
from mapserver.caps import Capped
from mapserver.middleware import LastResort
from tests.mapserver.conftest import BASE, bearer, token

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8").partition("**How much is answered.**")[2]

# What the row of that name says in the columns of time, number and bytes; none where it says nothing.
TABLE = {
    "any answer": (f"database's and {caps.GRACE_S:g} s", None, f"{caps.MOST_BYTES:,}"),
    "a page of features": (None, f"{params.LIMIT_MOST:,} features", None),
    "features as a file": (f"{db._STREAM_S:g} s", f"{features.MOST_COUNTED:,} features", f"{caps.FILE_BYTES:,}"),
    "`filter`": (
        None, f"{condition.MOST_NODES:,} parts, {condition.DEEPEST} deep, {placed.MOST_CORNERS:,} corners",
        f"{expression.LONGEST:,}",
    ),
    "a vector tile": (
        None, f"{tiles.MOST_FEATURES:,} features drawn, {tiles.MOST_MERGED:,} merged", None,
    ),
    "frames of heat": (None, f"{heat.MOST_STEPS:,} steps, {heat.MOST_VALUES:,} values", None),
    "`/live`": (None, f"{live.REPLAYED:,} events replayed", f"{follower.BUFFER:,} waiting"),
    "`/ingest/{source}`": (None, f"{pushed.MOST_ROWS:,} rows", f"{body.MOST_BYTES:,}"),
    "a URL": (None, None, f"{middleware.LONGEST_URL:,}"),
}  # fmt: skip


@pytest.mark.parametrize("what", TABLE)
def test_the_readme_says_how_much_is_answered(what):
    (row,) = re.findall(rf"^\| {re.escape(what)} \|(.*)\|$", README, re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    assert len(cells) == 3
    for cell, said in zip(cells, TABLE[what], strict=True):
        assert (said in cell) if said else cell == "", (cell, said)


def answering(start=(), parts=(), wait_s=0.0, error=None):
    async def app(scope, receive, send):
        await asyncio.sleep(wait_s)
        if error:
            raise error
        headers = [(name.encode(), value.encode()) for name, value in start]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(wait_s)
        await send({"type": "http.response.body", "body": b""})

    return app


async def asked(app, path="/heat", timeout_s=0.05):
    transport = httpx.ASGITransport(LastResort(Capped(app, timeout_s)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        return await client.get(path)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(caps, "GRACE_S", 0.05)
    monkeypatch.setattr(caps, "MOST_BYTES", 100)


async def test_what_takes_too_long_is_ended_and_says_when_to_come_back(short):
    answer = await asked(answering(wait_s=5))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["type"] == "urn:onemap:unavailable"


async def test_what_has_begun_in_time_may_last(short):
    assert (await asked(answering(wait_s=0.07, parts=[b"x"]))).content == b"x"


async def test_features_as_files_and_live_events_have_their_own_time(short):
    for path in ("/collections/areas/items", "/live"):
        assert (await asked(answering(wait_s=0.2), path)).status_code == 200
    assert (await asked(answering(wait_s=0.2), "/collections/areas/items/1")).status_code == 503


async def test_a_timeout_of_something_else_is_not_taken_for_this_one(short):
    assert (await asked(answering(error=TimeoutError()))).status_code == 500


async def test_an_answer_that_says_that_it_is_too_large_is_not_sent(short):
    answer = await asked(answering([("content-length", "101")], [b"x" * 101]))
    assert (answer.status_code, answer.json()["most"]) == (400, 100)
    assert (await asked(answering([("content-length", "100")], [b"x" * 100]))).content == b"x" * 100


async def test_an_answer_that_becomes_too_large_breaks_off_so_that_nobody_takes_it_for_a_whole_one(short):
    with pytest.raises(ConnectionAbortedError):
        await asked(answering(parts=[b"x" * 60, b"x" * 60]))


async def test_frames_of_more_values_than_are_held_are_refused_before_they_are_worked_out(
    client, room_headers, monkeypatch
):
    query = "/heat/all/frames?steps=10&res=9&from=2025-01-01T00:00:00Z&to=2025-02-01T00:00:00Z"
    assert (await client.get(query, headers=room_headers)).status_code == 200
    monkeypatch.setattr(heat, "MOST_VALUES", 100)
    answer = await client.get(query, headers=room_headers)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "steps")
    far = await client.get(f"{query}&bbox=10.0,50.0,10.001,50.001", headers=room_headers)
    assert far.status_code == 200


@pytest.fixture
def room_headers(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))
