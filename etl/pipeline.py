"""One source from its file into the database: read, check, tag, copy, merge; every row accounted for.

A run leaves its record whether it goes well or not. What it brings lands in one transaction, with its account, its
quarantine, the layer's new version and the outbox: all of it or nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pyarrow as pa

from etl import quarantine, runs
from etl.account import Account
from etl.datum import check_declared
from etl.duplicates import settle
from etl.load.staging import Connection
from etl.readers.base import RawFrame
from etl.readers.registry import read
from etl.spec import Source
from etl.targets import KINDS, Landing
from etl.validate.checker import Checked
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import Unavailable

Progress = Callable[[str, float, int], None]
"""Hears what is being done, the share of the work that is done (0 to 1), and the rows of the file."""

_LOCK = 0x65746C  # "etl"
_LOCKED = list(KINDS)

# Shares of the whole time at which a step is done, as measured on a first load; what follows is the landing.
_READ, _CHECKED, _TAGGED = 0.01, 0.15, 0.22


@dataclass(frozen=True)
class Result:
    """What one run did."""

    run_id: int
    source: Source
    account: Account
    notes: dict[str, int]


def run(
    url: str, city: City, source: Source, clock: Clock, on_progress: Progress = lambda _what, _share, _rows: None
) -> Result:
    """Load one source of `city` into the database at `url`.

    Raises
    ------
    SourceError : the file or its TOML broke its promise; nothing was loaded, and the run's record says why.
    Unavailable : nothing answers at `url`.
    """
    with connect(url) as connection:
        connection.autocommit = True
        _lock(connection, source)
        run_id = runs.begin(connection, source, clock.now())
        try:
            return _load(connection, city, source, clock, run_id, on_progress)
        except Exception as exc:
            with suppress(psycopg.Error):  # a database that is gone cannot keep the record
                runs.fail(connection, run_id, str(exc), clock.now())
            if isinstance(exc, psycopg.OperationalError):
                raise Unavailable(f"the database went away: {exc}") from exc
            raise


def _load(
    connection: Connection, city: City, source: Source, clock: Clock, run_id: int, on_progress: Progress
) -> Result:
    kind = KINDS[source.target]
    reading = read(source, city.folder / (source.file or ""))
    raw = reading.whole()
    count = len(raw)
    check_declared(source.datum, reading.crs, str(reading.path))
    on_progress("checking", _READ, count)
    checked = kind.check(raw, source, city, clock.now())
    settled = settle(checked, kind.key, raw.rows, ordered=source.mode == "changes")
    on_progress("tagging", _CHECKED, count)
    table = kind.complete(connection, city, checked, settled.kept)
    seen = _seen(source, raw, checked, kind.key)

    def on_landing(step: str, share: float) -> None:
        on_progress(step, _TAGGED + (1 - _TAGGED) * share, count)

    on_landing("copying", 0.0)
    with connection.transaction():
        landing = Landing(connection, city, source.id, run_id, clock.now(), on_landing)
        merged = kind.merge(landing, table, seen)
        account = Account(
            rows_read=count + len(raw.broken),
            inserted=merged.inserted,
            updated=merged.updated,
            unchanged=len(table) - merged.inserted - merged.updated,
            superseded=int(settled.superseded.sum()),
            quarantined=quarantine.write(connection, run_id, raw, source, checked.findings, reading.sha256),
            deleted=merged.deleted,
        )
        runs.finish(connection, run_id, reading.sha256, account, checked.notes, clock.now())
        if account.changed:
            kind.tell(landing, merged)
    on_progress("done", 1.0, count)
    return Result(run_id, source, account, checked.notes)


def _seen(source: Source, raw: RawFrame, checked: Checked, key: tuple[str, ...]) -> pa.Table | None:
    """Every key of a snapshot's file, whether its row passed or not; none when nothing may be deleted.

    A row whose key cannot be read may be any row, so that nobody knows what is missing.
    """
    if source.mode != "snapshot":
        return None
    keys = checked.table.select(list(key))
    readable = keys.drop_null()
    if raw.broken or len(readable) < len(keys):
        checked.notes["rows_without_key"] = len(raw.broken) + len(keys) - len(readable)
        return None
    return readable.group_by(list(key)).aggregate([])


def _lock(connection: Connection, source: Source) -> None:
    """Wait until no other load of this target is under way, nor one of a target that it leans on.

    The locks are the session's, so that they end with it however it ends.
    """
    kind = KINDS[source.target]
    for place, target in enumerate(_LOCKED):
        if target in kind.leans_on:
            connection.execute("select pg_advisory_lock_shared(%s, %s)", [_LOCK, place])
        elif target == source.target:
            connection.execute("select pg_advisory_lock(%s, %s)", [_LOCK, place])
