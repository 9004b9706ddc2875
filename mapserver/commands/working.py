"""A worker beside the server, in a process of its own: the server never imports a frame library."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

_AGAIN_S = 1.0
_GRACE_S = 2.0  # then it is killed, which its jobs survive


@contextmanager
def working(url: str) -> Iterator[None]:
    """Have a worker run until the end of the block; one that dies is started anew."""
    stopping = Event()
    keeper = Thread(target=_keep, args=(url, stopping), name="keeper of the worker")
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def _keep(url: str, stopping: Event) -> None:
    """Start a worker, and another one when it has ended; the kernel ends it with this thread."""
    while not stopping.is_set():
        process = subprocess.Popen(  # noqa: S603 (this house's own command, no shell)
            [sys.executable, "-m", "mapserver.cli", "work", "--parent", str(os.getpid())],
            env={**os.environ, "ONEMAP_DB__URL": url},
        )
        while process.poll() is None and not stopping.wait(_AGAIN_S):
            pass
        stopping.wait(0 if process.poll() is None else _AGAIN_S)
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
