"""The private PostgreSQL with PostGIS that runs where no other database is named.

The server outlives the command that started it. What postmaster.pid cannot tell, `server.lock` does: a killed
server leaves its pid file behind, and a zombie, a stranger with the same pid or a busy orphan backend would
then keep PostgreSQL from starting again, while the lock is free as soon as the last of its processes has ended.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from layers.core import cluster_conf
from layers.core.binaries import Binaries
from layers.core.errors import ClusterError
from layers.core.place import Place

ROLE = "onemap"
_PATIENCE_S = 120.0  # a WAL replay of max_wal_size, or the checkpoint of a stop, on a slow disk
_PAUSE_S = 0.05


@dataclass(frozen=True)
class Status:
    """What is known of a cluster without touching it."""

    running: bool
    pid: int | None
    major: int | None
    data: Path
    socket: Path
    pinned: bool


class Cluster:
    """One private cluster. Nothing is made before `start` or `use`.

    Raises
    ------
    ClusterError : the folder is closed to us or somebody else's, or root finds no account for the database.
    """

    def __init__(self, home: Path) -> None:
        self.place = Place(home)

    def start(self) -> bool:
        """Have the server run until `stop`; true if this call started it.

        Raises
        ------
        MissingBinaries : PostgreSQL or PostGIS is not installed.
        ClusterError : it cannot be made or started, or does not answer.
        """
        with self._alone():
            started = self._ensure()
            self.place.account.write(self.place.pin, "")
        return started

    def stop(self) -> None:
        """End the server, whoever uses it; nothing happens where none runs.

        Raises
        ------
        ClusterError : it does not end.
        """
        if self.place.folder.exists():
            with self._alone():
                self.place.pin.unlink(missing_ok=True)
                self._halt()

    @contextmanager
    def use(self) -> Iterator[Self]:
        """Have the server run; the last one out stops it, unless `start` asked for it to stay.

        A user that is killed no longer counts, and leaves the server to the next one.

        Raises
        ------
        MissingBinaries : PostgreSQL or PostGIS is not installed.
        ClusterError : it cannot be made, started or stopped.
        """
        with self._alone():
            self._ensure()
            users = self.place.account.open(self.place.folder / "users.lock", os.O_RDWR)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield self
        finally:
            with self._alone():
                last = _lock_at_once(users)
                os.close(users)
                if last and not self.place.pin.exists():
                    self._halt()

    def status(self) -> Status:
        """The state at this moment; changes nothing."""
        pid = self._postmaster()
        place = self.place
        return Status(pid is not None, pid, self._major(), place.data, place.socket, place.pin.exists())

    def url(self, database: str) -> str:
        """Address of `database` for the owner's role; names the port, lest PGPORT of the environment does."""
        return f"postgresql://{ROLE}@/{quote(database)}?host={self.place.socket}&port={cluster_conf.PORT}"

    def create_database(self, name: str) -> bool:
        """Make an empty UTF-8 database; false if it is there, also where another process was faster.

        Raises
        ------
        ClusterError : the server does not run.
        """
        statement = sql.SQL("create database {} template template0 encoding 'UTF8' locale 'C.UTF-8'")
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                known = connection.execute("select from pg_database where datname = %s", [name])
                if known.fetchone() is not None:
                    return False
                connection.execute(statement.format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False
        except psycopg.OperationalError as exc:
            raise ClusterError(f"database {name} cannot be made: {exc}", database=name) from exc
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one who starts or stops this cluster; others wait here, then find it done."""
        try:
            self.place.make()
            with self.place.lock_file("start.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as exc:
            folder = self.place.folder
            raise ClusterError(f"the database cannot live in {folder}: {exc}", folder=str(folder)) from exc

    def _ensure(self) -> bool:
        """Bring the server to where it answers; true if it had to be started."""
        deadline = time.monotonic() + _PATIENCE_S
        with self.place.lock_file("server.lock") as server:
            # Held by a server that runs, starts or stops, or by what a killed one left behind. A server that
            # was started by hand does not hold it, but shows among the processes.
            while not _lock_at_once(server) or self.place.processes():
                refusal = self._refusal()
                if refusal is None:
                    return False
                if self._postmaster() is None:
                    _signal(self.place.processes(), signal.SIGQUIT)
                if time.monotonic() > deadline:
                    raise ClusterError(f"the database in {self.place.data} is held, but refuses: {refusal}")
                time.sleep(_PAUSE_S)
            self._launch(server)
        return True

    def _launch(self, server: int) -> None:
        """Start the server, made first where there is none; no process of it is left when this is called."""
        place = self.place
        binaries = Binaries.find(self._major())
        if self._major() is None:
            self._make(binaries, server)
        hba, ident = cluster_conf.access(place.account.name)
        conf = cluster_conf.settings(place.socket, cluster_conf.memory_mb(), os.cpu_count() or 1)
        for name, text in (("postgresql.conf", conf), ("pg_hba.conf", hba), ("pg_ident.conf", ident)):
            place.account.write(place.data / name, text)
        for stale in (place.data / "postmaster.pid", place.socket / f".s.PGSQL.{cluster_conf.PORT}.lock"):
            stale.unlink(missing_ok=True)
        started = place.account.run(
            binaries.path("pg_ctl"), "start", "-D", place.data, "-l", place.log / "start.log",
            "-w", "-t", str(int(_PATIENCE_S)), "-s", pass_fds=(server,),
        )  # fmt: skip
        if started.returncode:
            raise ClusterError(f"PostgreSQL did not start: {started.stderr.strip()}\n{self._last_words()}")

    def _make(self, binaries: Binaries, server: int) -> None:
        """Make the cluster aside and move it in place; a half-made one of a killed command is thrown away."""
        aside = self.place.folder / "data.tmp"
        self.place.account.run("rm", "-rf", aside)
        made = self.place.account.run(
            binaries.path("initdb"), "-D", aside, "-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8",
            "--data-checksums", "--auth=peer", "--no-instructions", pass_fds=(server,),
        )  # fmt: skip
        if made.returncode:
            raise ClusterError(f"initdb failed: {made.stderr.strip()}")
        aside.rename(self.place.data)

    def _halt(self) -> None:
        """Stop the server, or end what a killed one left behind, and wait until none of it is left."""
        postmaster = self._postmaster()
        if postmaster is None:
            _signal(self.place.processes(), signal.SIGQUIT)
        else:
            _signal({postmaster}, signal.SIGINT)  # PostgreSQL's fast shutdown
        deadline = time.monotonic() + _PATIENCE_S
        while left := self.place.processes():
            if time.monotonic() > deadline:
                raise ClusterError(f"the database in {self.place.data} does not end: processes {sorted(left)}")
            time.sleep(_PAUSE_S)

    def _refusal(self) -> str | None:
        """Why the server cannot be used now; none where it answers."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError as exc:
            return str(exc)
        return None

    def _major(self) -> int | None:
        """PostgreSQL version that made the data; none where there is no data yet."""
        try:
            return int((self.place.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def _postmaster(self) -> int | None:
        """Process id of the live server, which the pid file alone does not prove."""
        try:
            said = (self.place.data / "postmaster.pid").read_text().partition("\n")[0]
        except FileNotFoundError:
            return None
        return int(said) if said.isdigit() and int(said) in self.place.processes() else None

    def _last_words(self) -> str:
        """Ends of the two newest logs: what came before the log collector ran, and what it collected."""
        newest = sorted(self.place.log.iterdir(), key=lambda path: path.stat().st_mtime)[-2:]
        return "\n".join(line for path in newest for line in path.read_text(errors="replace").splitlines()[-6:])


def _lock_at_once(file: int) -> bool:
    """Take the lock if nobody else holds it; true if it is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signal(processes: set[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
