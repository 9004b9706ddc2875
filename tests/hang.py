"""A PostgreSQL that hangs: it takes connections and statements, and says nothing."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from layers.core.db import connect


@contextmanager
def hanging(url: str) -> Iterator[None]:
    """The whole server at `url` stands still until the end of the block."""
    with connect(url) as connection:
        stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    postmaster = int(stat.rpartition(")")[2].split()[1])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    os.kill(postmaster, signal.SIGSTOP)  # first, so that it makes no more of them
    try:
        for pid in map(int, children.read_text().split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in (*map(int, children.read_text().split()), postmaster):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
