"""Has the heat stores follow their database: one of all workers does, and another one if it dies."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from layers.core.db import connect
from layers.core.errors import Conflict
from layers.heat.follow.deltas import CHANNEL
from layers.heat.follow.following import Audit, Following, layers_of
from layers.heat.store.writer import Writer

AUDIT_EVERY_S = 6 * 3600.0
_TICK_S = 1.0
_LONGEST_PAUSE_S = 60.0

_log = logging.getLogger(__name__)


class Appender:
    """Follows the database at `url` with the stores of a folder.

    It holds a lock on the folder while it does. Whatever befalls it, readers keep the last stores that were right.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder

    def catch_up(self) -> None:
        """Bring the stores up to date, once.

        Raises
        ------
        Conflict : another process follows already.
        HeatStoreError : the stores cannot hold what there is.
        Unavailable : the database does not answer.
        """
        with self._following() as following:
            following.catch_up()

    def run(self, stopping: Event) -> None:
        """Follow until `stopping` is set; what fails is tried again ever more slowly."""
        pause = _TICK_S
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                self._follow(stopping)
            except Conflict:  # another one follows, and may die
                pause = _TICK_S
            except Exception as exc:  # noqa: BLE001 - loads go on, whatever is wrong with the heat
                _log.warning("the heat stores are left behind: %r", exc)
                lasted = time.monotonic() - begun > _LONGEST_PAUSE_S
                pause = _TICK_S if lasted else min(2 * pause, _LONGEST_PAUSE_S)
            stopping.wait(pause)

    def _follow(self, stopping: Event) -> None:
        """Follow until the city's layers are others, and hold the stores against the database now and then."""
        with self._following() as following:
            connection = following.connection
            connection.execute(f"listen {CHANNEL}".encode())
            audit: Audit | None = None
            due = time.monotonic()
            while not stopping.is_set() and layers_of(connection) == following.layers:
                following.catch_up()
                if audit is not None and not audit.is_alive():
                    following.heed(audit)
                    audit = None
                elif time.monotonic() >= due and (audit := following.audit()):
                    due = time.monotonic() + AUDIT_EVERY_S
                for _ in connection.notifies(timeout=_TICK_S, stop_after=1):
                    pass

    @contextmanager
    def _following(self) -> Iterator[Following]:
        with connect(self._url) as connection:
            connection.autocommit = True
            layers = layers_of(connection)
            with Writer(self._folder, layers) as writer:
                yield Following(self._url, connection, writer, layers)
