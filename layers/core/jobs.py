"""The queue of jobs: procrastinate's tables in a schema of their own, and what the house asks of them.

The library itself is imported where a worker runs. The server puts jobs in and looks at them by SQL alone.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from layers.core.errors import OnemapError
from layers.core.statement import Statement

SCHEMA = "jobs"
HEARTBEAT_S = 5.0
"""A worker says this often that it lives."""
STALLED_S = 30.0
"""A worker that has not said so for this long is dead, and what it was doing is taken up again."""
MOST_ATTEMPTS = 10
"""A job that so many workers or connections have died of is not tried again."""
KEPT_DAYS = 90
"""Jobs that have ended can be looked at for so long."""

_HERE = "set local search_path to jobs"


class QueueError(OnemapError):
    """The queue's tables are of a later version of the library than the one installed."""

    code = "queue-error"


def prepare(connection: psycopg.Connection[DictRow]) -> None:
    """Bring the queue's tables to the installed version of the library, inside the caller's transaction.

    Raises
    ------
    QueueError : they are of a later version.
    """
    connection.execute("create schema if not exists jobs")
    connection.execute("create table if not exists jobs.applied_step (name text primary key)")
    applied = {row["name"] for row in connection.execute("select name from jobs.applied_step")}
    sql = _library() / "sql"
    shipped = sorted(path.name for path in (sql / "migrations").glob("*.sql"))
    if later := sorted(applied - set(shipped)):
        raise QueueError(
            f"the job queue is of a later version of procrastinate than is installed: it has step {later[-1]}",
            step=later[-1],
        )
    missing = [name for name in shipped if name not in applied]
    if not missing:
        return
    connection.execute(_HERE)
    for path in [sql / "migrations" / name for name in missing] if applied else [sql / "schema.sql"]:
        connection.execute(path.read_bytes())
    connection.execute("set local search_path to default")
    with connection.cursor() as cursor:
        cursor.executemany("insert into jobs.applied_step (name) values (%s)", [[name] for name in missing])


def defer(
    connection: psycopg.Connection[DictRow],
    task: str,
    source: str,
    args: dict[str, Any],
    *,
    priority: int = 0,
    waits_once: str | None = None,
) -> int | None:
    """Put a job into the queue and return its id; none if one of the same `waits_once` waits there already.

    Jobs of one source are done one after the other, in the order in which they came; of several sources that wait,
    the one of the highest `priority` is first.
    """
    with connection.transaction():
        connection.execute(_HERE)
        found = connection.execute(
            """select unnest(procrastinate_defer_jobs_v1(array[
              row('default', %(task)s, %(priority)s, %(source)s, %(once)s, %(args)s, null)
            ]::procrastinate_job_to_defer_v1[])) as id
            where not exists (
              select from procrastinate_jobs where status = 'todo' and queueing_lock = %(once)s)""",
            {"task": task, "priority": priority, "source": source, "once": waits_once, "args": Jsonb(args)},
        ).fetchone()
    return int(found["id"]) if found else None


def rescue(connection: psycopg.Connection[DictRow], stalled_s: float = STALLED_S) -> list[int]:
    """Put back the jobs of dead workers, and return their ids; one that was tried too often fails instead."""
    with connection.transaction():
        connection.execute(_HERE)
        lost = connection.execute(
            """select id, attempts from procrastinate_jobs job
            where status = 'doing' and not exists (
              select from procrastinate_workers worker
              where worker.id = job.worker_id and worker.last_heartbeat > now() - make_interval(secs => %s))
            order by id for update of job skip locked""",
            [stalled_s],
        ).fetchall()
        for row in lost:
            if row["attempts"] + 1 < MOST_ATTEMPTS:
                connection.execute("select procrastinate_retry_job_v2(%s, now(), null, null, null)", [row["id"]])
            else:
                connection.execute("select procrastinate_finish_job_v1(%s, 'failed', false)", [row["id"]])
                fail(connection, row["id"], f"{MOST_ATTEMPTS} workers died of it")
    return [row["id"] for row in lost]


def forget(connection: psycopg.Connection[DictRow]) -> None:
    """Drop the jobs that ended long ago, and what they said."""
    connection.execute(
        """with old as (
          delete from jobs.procrastinate_jobs job where status not in ('todo', 'doing') and not exists (
            select from jobs.procrastinate_events event
            where event.job_id = job.id and event.at > now() - make_interval(days => %s))
          returning id)
        delete from onemap.job_report using old where job_id = old.id""",
        [KEPT_DAYS],
    )


def say(connection: psycopg.Connection[DictRow], job_id: int, step: str, share: float, rows: int) -> None:
    """Write down how far a job is: what it does, the share of it that is done (0 to 1), and the rows it has."""
    _report(connection, job_id, step=step, share=share, rows=rows)


def end(connection: psycopg.Connection[DictRow], job_id: int, run_ids: list[int]) -> None:
    """Write down the runs that a job has brought to their end."""
    _report(connection, job_id, step="done", share=1.0, run_ids=run_ids)


def fail(connection: psycopg.Connection[DictRow], job_id: int, message: str) -> None:
    """Write down why a job, or a try of it, failed."""
    _report(connection, job_id, step="failed", message=message)


def _report(connection: psycopg.Connection[DictRow], job_id: int, **said: Any) -> None:
    connection.execute(
        """insert into onemap.job_report (job_id, at, step, share, row_count, run_ids, message)
        values (%(job_id)s, now(), %(step)s, coalesce(%(share)s, 0), coalesce(%(rows)s, 0),
          coalesce(%(run_ids)s::bigint[], '{}'), %(message)s)
        on conflict (job_id) do update set at = excluded.at, step = excluded.step, message = excluded.message,
          share = coalesce(%(share)s, job_report.share), row_count = coalesce(%(rows)s, job_report.row_count),
          run_ids = coalesce(%(run_ids)s::bigint[], job_report.run_ids)""",
        {"share": None, "rows": None, "run_ids": None, "message": None} | said | {"job_id": job_id},
    )


@dataclass(frozen=True)
class Push:
    """Rows that were pushed, fit to be stored; `masked` counts the spans that were masked, by column and kind."""

    source: str
    idempotency_key: str
    body_sha256: str
    rows: list[dict[str, Any]]
    masked: list[tuple[str, str, int]]


def source(name: str) -> Statement:
    """What the source of that id declares: format, taken, key, texts."""
    return Statement("select format, taken, key, texts from onemap.source where source = %(name)s", {"name": name})


def accept(push: Push, at: datetime) -> Statement:
    """Store a push with its job: job_id, and whether the body is `same` as when its key came first."""
    return Statement(
        """select job_id, same from onemap.accept_push(
          %(source)s, %(key)s, %(sha256)s, %(count)s, %(rows)s, %(masked)s, %(at)s)""",
        {
            "source": push.source,
            "key": push.idempotency_key,
            "sha256": push.body_sha256,
            "count": len(push.rows),
            "rows": Jsonb(push.rows),
            "masked": Jsonb(push.masked),
            "at": at,
        },
    )


def job(job_id: int) -> Statement:
    """What is known of a job, in the words of onemap.job_of."""
    return Statement("select * from onemap.job_of(%(job_id)s)", {"job_id": job_id})


def _library() -> Path:
    """The folder of procrastinate, which need not be imported for its SQL."""
    found = find_spec("procrastinate")
    if found is None or found.origin is None:
        raise QueueError("procrastinate is not installed")
    return Path(found.origin).parent
