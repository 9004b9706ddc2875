"""`onemap serve`: the server alone, on a database that is started or named."""

import errno
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Self

import typer
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from layers.catalog.city import City
from layers.core import log
from layers.core.errors import BadAddress
from layers.core.home import database
from layers.core.settings import ServerSettings, Settings
from layers.heat.store.warm import warm_up
from mapserver.auth.pepper import pepper
from mapserver.worker import application

_STOP_WITHIN_S = 5
_OTHER_FILES = 1000  # that a process has open besides its connections


@dataclass(frozen=True)
class Address:
    """Where the server listens, and how clients reach it."""

    host: str
    port: int
    public_url: str

    @classmethod
    def of(cls, settings: ServerSettings) -> Self:
        """Find out that the address can be listened on; port 0 becomes a free one.

        The server's processes share the port, and would share it with a stranger's too; here it is not shared.

        Raises
        ------
        BadAddress : it is taken, forbidden or not of this machine; names the setting.
        """
        try:
            family, *_, where = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                host, port = probe.getsockname()[:2]
        except OSError as exc:
            here = f"{settings.host}:{settings.port}"
            if exc.errno == errno.EADDRINUSE:
                raise BadAddress(
                    f"port {settings.port} of {settings.host} is taken by another program: "
                    "end that one, or set ONEMAP_SERVER__PORT to another port",
                    address=here,
                ) from exc
            raise BadAddress(
                f"cannot listen on {here}: {exc.strerror}; "
                "set ONEMAP_SERVER__HOST and ONEMAP_SERVER__PORT to an address of this machine",
                address=here,
            ) from exc
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        return cls(host, port, (settings.public_url or f"http://{shown}:{port}").rstrip("/"))


def serve() -> None:
    """Serve the map until Ctrl-C; what is loaded is loaded by `onemap etl run`."""
    settings = Settings()
    end_tidily()
    city = City.load(settings.city_folder)
    address = Address.of(settings.server)
    with database(settings) as url:
        typer.echo(f"{city.name.en}: {address.public_url}/")
        run(settings, url, address)


def run(settings: Settings, url: str, address: Address) -> None:
    """Serve at `address` until a signal says stop.

    Raises
    ------
    BadHome : the pepper cannot be read or made.
    SystemExit : the server's processes die again and again.
    """
    pepper(settings.home)  # made before there are several processes to make it
    log.set_up()
    _make_room_for(settings.server.connections)
    warm_up()  # once for all processes: they find the kernels compiled
    server = Granian(
        "mapserver",
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        workers=settings.server.workers,
        backpressure=settings.server.connections,  # beyond them nobody would be accepted, not even /healthz
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_WITHIN_S,
        log_level=LogLevels.warning,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
    )
    server.serve(target_loader=partial(application, settings, url, os.getpid()), wrap_loader=False)


def _make_room_for(connections: int) -> None:
    """Let each process have so many files open, as far as this machine lets it: many allow 1,024 by default."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
        )


def end_tidily() -> None:
    """Have SIGTERM end this process as an exception does, so that it stops what it started."""

    def stop(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
