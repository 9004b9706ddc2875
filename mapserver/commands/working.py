"""A worker beside the server: the server never imports a frame library.

Its keeper is a process too. A server that forks its processes must not have threads of its own meanwhile.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from layers.core.parent import die_with

_AGAIN_S = 1.0
_GRACE_S = 2.0  # then it is killed, which its jobs survive


@contextmanager
def working(url: str) -> Iterator[None]:
    """Have a worker run until the end of the block; one that dies is followed by another."""
    keeper = subprocess.Popen(  # noqa: S603 (this house's own module, no shell)
        [sys.executable, "-m", __name__, str(os.getpid())], env={**os.environ, "ONEMAP_DB__URL": url}
    )
    try:
        yield
    finally:
        keeper.terminate()
        keeper.wait()


def keep(parent: int) -> None:
    """Start one worker after the other, until a signal asks to stop or `parent` ends."""
    die_with(parent)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    while True:
        worker = subprocess.Popen(  # noqa: S603 (this house's own command, no shell)
            [sys.executable, "-m", "mapserver.cli", "work", "--parent", str(os.getpid())]
        )
        try:
            worker.wait()
        finally:
            _end(worker)
        time.sleep(_AGAIN_S)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


if __name__ == "__main__":
    keep(int(sys.argv[1]))
