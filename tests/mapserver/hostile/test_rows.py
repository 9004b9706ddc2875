"""Bad inputs 49-52, 54, 55 and 60: rows that can be read and mean what they must not; the job says so, row by row."""

import json

import pytest

from tests.etl.test_worker import until, working
from tests.mapserver.hostile.conftest import refused
from tests.workshop import call

STRANGE = [
    (49, {"at": 1}, "occurred_at"),
    (49, {"at": True}, "occurred_at"),
    (49, {"lon": True}, "lon"),
    (49, {"kind": 3}, "category"),
    (49, {"lat": "fifty"}, "lat"),
    (52, {"at": "2036-01-01T00:00:00Z"}, "future"),
    (52, {"at": "2026-03-01T12:30:00Z"}, "future"),
    (54, {"lon": "50.02", "lat": "10.02"}, "look swapped"),
]


@pytest.fixture(autouse=True)
def unharmed():
    """Pushes are stored here; that bad rows are not is what these tests prove."""


async def push(api, rows, key):
    return await api.post(
        "/ingest/desk",
        content=json.dumps(rows),
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
    )


async def test_49_52_54_rows_that_break_their_promise_are_set_aside_each_with_its_reason(api, town):
    rows = [call(number, id=f"h{number}", **changes) for number, (_, changes, _) in enumerate(STRANGE)]
    answer = await push(api, rows, "strange")
    assert answer.status_code == 202
    async with working(town):
        done = await until(town, answer.json()["job"], "succeeded", "failed")
    assert done["status"] == "succeeded", done
    assert (done["account"]["inserted"], done["account"]["quarantined"]) == (0, len(STRANGE))
    reasons = town.reasons(done["run_ids"][0])
    for number, (_, changes, reason) in enumerate(STRANGE, 1):
        assert reason in " ".join(reasons[number]), (changes, reasons[number])
    assert town.rows("select from onemap.incident where source = 'desk'") == []


async def test_50_51_a_field_that_nobody_takes_is_dropped_and_a_time_without_a_zone_is_the_citys(api, town):
    answer = await push(api, [call(1, id="ok", surprise="DROP TABLE", at="2025-07-01T12:00:00")], "odd")
    assert answer.status_code == 202
    async with working(town):
        done = await until(town, answer.json()["job"], "succeeded")
    assert done["account"]["inserted"] == 1
    (kept,) = town.rows("select occurred_at, attributes from onemap.incident where source = 'desk'")
    assert kept["occurred_at"].isoformat() == "2025-07-01T10:00:00+00:00"  # Berlin's summer
    assert kept["attributes"] == {"street": "Long Street"}


async def test_55_the_same_push_is_taken_once_and_another_of_its_key_not_at_all(api, town):
    first, again = await push(api, [call(1)], "twice"), await push(api, [call(1)], "twice")
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    refused(await push(api, [call(2)], "twice"), 409, "Idempotency-Key")
    assert len(town.rows("select from onemap.push where idempotency_key = 'twice'")) == 1


async def test_60_persons_are_masked_in_a_text_and_refused_in_a_key(api, town):
    number = "11010519491231002X"
    assert (await push(api, [call(1, street=f"call 13800138000, {number}")], "text")).status_code == 202
    problem = refused(await push(api, [call(1, id=number)], "key"), 422)
    assert (problem["column"], problem["row"]) == ("id", 1)
    (kept,) = town.rows("select rows::text as rows from onemap.push where idempotency_key in ('text', 'key')")
    assert number not in kept["rows"]
    assert "13800138000" not in kept["rows"]
