"""One writer of heat stores and the database that it follows."""

import logging
from datetime import UTC
from threading import Thread
from typing import Any

import psycopg

from layers.core import events
from layers.core.errors import HeatStoreError
from layers.heat.follow.changed import changed
from layers.heat.follow.deltas import News, changes, forget
from layers.heat.follow.everything import everything
from layers.heat.follow.moment import Connection, join, one_moment, share
from layers.heat.store.audit import digest
from layers.heat.store.checksum import checksum
from layers.heat.store.events import State
from layers.heat.store.store import Store
from layers.heat.store.writer import Writer

TOPIC = "heat"
ALL = "all"

_BROKEN = (HeatStoreError, FileNotFoundError)

_log = logging.getLogger(__name__)


def layers_of(connection: Connection) -> tuple[str, ...]:
    """Ids of the heat layers: `all` and the zone types in the order of their bits."""
    found = connection.execute("select code from onemap.zone_type order by bit")
    return (ALL, *(row["code"] for row in found))


class Audit(Thread):
    """Holds a store against the database as it was at one moment, while the store is written on.

    sound : whether they agree; none as long as that is not known, also where the database has gone away.
    """

    def __init__(self, store: Store, connection: Connection) -> None:
        super().__init__(name="audit of the heat stores", daemon=True)
        self.sound: bool | None = None
        self._store = store
        self._connection = connection

    def run(self) -> None:
        """Compare the two checksums."""
        try:
            with self._connection:
                layers = len(self._store.base.layers)
                self.sound = digest(self._store) == checksum(self._connection, layers)
        except psycopg.Error as exc:
            _log.warning("the heat stores could not be audited", extra={"error": str(exc)})
        except Exception as exc:  # noqa: BLE001 - whatever a broken file leads to
            _log.warning("a heat store is broken: %r", exc)
            self.sound = False


class Following:
    """Brings stores up to date over a connection in autocommit mode, and tells the screens.

    layers : those that the writer was opened with.
    """

    def __init__(self, url: str, connection: Connection, writer: Writer, layers: tuple[str, ...]) -> None:
        self.connection = connection
        self.layers = layers
        self._url = url
        self._writer = writer
        self._told: int | None = None
        self._to_forget = writer.state

    def catch_up(self) -> None:
        """Take in what is new, and build anew where that is needed. Raises as `Appender.catch_up` does."""
        with one_moment(self.connection):
            news = self._news()
        self._take_in(news)

    def audit(self) -> Audit | None:
        """Begin to hold the stores against the database; none where something is new just now: ask again.

        Changes that were in the stores at the last audit are forgotten: other stores had so long to take them in.
        """
        store = self._writer.store
        if store is None:
            return None
        try:
            for layer in self.layers:
                store.layer(layer)  # its files are open from here on, whatever the writer clears away
        except _BROKEN as exc:
            self._build_anew(str(exc))
            return None
        with one_moment(self.connection):
            news = self._news()
            if news is None or len(news.changes):
                return None
            audit = Audit(store, join(self._url, share(self.connection)))
            audit.start()  # from here on it is the audit that closes its connection, whatever fails below
        if self._to_forget is not None:
            forget(self.connection, self._to_forget)
        self._to_forget = news.state
        return audit

    def heed(self, audit: Audit) -> None:
        """Build anew what an audit has found wrong."""
        if audit.sound is False:
            self._build_anew("they differ from the database")

    def _news(self) -> News | None:
        state = self._writer.state
        return changes(self.connection, state) if state else None

    def _take_in(self, news: News | None) -> None:
        if news is None:
            self._build_anew("they cannot follow")
            return
        before, cells = self._writer.state, None
        try:
            if len(news.changes):
                self._writer.append(news.changes, news.state)
                if before and before.seq == self._told and self._writer.store:
                    cells = changed(self.connection, self._writer.store, news.changes)
            self._tell(cells)
            if self._writer.full:
                self._writer.fold()
        except _BROKEN as exc:
            self._build_anew(str(exc))

    def _build_anew(self, reason: str) -> None:
        _log.warning("the heat stores are built anew", extra={"reason": reason})
        with everything(self._url, self._writer.state) as whole:
            self._writer.rebuild(whole.partitions(), whole.planes, whole.state)
        self._tell()

    def _tell(self, cells: dict[str, Any] | None = None) -> None:
        """Have the screens ask anew, where that was not told of this state; `cells` changed since it was."""
        state = self._writer.state
        if state is None or state.seq == self._told:
            return
        tell(self.connection, state, cells)
        self._told = state.seq


def tell(connection: Connection, state: State, cells: dict[str, Any] | None = None) -> None:
    """Tell the screens that the heat is of this state now; `cells` is from `changed`, none where all may be."""
    at = state.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    with connection.transaction():
        events.begin(connection)
        events.emit(connection, TOPIC, TOPIC, [{"version": state.seq, "at": at, "cells": cells}], state.at)
