"""One of all workers looks at the clock, into the city's folder and after the others; another one if it dies."""

import logging
import math
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event

import psycopg
from psycopg.rows import DictRow

from etl import courier, vocabulary
from etl.publish import publish
from etl.readers.base import sha256
from etl.schedule import last_due
from etl.spec import Source, sources
from etl.work import Town
from layers.cases import ledger, photos, reminders
from layers.catalog.city import City
from layers.core import events, jobs, replays
from layers.core.db import connect
from layers.core.errors import BadCity, OnemapError, UnreadableFile

TICK_S = 1.0
SETTLED_S = 5.0
"""A file that has not changed for so long is wholly written."""
_FORGET_EVERY_S = 3600.0
_LOCK = 0x666F72656D616E  # "foreman"
# No source has such an id.
_REMINDERS, _NEWS, _PHOTOS, _PAST = "case reminders", "case news", "case photos", "replayed past"
_PRIORITY = {"areas": 2, "risk_areas": 1}  # what other loads lean on goes first

_LEADS = "select pg_try_advisory_lock(%s) as leads"
_SEEN_TO = """
select exists (select from onemap.run where source = %(source)s and started_at >= %(due)s)
  or exists (select from jobs.procrastinate_jobs where lock = %(source)s and args ->> 'due' = %(at)s) as so"""
# A snapshot may go back to what it was before; what a file has added it has added.
_KNOWN = """
select exists (select from jobs.procrastinate_jobs
    where lock = %(source)s and args ->> 'sha256' = %(sha256)s and status in ('todo', 'doing', 'failed'))
  or %(sha256)s = any (array(select file_sha256 from onemap.run where source = %(source)s and via = 'file'
    and state = 'done' order by run_id desc limit %(back)s::bigint)) as so
"""

_log = logging.getLogger(__name__)

Connection = psycopg.Connection[DictRow]


@dataclass
class _Seen:
    """A file as it was last seen, since when, and whether it was seen to."""

    form: tuple[int, int]
    since: float
    seen_to: bool = False


@dataclass
class Foreman:
    """Puts jobs into the queue of a town. Its connection holds a lock, so that there is one of it."""

    town: Town
    settled_s: float = SETTLED_S
    stalled_s: float = jobs.STALLED_S
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _known: list[tuple[Source, City]] | None = None
    _said: str | None = None
    _forgot_at: float = -math.inf

    def run(self, stopping: Event) -> None:
        """Look again and again until `stopping` is set, unless another one does."""
        while not stopping.is_set():
            try:
                with closing(connect(self.town.url)) as connection:
                    connection.autocommit = True
                    while not stopping.wait(TICK_S):
                        self.town.see(connection)
                        if _so(connection, _LEADS, [_LOCK]):
                            self.look(connection)
            except (OnemapError, psycopg.Error) as exc:
                _log.warning("the foreman was interrupted", extra={"error": str(exc)})
                stopping.wait(TICK_S)

    def look(self, connection: Connection) -> None:
        """Look once at everything."""
        for job_id in jobs.rescue(connection, self.stalled_s):
            _log.warning("a worker has died, and its job is put back", extra={"job": job_id})
        if time.monotonic() - self._forgot_at > _FORGET_EVERY_S:
            self._forgot_at = time.monotonic()
            now = self.town.clock.now()
            jobs.forget(connection)
            courier.forget(connection, now - timedelta(days=jobs.KEPT_DAYS))
            events.forget(connection, now - timedelta(days=self.town.events_days))
            texts = ledger.forget_before(now - timedelta(days=self.town.texts_days), now)
            connection.execute(texts.sql.encode(), texts.params)
            self._look_at_photos(connection)
        self._look_at_terms(connection)
        self._look_at_news(connection)
        for source, city in self._declared(connection):
            if source.schedule:
                self._look_at_the_clock(connection, source, city)
            if source.watch:
                self._look_for_files(connection, source)
        # Last, as what is wrong with a past must not keep the rest from being done.
        self._look_at_the_past(connection)

    def _declared(self, connection: Connection) -> list[tuple[Source, City]]:
        """What the folder says now; the database hears of what is new in it."""
        try:
            city = City.load(self.town.folder)
            found = [(source, city) for source in sources(city)]
            if found != self._known:
                vocabulary.write(connection, city)
                publish(connection, city, self.town.clock.now())
        except OnemapError as exc:
            if str(exc) != self._said:
                _log.warning("the city's folder cannot be followed", extra={"error": str(exc)})
            self._known, self._said = None, str(exc)
            return []
        self._known, self._said = found, None
        return found

    def _look_at_the_clock(self, connection: Connection, source: Source, city: City) -> None:
        """Load a source whose time has come, also where no worker was there at that time."""
        due = last_due(str(source.schedule), self.town.clock.now(), city.zone)
        asked = {"source": source.id, "due": due, "at": due.isoformat()}
        if not _so(connection, _SEEN_TO, asked):
            self._defer(connection, source, source.id, {"due": due.isoformat()})

    def _look_at_the_past(self, connection: Connection) -> None:
        """Where a past is replayed, have come in what has happened by now."""
        shown, now = replays.read(connection), self.town.clock.now()
        if shown is None or shown.fed_to >= now:
            return
        if self.town.past.has(shown.fed_to, now):
            jobs.defer(connection, "replay", shown.source, {}, waits_once=_PAST)
        else:
            replays.fed(connection, now)

    def _look_at_terms(self, connection: Connection) -> None:
        """Have it told of cases whose terms have reached a colour."""
        asked = reminders.waiting(self.town.clock.now())
        if _so(connection, asked.sql, asked.params):
            jobs.defer(connection, "remind", _REMINDERS, {}, waits_once=_REMINDERS)

    def _look_at_photos(self, connection: Connection) -> None:
        """Have photos of cases removed that ended too long ago; a bad folder is told of elsewhere."""
        with suppress(BadCity):
            now, days = self.town.clock.now(), City.load(self.town.folder).report.photo_days
            asked = photos.outlived(now - timedelta(days=days))
            if _so(connection, asked.sql, asked.params):
                jobs.defer(connection, "forget_photos", _PHOTOS, {}, waits_once=_PHOTOS)

    def _look_at_news(self, connection: Connection) -> None:
        """Have news spread over subscriptions, and what is due for each of them sent."""
        if courier.has_news(connection):
            jobs.defer(connection, "spread", _NEWS, {}, waits_once=_NEWS)
        for to in courier.due(connection, self.town.clock.now()):
            lock = f"subscription {to}"
            jobs.defer(connection, "deliver", lock, {"subscription_id": to}, waits_once=lock)

    def _look_for_files(self, connection: Connection, source: Source) -> None:
        """Load each file of a source that is wholly written, and that was not loaded as it is."""
        try:
            found = source.files(self.town.folder)
        except UnreadableFile:  # none is there
            return
        for path in filter(self._rests, found):
            self._seen[path].seen_to = True
            try:
                digest = sha256(path)
            except OSError as exc:
                _log.warning("a file cannot be read", extra={"file": str(path), "error": str(exc)})
                continue
            asked = {"source": source.id, "sha256": digest, "back": 1 if source.mode == "snapshot" else None}
            if not _so(connection, _KNOWN, asked):
                here = path.is_relative_to(self.town.folder)
                file = str(path.relative_to(self.town.folder) if here else path)
                self._defer(connection, source, f"{source.id} {digest}", {"file": file, "sha256": digest})

    def _rests(self, path: Path) -> bool:
        """Whether a file was not seen to yet as it is, and has been as it is for a while."""
        try:
            now = path.stat()
        except OSError:
            return False
        form = (now.st_size, now.st_mtime_ns)
        seen = self._seen.get(path)
        if seen is None or seen.form != form:
            seen = self._seen[path] = _Seen(form, time.monotonic())
        rests = time.monotonic() - seen.since >= self.settled_s
        return rests and not seen.seen_to and stat.S_ISREG(now.st_mode)

    def _defer(self, connection: Connection, source: Source, waits_once: str, args: dict[str, str]) -> None:
        priority = _PRIORITY.get(source.target, 0)
        said = {"source": source.id} | args
        job_id = jobs.defer(connection, "load", source.id, said, priority=priority, waits_once=waits_once)
        if job_id is not None:
            _log.info("a job is put into the queue", extra={"job": job_id, **said})


def _so(connection: Connection, question: str, given: Mapping[str, object] | Sequence[object]) -> bool:
    found = connection.execute(question.encode(), given).fetchone()
    return bool(found and next(iter(found.values())))
