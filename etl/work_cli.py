"""`onemap work`: one worker. Run several for more at once; each may be killed at any time."""

import asyncio
import logging
import os
import signal
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from layers.core import jobs, log
from layers.core.db import connect
from layers.core.errors import OnemapError
from layers.core.home import database
from layers.core.parent import die_with
from layers.core.settings import Settings

if TYPE_CHECKING:
    from etl.work import Town

GRACE_S = 10.0
"""A worker that was asked to stop gives up what it is doing within this time; another one takes it up."""


def work(
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="Process to end with, whose child this is.")
    ] = None,
) -> None:
    """Load what is scheduled, dropped into the city's folder or pushed, and have the heat follow, until Ctrl-C."""
    if parent is not None:
        die_with(parent)
    from etl.work import Town  # noqa: PLC0415

    settings = Settings()
    log.set_up()
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write down where webhooks go
    with database(settings) as url:
        town = Town(
            settings.city_folder,
            url,
            events_days=settings.events_days,
            texts_days=settings.texts_days,
            sends=settings.push,
        )
        asyncio.run(run(town, settings.heat_folder(url)))


async def run(
    town: "Town", heat: Path, heartbeat_s: float = jobs.HEARTBEAT_S, stalled_s: float = jobs.STALLED_S
) -> None:
    """Work until a signal asks to stop; `heat` is the folder of the heat stores."""
    from etl.foreman import Foreman  # noqa: PLC0415
    from etl.worker import add_tasks, queue, serve  # noqa: PLC0415
    from layers.heat.follow.appender import Appender  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    stop, stopping = asyncio.Event(), Event()

    def end() -> None:
        stop.set()
        stopping.set()
        loop.call_later(GRACE_S, os._exit, 1)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with suppress(OnemapError), closing(connect(town.url)) as connection:
        town.see(connection)  # a job that waits already must not take a past's time for the present
    app = queue(town.url)
    add_tasks(app, town, stopping)
    beside = [Foreman(town, stalled_s=stalled_s).run, Appender(town.url, heat).run]
    threads = [asyncio.create_task(asyncio.to_thread(one, stopping)) for one in beside]
    for thread in threads:
        thread.add_done_callback(lambda _: stop.set())
    async with app.open_async():
        await serve(app, stop, heartbeat_s, stalled_s)
    stopping.set()  # also where one of them has ended by a fault
    await asyncio.gather(*threads)
