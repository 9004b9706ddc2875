import pytest

from layers.core import jobs
from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import asking, bearer, token


@pytest.fixture
async def client(own_app, own_toy, toy_settings):
    async with asking(own_app) as made:
        made.headers.update(bearer(token(toy_settings, own_toy.url, Role.DISPATCHER)))
        yield made


@pytest.fixture
def job(own_toy):
    """A job that waits."""
    with connect(own_toy.url) as connection:
        return jobs.defer(connection, "load", "calls", {"source": "calls", "file": "calls_1.csv"})


def change(toy, query, *values):
    with connect(toy.url) as connection:
        connection.execute("set search_path to jobs")
        connection.execute(query, values)


async def test_a_job_is_followed_from_the_queue_to_its_account(client, own_toy, job):
    asked = (await client.get(f"/jobs/{job}")).json()
    assert (asked["state"], asked["file"], asked["started"], asked["runs"]) == ("queued", "calls_1.csv", None, [])

    change(own_toy, "update procrastinate_jobs set status = 'doing' where id = %s", job)
    with connect(own_toy.url) as connection:
        jobs.say(connection, job, "staging", 0.5, 1200)
    asked = (await client.get(f"/jobs/{job}")).json()
    assert (asked["state"], asked["progress"]) == ("running", {"step": "staging", "share": 0.5, "rows": 1200})
    assert asked["created"] <= asked["started"]
    assert asked["finished"] is None

    with connect(own_toy.url) as connection:
        (run,) = connection.execute(
            """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state, rows_read,
              inserted, quarantined)
            values ('calls', 'incidents', 'append', 'calls_1.csv', '', now(), 'done', 5, 3, 2) returning run_id"""
        ).fetchall()
        jobs.end(connection, job, [run["run_id"]])
    change(own_toy, "select procrastinate_finish_job_v1(%s, 'succeeded', false)", job)
    asked = (await client.get(f"/jobs/{job}")).json()
    assert (asked["state"], asked["runs"], asked["progress"]["rows"]) == ("done", [run["run_id"]], 1200)
    account = asked["account"]
    assert account.pop("rows_read") == 5 == sum(account.values())
    assert (account["inserted"], account["quarantined"]) == (3, 2)
    assert asked["started"] <= asked["finished"]


async def test_a_job_that_failed_says_why(client, own_toy, job):
    change(own_toy, "update procrastinate_jobs set status = 'doing' where id = %s", job)
    with connect(own_toy.url) as connection:
        jobs.fail(connection, job, "calls_1.csv: there is no such file")
    change(own_toy, "select procrastinate_finish_job_v1(%s, 'failed', false)", job)
    asked = (await client.get(f"/jobs/{job}")).json()
    assert (asked["state"], asked["message"]) == ("failed", "calls_1.csv: there is no such file")
    assert (asked["account"], asked["attempts"]) == (None, 1)


async def test_a_job_that_is_not_there_is_told_by_its_number(client):
    answer = await client.get("/jobs/99")
    assert (answer.status_code, answer.json()["job"]) == (404, 99)


@pytest.mark.parametrize("name", ["0", "-1", "x", str(2**63)])
async def test_a_number_that_is_none_is_refused(client, name):
    assert (await client.get(f"/jobs/{name}")).status_code == 400


async def test_what_a_job_says_stays_private(client, job):
    answer = await client.get(f"/jobs/{job}")
    assert answer.headers["cache-control"] == "private, no-cache"
