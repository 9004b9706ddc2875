"""Bringing a database to this version: numbered steps once each, and the repeatable rest at every start."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg
from psycopg.rows import DictRow

from layers.core import jobs
from layers.core.errors import OnemapError

_LOCK = 0x6F6E656D6170  # "onemap": one migrating process at a time, across the whole database

_BOOTSTRAP = """
create schema if not exists onemap;
create table if not exists onemap.migration (
  number int primary key, name text not null, checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
)"""


class MigrationError(OnemapError):
    """The database and the numbered steps of this version contradict each other."""

    code = "migration-error"


@dataclass(frozen=True)
class Step:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def _sql_files(folder: Traversable) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)


def steps() -> list[Step]:
    """The numbered steps that this version ships, in order."""
    return [
        Step(int(file.name[:4]), file.name, file.read_text("utf-8"))
        for file in _sql_files(files("layers.schema") / "migrations")
    ]


def always() -> list[str]:
    """SQL that is safe to run at every start: functions, grants, policies and flags that a restore loses."""
    return [file.read_text("utf-8") for file in _sql_files(files("layers.schema") / "always")]


def migrate(connection: psycopg.Connection[DictRow], ours: list[Step] | None = None) -> list[str]:
    """Apply what is missing, all of it or nothing; returns the names of the steps applied.

    Raises
    ------
    MigrationError : a step already applied has another text now, or the database is newer than this version.
    QueueError : the job queue is newer than the library that is installed.
    """
    ours = steps() if ours is None else ours
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute(_BOOTSTRAP)
        found = connection.execute("select number, name, checksum from onemap.migration order by number")
        applied = {row["number"]: row for row in found}
        known = {step.number: step for step in ours}
        for number, row in applied.items():
            if number not in known:
                raise MigrationError(
                    f"the database is newer than this version: it has step {row['name']}", step=row["name"]
                )
            if row["checksum"] != known[number].checksum:
                raise MigrationError(
                    f"step {row['name']} was changed after it was applied; add a new step instead",
                    step=row["name"],
                )
        missing = [step for step in ours if step.number not in applied]
        for step in missing:
            connection.execute(step.sql.encode())
            connection.execute(
                "insert into onemap.migration (number, name, checksum) values (%s, %s, %s)",
                [step.number, step.name, step.checksum],
            )
        jobs.prepare(connection)
        for sql in always():
            connection.execute(sql.encode())
    return [step.name for step in missing]
