from pathlib import Path

import procrastinate
import pytest

from layers.core import jobs
from layers.core.db import connect
from layers.core.migrate import migrate

DOING = """insert into jobs.procrastinate_jobs (queue_name, task_name, lock, status, attempts, worker_id)
values ('default', 'load', %s, 'doing', %s, %s) returning id"""
WORKER = "insert into jobs.procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id"


@pytest.fixture
def connection(empty_url):
    with connect(empty_url) as made:
        made.execute("set search_path to jobs, public")
        yield made


def value(connection, query, *values):
    return next(iter(connection.execute(query, values).fetchone().values()))


def state(connection, job_id):
    row = connection.execute("select * from onemap.job_of(%s)", [job_id]).fetchone()
    return row["status"], row["attempts"], row["message"]


def test_a_migrated_database_has_the_queue_at_the_version_of_the_library(connection):
    assert value(connection, "select to_regclass('jobs.procrastinate_jobs') is not null")
    before = value(connection, "select count(*) from jobs.applied_step")
    migrate(connection)
    assert value(connection, "select count(*) from jobs.applied_step") == before > 0


def test_a_queue_behind_the_library_is_brought_on_by_the_steps_it_lacks(empty_url):
    *earlier, _, _ = sorted((Path(procrastinate.__file__).parent / "sql" / "migrations").glob("*.sql"))
    with connect(empty_url) as connection:
        connection.autocommit = True
        connection.execute("drop schema jobs cascade; create schema jobs; set search_path to jobs")
        for step in earlier:
            connection.execute(step.read_bytes())
        connection.execute("create table applied_step (name text primary key)")
        connection.execute("insert into applied_step select unnest(%s::text[])", [[step.name for step in earlier]])
    with connect(empty_url) as connection:
        before = value(connection, "show search_path")
        migrate(connection)
        assert value(connection, "select to_regproc('jobs.procrastinate_retry_job_v2') is not null")
        assert value(connection, "show search_path") == before
    with connect(empty_url) as connection:
        connection.execute("set search_path to jobs, public")
        job = value(connection, DOING, "a", 0, None)
        assert jobs.rescue(connection) == [job]


def test_a_queue_ahead_of_the_library_is_refused_by_its_step(connection):
    connection.execute("insert into jobs.applied_step values ('99.00.00_01_future.sql')")
    with pytest.raises(jobs.QueueError, match=r"later version of procrastinate .* 99\.00\.00_01_future"):
        migrate(connection)


def test_the_job_of_a_dead_worker_is_put_back_and_that_of_a_live_one_is_left(connection):
    dead, alive = (value(connection, WORKER, age) for age in (31, 1))
    lost, forgotten, busy = (
        value(connection, DOING, lock, 0, worker) for lock, worker in (("a", dead), ("b", None), ("c", alive))
    )
    assert jobs.rescue(connection) == [lost, forgotten]
    assert [state(connection, job)[:2] for job in (lost, forgotten, busy)] == [
        ("todo", 1),
        ("todo", 1),
        ("doing", 0),
    ]
    assert jobs.rescue(connection) == []


def test_a_job_that_kills_its_workers_fails_in_the_end(connection):
    job = value(connection, DOING, "a", jobs.MOST_ATTEMPTS - 1, None)
    assert jobs.rescue(connection) == [job]
    assert state(connection, job) == ("failed", jobs.MOST_ATTEMPTS, "10 workers died of it")


def test_jobs_that_ended_long_ago_are_forgotten_with_what_they_said(connection):
    old, recent = (value(connection, DOING, lock, 0, None) for lock in "ab")
    for job in (old, recent):
        jobs.end(connection, job, [])
        connection.execute("select procrastinate_finish_job_v1(%s, 'succeeded', false)", [job])
    connection.execute("update procrastinate_events set at = now() - interval '91 days' where job_id = %s", [old])
    jobs.forget(connection)
    assert value(connection, "select array_agg(id) from procrastinate_jobs") == [recent]
    assert value(connection, "select array_agg(job_id) from onemap.job_report") == [recent]


def test_what_a_job_says_keeps_what_was_said_before(connection):
    jobs.say(connection, 7, "staging", 0.5, 100)
    jobs.end(connection, 7, [1, 2])
    row = connection.execute("select * from onemap.job_report").fetchone()
    assert (row["step"], row["share"], row["row_count"], row["run_ids"]) == ("done", 1.0, 100, [1, 2])
    jobs.fail(connection, 7, "gone")
    row = connection.execute("select * from onemap.job_report").fetchone()
    assert (row["step"], row["row_count"], row["run_ids"], row["message"]) == ("failed", 100, [1, 2], "gone")
