"""The record of every run, which stays whether it went well or not.

What a file is called, and what is said of it, may name a person; the record does not.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import psycopg
from psycopg.types.json import Jsonb

from etl.account import Account
from etl.delivery import Delivery
from etl.landing import Intake
from etl.load.staging import Connection
from layers.core.clock import Clock
from layers.records.personal import mask, printable


@dataclass(frozen=True)
class Work:
    """What a run's record calls its work."""

    source: str
    target: str
    mode: str
    name: str
    via: str
    replays: int | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Loading a delivery."""
        source = delivery.source
        return cls(source.id, source.target, source.mode, delivery.name, delivery.via, delivery.replays)


@contextmanager
def recorded(connection: Connection, work: Work, clock: Clock) -> Iterator[int]:
    """The record of one run, by its id, which closes as failed where the run ends with an error.

    The caller holds the lock of its target: runs of this source that never ended were interrupted, and are closed.
    """
    connection.execute(
        """update onemap.run set state = 'failed', finished_at = %s, message = 'interrupted'
        where source = %s and state = 'running'""",
        [clock.now(), work.source],
    )
    run_id = start(connection, work, clock.now())
    try:
        yield run_id
    except Exception as exc:
        with suppress(psycopg.Error):  # a database that is gone cannot keep the record
            fail(connection, run_id, str(exc), clock.now())
        raise


def start(connection: Connection, work: Work, at: datetime) -> int:
    """Open a run and return its id."""
    found = connection.execute(
        """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state, via, replays)
        values (%(source)s, %(target)s, %(mode)s, %(name)s, '', %(at)s, 'running', %(via)s, %(replays)s)
        returning run_id""",
        vars(work) | {"name": printable(mask(work.name).text), "at": at},
    ).fetchone()
    return int(found["run_id"]) if found else 0


def finish(
    connection: Connection, run_id: int, sha256: str, account: Account, notes: dict[str, int], at: datetime
) -> None:
    """Close a run that went well, in the transaction that brings its rows."""
    connection.execute(
        """update onemap.run set state = 'done', finished_at = %(at)s, file_sha256 = %(sha256)s,
          rows_read = %(rows_read)s, inserted = %(inserted)s, updated = %(updated)s, unchanged = %(unchanged)s,
          superseded = %(superseded)s, quarantined = %(quarantined)s, deleted = %(deleted)s, notes = %(notes)s
        where run_id = %(run_id)s""",
        {**vars(account), "run_id": run_id, "sha256": sha256, "notes": Jsonb(notes), "at": at},
    )


def refuse(connection: Connection, run_id: int, sha256: str, intake: Intake, message: str, at: datetime) -> None:
    """Close a run of which too many rows did not pass; what it read and its quarantine are kept."""
    connection.execute(
        """update onemap.run set state = 'failed', finished_at = %s, file_sha256 = %s, message = %s,
          rows_read = %s, quarantined = %s where run_id = %s""",
        [at, sha256, printable(mask(message).text), intake.rows_read, intake.quarantined, run_id],
    )


def fail(connection: Connection, run_id: int, message: str, at: datetime) -> None:
    """Close a run that brought nothing, unless it is closed already."""
    connection.execute(
        """update onemap.run set state = 'failed', finished_at = %s, message = %s
        where run_id = %s and state = 'running'""",
        [at, printable(mask(message).text), run_id],
    )


def recent(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    return connection.execute("select * from onemap.run order by run_id desc limit %s", [limit]).fetchall()
