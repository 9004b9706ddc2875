"""The record of every run, which stays whether it went well or not."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from etl.account import Account
from etl.landing import Intake
from etl.load.staging import Connection
from etl.spec import Source


def begin(connection: Connection, source: Source, file_name: str, at: datetime) -> int:
    """Open a run and return its id; runs of this source that never ended were interrupted, and are closed."""
    connection.execute(
        """update onemap.run set state = 'failed', finished_at = %s, message = 'interrupted'
        where source = %s and state = 'running'""",
        [at, source.id],
    )
    found = connection.execute(
        """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state)
        values (%s, %s, %s, %s, '', %s, 'running') returning run_id""",
        [source.id, source.target, source.mode, file_name, at],
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
        [at, sha256, message, intake.rows_read, intake.quarantined, run_id],
    )


def fail(connection: Connection, run_id: int, message: str, at: datetime) -> None:
    """Close a run that brought nothing, unless it is closed already."""
    connection.execute(
        """update onemap.run set state = 'failed', finished_at = %s, message = %s
        where run_id = %s and state = 'running'""",
        [at, message, run_id],
    )


def recent(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    return connection.execute("select * from onemap.run order by run_id desc limit %s", [limit]).fetchall()


def quarantined(connection: Connection, run_id: int | None, limit: int) -> list[dict[str, Any]]:
    """Rows that did not pass, of one run or of the last run of each source: run, source, file, row and reasons."""
    return connection.execute(
        """select run.run_id, run.source, run.file_name, row_number, reasons, excerpt
        from onemap.quarantine join onemap.run using (run_id)
        where case when %(run_id)s::bigint is null
          then run_id in (select max(run_id) from onemap.run where state <> 'running' group by source)
          else run_id = %(run_id)s end
        order by run_id, row_number limit %(limit)s""",
        {"run_id": run_id, "limit": limit},
    ).fetchall()
