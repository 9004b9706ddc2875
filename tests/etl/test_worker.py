"""Workers at work, in this process, on a real queue."""

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import timedelta

from procrastinate.jobs import Job

from etl import pipeline
from etl.foreman import Foreman
from etl.work import Town
from etl.worker import Stopped, _Again, add_tasks, queue, serve
from layers.core import jobs
from layers.core.db import connect
from layers.core.errors import Unavailable
from layers.core.settings import PushSettings
from layers.push import news
from tests.etl.push.receivers import office
from tests.workshop import INCIDENTS, NOW, FixedClock, call

DAY = timedelta(days=1)
JOB = "select status, attempts, message, step, run_ids, account from onemap.job_of(%s)"


@asynccontextmanager
async def working(town, **given):
    """A worker in `town`, until the end of the block; yields the flag that makes its jobs end."""
    app, stop, stopping = queue(town.url), asyncio.Event(), threading.Event()
    add_tasks(app, Town(town.folder, town.url, FixedClock(), **given), stopping)
    async with app.open_async():
        task = asyncio.create_task(serve(app, stop, heartbeat_s=0.2, stalled_s=1.0))
        try:
            yield stopping
        finally:
            stop.set()
            await asyncio.wait_for(task, 20)


def defer(town, source, **args):
    with connect(town.url) as connection:
        return jobs.defer(connection, "load", source, {"source": source} | args)


async def until(town, job, *states, within_s=30):
    async with asyncio.timeout(within_s):
        while True:
            (row,) = await asyncio.to_thread(town.rows, JOB, job)
            if row["status"] in states:
                return row
            await asyncio.sleep(0.05)


async def test_a_job_loads_its_source_and_keeps_the_account(town):
    town.csv("calls.csv", [call(1), call(2), call(3, kind="nonsense")])
    town.source(INCIDENTS)
    async with working(town):
        row = await until(town, defer(town, "calls"), "succeeded")
    assert row["account"] == {
        "rows_read": 3, "inserted": 2, "updated": 0, "unchanged": 0, "superseded": 0, "quarantined": 1, "deleted": 0,
    }  # fmt: skip
    assert (row["step"], row["message"], len(row["run_ids"])) == ("done", None, 1)


async def test_a_job_loads_the_one_file_that_it_names(town):
    for number in (1, 2):
        town.csv(f"calls_{number}.csv", [call(number)])
    town.source(INCIDENTS, file="calls_*.csv")
    async with working(town):
        row = await until(town, defer(town, "calls", file="calls_2.csv"), "succeeded")
    assert row["account"]["inserted"] == 1
    assert [row["source_key"] for row in town.rows("select source_key from onemap.incident")] == ["c2"]


async def test_a_bad_file_fails_with_its_message_and_is_not_tried_again(town):
    town.write("calls.csv", "id\nx")
    town.source(INCIDENTS)
    async with working(town):
        row = await until(town, defer(town, "calls"), "failed")
    assert row["attempts"] == 1
    assert "calls.csv: there is no column" in row["message"]


async def test_what_is_unforeseen_is_told_without_what_it_said(town, monkeypatch):
    def run(*_, **__):
        raise RuntimeError("张三 13800138000")

    monkeypatch.setattr(pipeline, "run", run)
    town.source(INCIDENTS)
    async with working(town):
        row = await until(town, defer(town, "calls"), "failed")
    assert row["message"] == "something went wrong here; it is in the worker's log"


async def test_a_database_that_is_away_is_tried_again_later(town, monkeypatch):
    twice = threading.Semaphore(0)

    def run(*_, **__):
        twice.release()
        raise Unavailable("gone")

    monkeypatch.setattr(pipeline, "run", run)
    town.source(INCIDENTS)
    async with working(town):
        job = defer(town, "calls")
        for _ in range(2):
            assert await asyncio.to_thread(twice.acquire, timeout=30)
        row = await until(town, job, "todo")
    assert (row["attempts"], row["message"]) == (2, "gone")


async def test_two_jobs_of_a_source_are_done_one_after_the_other(town, monkeypatch):
    under_way, most = 0, 0
    lock = threading.Lock()

    def run(*_, **__):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.2)
        with lock:
            under_way -= 1
        return []

    monkeypatch.setattr(pipeline, "run", run)
    town.source(INCIDENTS)
    async with working(town), working(town):
        for job in [defer(town, "calls") for _ in range(4)]:
            await until(town, job, "succeeded")
    assert most == 1


async def test_a_worker_that_is_asked_to_stop_gives_its_job_back(town, monkeypatch):
    begun = threading.Event()

    def run(_url, _city, _source, _clock, hear, **_):
        begun.set()
        while True:
            hear("staging", 0.5, 10)
            threading.Event().wait(0.01)

    monkeypatch.setattr(pipeline, "run", run)
    town.source(INCIDENTS)
    async with working(town) as stopping:
        job = defer(town, "calls")
        await asyncio.to_thread(begun.wait, 20)
        row = await until(town, job, "doing")
        assert row["step"] == "staging"
        stopping.set()
        row = await until(town, job, "todo")
    assert row["message"] == "the worker was asked to stop"


async def test_the_rows_of_a_push_land_once_and_its_masks_stand_in_the_ledger(town):
    source = town.source(INCIDENTS, id="desk", format="push", file=None)
    Town(town.folder, town.url).read()
    rows = [call(1, street="call [phone]"), call(2)]
    push = jobs.Push(source.id, "k1", "ab", rows, [("street", "phone", 1)])
    statement = jobs.accept(push, FixedClock().now())
    with connect(town.url) as connection:
        accepted = connection.execute(statement.sql.encode(), statement.params).fetchone()
    async with working(town):
        row = await until(town, accepted["job_id"], "succeeded")
    assert row["account"]["inserted"] == 2
    (run,) = town.rows("select run_id, via, file_name, file_sha256 from onemap.run")
    assert (run["via"], run["file_name"], run["file_sha256"]) == ("push", "push 1", "ab")
    (finding,) = town.rows("select kind, subject, amount from onemap.finding")
    assert finding == {"kind": "masked", "subject": "street", "amount": 1.0}
    again = Town(town.folder, town.url).push(1, lambda *_: None)
    assert again == [run["run_id"]]
    assert len(town.rows("select from onemap.run")) == 1


async def test_a_worker_goes_on_after_its_connections_were_cut(town, monkeypatch):
    monkeypatch.setattr(pipeline, "run", lambda *_, **__: [])
    town.source(INCIDENTS)
    async with working(town):
        for _ in range(3):
            await until(town, defer(town, "calls"), "succeeded", within_s=60)
            town.rows(
                """select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()"""
            )


def test_only_what_may_pass_is_tried_again():
    def again(exception, attempts):
        job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="load", attempts=attempts)
        return _Again().get_retry_decision(exception=exception, job=job)

    assert again(ValueError(), 0) is None
    assert again(Stopped(), 99) is not None
    waits = [again(Unavailable("x"), attempts) for attempts in range(jobs.MOST_ATTEMPTS)]
    assert waits[-1] is None
    gaps = [wait.retry_at for wait in waits[:-1]]
    assert gaps == sorted(gaps)


async def test_terms_of_cases_are_told_of_by_a_job_and_no_more_than_one_waits(own_toy, shop):
    with connect(own_toy.url) as connection:
        (case,) = connection.execute(
            """insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at, cell,
              zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
            select 'closed_loop', 'test', 'k', category, 1, origin, %(at)s, cell, zones, spot, geom, 'handling', true, 3,
              %(at)s, %(at)s, 0, false, '{}' from onemap.incident limit 1 returning case_id""",
            {"at": NOW},
        ).fetchall()
        connection.execute(
            "insert into onemap.case_deadline (case_id, stage, start_at, due_at, red_at) "
            "select %s, stage, %s, %s, %s from unnest(array['handle', 'accept']) stage",
            [case["case_id"], NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY],
        )
    shop.url = own_toy.url
    foreman = Foreman(Town(shop.folder, shop.url, FixedClock()))
    with connect(shop.url) as connection:
        connection.autocommit = True
        for _ in range(2):
            foreman.look(connection)
    (job,) = shop.rows("select id from jobs.procrastinate_jobs where task_name = 'remind'")
    async with working(shop):
        await until(shop, job["id"], "succeeded")
    told = shop.rows("select subject, payload ->> 'colour' as colour from onemap.ledger where kind = 'reminder'")
    assert [(row["subject"], row["colour"]) for row in told] == [(f"case:{case['case_id']}", "red")] * 2
    with connect(shop.url) as connection:
        connection.autocommit = True
        foreman.look(connection)
    assert len(shop.rows("select from jobs.procrastinate_jobs where task_name = 'remind'")) == 1


async def test_photos_of_cases_that_ended_long_ago_are_removed_by_a_job(own_toy, shop):
    with connect(own_toy.url) as connection:
        connection.execute(
            """with told as (
              insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at,
                cell, zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
              select 'closed_loop', 'test', days::text, category, 1, origin, %(at)s, cell, zones, spot, geom, 'closed',
                false, 3, %(at)s, %(at)s - make_interval(days => days), 0, false, '{}'
              from (select * from onemap.incident limit 1) one, unnest(array[29, 31]) days returning case_id)
            insert into onemap.case_photo select case_id, %(at)s, 'jpeg' from told""",
            {"at": NOW},
        )
    shop.url = own_toy.url
    foreman = Foreman(Town(shop.folder, shop.url, FixedClock()))
    with connect(shop.url) as connection:
        connection.autocommit = True
        foreman.look(connection)
    (job,) = shop.rows("select id from jobs.procrastinate_jobs where task_name = 'forget_photos'")
    async with working(shop):
        await until(shop, job["id"], "succeeded")
    left = shop.rows("select source_key from onemap.case_photo join onemap.case_file using (case_id)")
    assert left == [{"source_key": "29"}]


async def test_news_is_spread_and_sent_by_jobs(own_toy, shop):
    shop.url = own_toy.url
    foreman = Foreman(Town(shop.folder, shop.url, FixedClock()))
    with office() as desk, connect(shop.url) as connection:
        connection.autocommit = True
        connection.execute(news.begin().sql)
        connection.execute(
            """insert into onemap.subscription (kind, address, secret, audience, categories, zone_types, topics, language,
              red_passes, digest_min, note, created_at)
            values ('webhook', %s, 's', 'room', '{}', '{}', '{red}', 'en', false, 0, '', %s)""",
            [desk.url, NOW - DAY],
        )
        connection.execute(
            """with told as (
              insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at,
                cell, zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
              select 'closed_loop', 'test', '1', 'theft', 1, origin, %(at)s, cell, zones, spot, geom, 'handling', true,
                3, %(at)s, %(at)s, 0, false, '{}'
              from onemap.incident limit 1 returning case_id)
            insert into onemap.outbox (at, topic, layer, area_ids, payload)
            select %(at)s, 'reminder', 'cases', '{}', jsonb_build_object('id', case_id, 'category', 'theft',
              'sensitive', false, 'colour', 'red', 'state', 'handling') from told""",
            {"at": NOW},
        )
        async with working(shop, sends=PushSettings(private_targets=True)), asyncio.timeout(30):
            while not shop.rows("select from onemap.delivery where outcome = 'sent'"):
                await asyncio.to_thread(foreman.look, connection)
                await asyncio.sleep(0.1)
    assert len(desk.got) == 1
