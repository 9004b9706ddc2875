"""Kill workers while they load, and count: in the end everything is there as if nobody had been killed, and once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from etl.work import Town
from layers.core import jobs
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.heat.store.audit import digest
from layers.heat.store.checksum import checksum
from layers.heat.store.reader import Reader
from tests.workshop import INCIDENTS, Workshop, call

KILLS = int(os.environ.get("ONEMAP_DRILL_ROUNDS", "3"))
ROWS = 3000
ROOT = Path(__file__).parents[2]
WORKER = """
import asyncio, sys; from pathlib import Path; from etl.work import Town; from etl.work_cli import run
asyncio.run(run(Town(Path(sys.argv[1]), sys.argv[2]), Path(sys.argv[3]), heartbeat_s=0.2, stalled_s=1.0))
"""
HELD = """select source, source_key, category, occurred_at, state, zones, cell, attributes, content_hash
from onemap.incident order by source, source_key"""
RUNS = """select source, file_name, rows_read, inserted, updated, unchanged, superseded, quarantined, deleted
from onemap.run where state = 'done'"""
IDLE = "count(*) = 0 as so from jobs.procrastinate_jobs where status in ('todo', 'doing')"
BUSY = "count(*) > 0 as so from jobs.procrastinate_jobs where status = 'doing'"


@pytest.fixture
def towns(tmp_path, empty_url, cluster):
    """The toy city with two databases: one for workers that are killed, one for a load that nobody disturbs."""
    folder = tmp_path / "toy"
    shutil.copytree(ROOT / "tests" / "cities" / "toy", folder)
    cluster.create_database("undisturbed")
    calm = Workshop(folder, cluster.url("undisturbed"))
    with connect(calm.url) as connection:
        migrate(connection)
    calm.source(INCIDENTS, id="keyed", file="keyed_*.csv")
    calm.source(INCIDENTS, id="keyless", file="keyless_*.csv", key=[])
    calm.source(INCIDENTS, id="desk", format="push", file=None)
    return Workshop(folder, empty_url), calm


def heat(town):
    """Folder of the heat stores that the workers share."""
    return town.folder.parent / "heat"


def heat_agrees(town):
    store = Reader(heat(town)).store()
    with connect(town.url) as connection:
        return digest(store) == checksum(connection, len(store.base.layers))


@contextmanager
def worker(town, log):
    with log.open("a") as errors:
        words = [sys.executable, "-c", WORKER, str(town.folder), town.url, str(heat(town))]
        process = subprocess.Popen(words, stderr=errors, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows(number):
    """Rows of which some are new, some change what was said before, and some do not pass."""
    luck = random.Random(number)
    kinds = ["noise"] * 8 + ["theft", "nonsense"]
    first = number * ROWS // 2
    return [
        call(n, kind=luck.choice(kinds), lon=f"{luck.uniform(10, 10.1):.5f}") for n in range(first, first + ROWS)
    ]


def push(town, number):
    """Push rows; the id of the push."""
    statement = jobs.accept(jobs.Push("desk", f"k{number}", f"hash {number}", rows(number), []), Clock().now())
    with connect(town.url) as connection:
        connection.execute(statement.sql.encode(), statement.params)
        found = connection.execute("select max(push_id) as push_id from onemap.push").fetchone()
    return found["push_id"]


def until(town, question, log):
    """Wait for the answer yes."""
    deadline = time.monotonic() + 120
    while not town.rows(f"select {question}")[0]["so"]:
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.01)


def changed(run):
    return run["inserted"] + run["updated"] + run["deleted"] > 0


def test_nothing_is_lost_or_doubled_when_workers_are_killed(towns, tmp_path):
    chance, log = random.Random(20251124), tmp_path / "log"
    town, calm = towns
    steady = Town(calm.folder, calm.url)
    for each in (Town(town.folder, town.url), steady):
        each.read()
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(town, log)) for _ in range(2)]
        for number in range(KILLS):
            for source in ("keyed", "keyless"):
                file = f"{source}_{number:02}.csv"
                town.csv(file, rows(number))
                with connect(town.url) as connection:
                    jobs.defer(connection, "load", source, {"source": source, "file": file})
            push(town, number)
            until(town, BUSY, log)
            time.sleep(chance.uniform(0, 0.5))
            victim = chance.randrange(2)
            os.kill(workers[victim].pid, signal.SIGKILL)
            workers[victim].wait()
            workers[victim] = stack.enter_context(worker(town, log))
            until(town, IDLE, log)
        deadline = time.monotonic() + 60
        while not heat_agrees(town):
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.1)
    for number in range(KILLS):
        for source in ("keyed", "keyless"):
            steady.load(source, f"{source}_{number:02}.csv", lambda *_: None)
        steady.push(push(calm, number), lambda *_: None)

    ended = town.rows("select status::text, attempts from jobs.procrastinate_jobs where queueing_lock is null")
    assert [job["status"] for job in ended] == ["succeeded"] * 3 * KILLS
    assert any(job["attempts"] > 1 for job in ended), "no kill met a job"
    assert town.rows(HELD) == calm.rows(HELD)
    done = town.rows(RUNS)
    assert sorted(filter(changed, done), key=str) == sorted(calm.rows(RUNS), key=str)
    assert {tuple(run.values())[:3] for run in done} == {tuple(run.values())[:3] for run in calm.rows(RUNS)}
    assert len([run for run in done if run["source"] == "desk"]) == KILLS
