"""One server process: how it ends, whatever it is that ends it."""

import asyncio
import signal
from collections.abc import Callable
from threading import Thread

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.types import ASGIApp, Receive, Scope, Send

from layers.core import log
from layers.core.parent import die_with
from layers.core.settings import Settings
from layers.heat.store.warm import warm_up
from mapserver.app import create_app


def application(settings: Settings, url: str, parent: int) -> ASGIApp:
    """The application of a server process whose parent is `parent`; called in that process itself."""
    die_with(parent)
    _until_it_serves()
    log.set_up()
    Thread(
        target=warm_up, name="warm-up"
    ).start()  # a second, in which the process can be asked and stopped already
    app = create_app(settings, url)

    async def stoppable(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            _at_a_stop(app.state.hub.close)
        await app(scope, receive, send)

    proxies = settings.server.proxies
    return wrap_asgi_with_proxy_headers(stoppable, proxies) if proxies else stoppable


def _until_it_serves() -> None:
    """Let a stop end a process that is still starting; the server sets handlers of its own after that.

    A forked process has inherited those of its parent, which would take the signal and end nothing. Ctrl-C in a
    terminal reaches the parent too, and that then asks each process to stop.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _at_a_stop(close: Callable[[], None]) -> None:
    """Call `close` when a signal asks this process to stop; the server waits for open answers before it tells us.

    The server's own handler hangs on the event loop, which is woken through a descriptor of its own whatever plain
    handler is set: both run.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(close))
        signal.siginterrupt(number, False)  # noqa: FBT003 - it takes no names
