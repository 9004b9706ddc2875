"""A worker: takes one job after the other from the queue until it is asked to stop.

Nothing needs it to end well: a load lands in one transaction, and the job of one that has died goes to another.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from psycopg.conninfo import conninfo_to_dict

from etl.landing import Progress
from etl.work import Town
from layers.core import jobs
from layers.core.db import connect
from layers.core.errors import OnemapError, Unavailable
from layers.records.personal import mask, printable

POLL_S = 2.0
"""A job that comes wakes a worker at once; one that comes again, for a retry, is found within this time."""
_SAY_EVERY_S = 1.0
_LONGEST_WAIT_S = 300
_AGAIN_S = 2.0
_FOR_EVER_S = 10 * 365 * 86400.0

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The worker was asked to stop while it worked; the job goes back into the queue."""


class _Again(BaseRetryStrategy):
    """What was stopped is tried again at once, what found no database after a while, and nothing else."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try `job` again, if at all."""
        if isinstance(exception, Stopped):
            return RetryDecision(retry_in={"seconds": 0})
        lost = isinstance(exception, Unavailable | psycopg.OperationalError)
        if lost and job.attempts + 1 < jobs.MOST_ATTEMPTS:
            return RetryDecision(retry_in={"seconds": min(2 ** (job.attempts + 1), _LONGEST_WAIT_S)})
        return None


class _Patient(PsycopgConnector):
    """Says again what the database did not hear: a job whose end nobody wrote down would block its source."""

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a query, however long the database is away."""
        while True:
            try:
                await super().execute_query_async(query, **arguments)
            except ConnectorException as exc:
                if not isinstance(exc.__cause__, psycopg.OperationalError):
                    raise
                await asyncio.sleep(_AGAIN_S)
            else:
                return


def queue(url: str) -> App:
    """The queue in the database at `url`, not yet open, without tasks."""
    options = [conninfo_to_dict(url).get("options"), f"-c search_path={jobs.SCHEMA}"]
    connector = _Patient(
        conninfo=url,
        kwargs={"options": " ".join(str(option) for option in options if option)},
        min_size=1,
        max_size=4,
        timeout=_FOR_EVER_S,  # who gives up on a database leaves jobs behind that seem to be under way
        reconnect_timeout=_FOR_EVER_S,
    )
    return App(connector=connector)


def add_tasks(app: App, town: Town, stopping: threading.Event) -> None:
    """Teach the queue what jobs there are; one that runs ends early once `stopping` is set."""

    @app.task(name="load", pass_context=True, retry=_Again())
    def load(context: JobContext, /, source: str, file: str | None = None, **_: object) -> None:
        _told(town.url, context, stopping, lambda hear: town.load(source, file, hear))

    @app.task(name="push", pass_context=True, retry=_Again())
    def push(context: JobContext, /, push_id: int) -> None:
        _told(town.url, context, stopping, lambda hear: town.push(push_id, hear))

    @app.task(name="replay", pass_context=True, retry=_Again())
    def replay(context: JobContext, /, **_: object) -> None:
        _told(town.url, context, stopping, town.replay)

    @app.task(name="remind", pass_context=True, retry=_Again())
    def remind(context: JobContext, /, **_: object) -> None:
        _told(town.url, context, stopping, town.remind)

    @app.task(name="forget_photos", pass_context=True, retry=_Again())
    def forget_photos(context: JobContext, /, **_: object) -> None:
        _told(town.url, context, stopping, town.forget_photos)

    @app.task(name="spread", pass_context=True, retry=_Again())
    def spread(context: JobContext, /, **_: object) -> None:
        _told(town.url, context, stopping, town.spread)

    @app.task(name="deliver", pass_context=True, retry=_Again())
    def deliver(context: JobContext, /, subscription_id: int) -> None:
        _told(town.url, context, stopping, lambda hear: town.deliver(subscription_id, hear))


def _told(url: str, context: JobContext, stopping: threading.Event, work: Callable[[Progress], list[int]]) -> None:
    """Do the work of a job, and write down how far it is and how it ends."""
    job_id = context.job.id or 0
    with closing(connect(url)) as connection:
        connection.autocommit = True
        last = 0.0

        def hear(step: str, share: float, rows: int) -> None:
            nonlocal last
            if stopping.is_set() and share < 1:
                raise Stopped("the worker was asked to stop")
            if time.monotonic() - last >= _SAY_EVERY_S:
                last = time.monotonic()
                jobs.say(connection, job_id, step, share, rows)

        try:
            run_ids = work(hear)
            jobs.end(connection, job_id, run_ids)
            _log.info("a job is done", extra={"job": job_id, "runs": run_ids} | context.job.task_kwargs)
        except (OnemapError, Stopped) as exc:
            jobs.fail(connection, job_id, printable(mask(str(exc)).text))
            raise
        except Exception:
            jobs.fail(connection, job_id, "something went wrong here; it is in the worker's log")
            raise


async def serve(
    app: App, stop: asyncio.Event, heartbeat_s: float = jobs.HEARTBEAT_S, stalled_s: float = jobs.STALLED_S
) -> None:
    """Take jobs until `stop` is set, also when the database goes away and comes back; `app` is open."""
    while not stop.is_set():
        running = asyncio.create_task(
            app.run_worker_async(
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=heartbeat_s,
                stalled_worker_timeout=stalled_s,
            )
        )
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if stop.is_set():
            running.cancel()
        (how,) = await asyncio.gather(running, return_exceptions=True)
        if not stop.is_set():
            _log.warning("the queue is lost, and sought again: %r", how)
            await asyncio.sleep(_AGAIN_S)
