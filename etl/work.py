"""The work that jobs name: loading a source, or the rows of a push, with the city's folder as it is then."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from etl import ledger, pipeline, quarantine, vocabulary
from etl.courier import Courier
from etl.delivery import Delivery
from etl.landing import Progress
from etl.load.staging import Connection
from etl.past import Past
from etl.readers.push import read_push
from etl.spec import Source, chosen
from layers.cases import photos, reminders
from layers.catalog.city import City
from layers.core import replays
from layers.core.clock import Clock, ReplayClock, StandingClock
from layers.core.db import connect
from layers.core.errors import NotFound, OnemapError, Unavailable
from layers.core.settings import PushSettings
from layers.core.statement import Statement

_PUSH = "select source, rows, masked, body_sha256, run_id from onemap.push where push_id = %s"


@dataclass(frozen=True)
class Town:
    """A city's folder and its database, which keeps what screens were told for `events_days`.

    texts_days : so long reasons are kept after what they are of has ended.
    clock : the wall's, or the past's that is replayed, once `see` has looked.
    sends : how news leaves for other offices.
    """

    folder: Path
    url: str
    clock: Clock = field(default_factory=ReplayClock)
    events_days: int = 7
    texts_days: int = 365
    sends: PushSettings = field(default_factory=PushSettings)

    def load(self, source: str, file: str | None, on_progress: Progress) -> list[int]:
        """Load a source, or its one file of that name; the runs that did it.

        Raises
        ------
        BadValue : the city has no such source.
        SourceError : a file, a feed or the TOML broke its promise.
        Unavailable : the database went away.
        """
        city, declared = self._declared(source)
        path = city.folder / file if file else None
        return [done.run_id for done in pipeline.run(self.url, city, declared, self.clock, on_progress, path=path)]

    def push(self, push_id: int, on_progress: Progress) -> list[int]:
        """Load the rows of a push, once; the run that did it. Raises as `load` does.

        Raises
        ------
        NotFound : there is no such push.
        """
        with connect(self.url) as connection:
            kept = connection.execute(_PUSH, [push_id]).fetchone()
        if kept is None:
            raise NotFound(f"there is no push {push_id}", push=push_id)
        if kept["run_id"] is not None:  # it landed, and its worker died before it could say so
            return [kept["run_id"]]
        city, declared = self._declared(kept["source"])
        delivery = _delivery(push_id, kept, declared, self.clock)
        return [pipeline.load(self.url, city, delivery, self.clock, on_progress).run_id]

    def replay(self, on_progress: Progress) -> list[int]:
        """Bring in what has happened by now in the past that is replayed. Raises as `load` does."""
        with connect(self.url) as connection:
            shown = replays.read(connection)
        if shown is None:
            return []
        upto = shown.replay.at(Clock().now())
        if not self.past.has(shown.fed_to, upto):  # a job before this one brought it in
            return []
        delivery = self.past.delivery(shown.fed_to, upto)
        try:
            return [pipeline.load(self.url, self.read(), delivery, StandingClock(upto), on_progress).run_id]
        except Unavailable:  # that passes, and the job is tried again
            raise
        except OnemapError:  # else it would be tried for ever, once a second
            with connect(self.url) as connection:
                replays.show(connection, shown.turned(shown.fed_to, Clock().now()).paced(0))
            raise

    def see(self, connection: Connection) -> None:
        """Set the clock by what the database says is shown."""
        if isinstance(self.clock, ReplayClock):
            shown = replays.read(connection)
            self.clock.replay = None if shown is None else shown.replay

    @cached_property
    def past(self) -> Past:
        """What is replayed, as the city's folder had it when it was first asked for."""
        return Past.of(City.load(self.folder))

    def remind(self, on_progress: Progress) -> list[int]:
        """Tell of every term of a case that has reached a colour; there are no runs of it.

        Raises
        ------
        Unavailable : the database went away; what was told stays told.
        """
        return self._repeat("reminding", lambda: reminders.remind(self.clock.now()), on_progress)

    def forget_photos(self, on_progress: Progress) -> list[int]:
        """Remove the photos of reports whose cases ended too long ago. Raises as `remind` does."""
        days = timedelta(days=City.load(self.folder).report.photo_days)
        now = self.clock.now()
        return self._repeat("forgetting photos", lambda: photos.forget(now - days, now), on_progress)

    def spread(self, on_progress: Progress) -> list[int]:
        """Write down for every subscription what news it is to be sent. Raises as `remind` does."""
        with closing(connect(self.url)) as connection:
            courier = Courier(connection, City.load(self.folder), self.clock, self.sends)
            count = 0
            while more := courier.spread():
                count += more
                on_progress("spreading", 0.0, count)
        return []

    def deliver(self, subscription_id: int, on_progress: Progress) -> list[int]:
        """Send what is due for a subscription; what cannot be is tried again later. Raises as `remind` does."""
        with closing(connect(self.url)) as connection:
            courier = Courier(connection, City.load(self.folder), self.clock, self.sends)
            count = 0
            while courier.deliver(subscription_id):
                count += 1
                on_progress("sending", 0.0, count)
        return []

    def read(self) -> City:
        """The city as its folder says, its words in the database up to date."""
        city = City.load(self.folder)
        with connect(self.url) as connection:
            vocabulary.write(connection, city)
        return city

    def _repeat(self, step: str, statement: Callable[[], Statement], on_progress: Progress) -> list[int]:
        """Do a statement, whose one value says how much it did, until nothing is left to do."""
        done, more = 0, True
        with closing(connect(self.url)) as connection:
            while more:
                on_progress(step, 0.0, done)
                asked = statement()
                with connection.transaction():
                    (found,) = connection.execute(asked.sql.encode(), asked.params).fetchall()
                more = next(iter(found.values())) > 0
                done += next(iter(found.values()))
        return []

    def _declared(self, source: str) -> tuple[City, Source]:
        city = self.read()
        return city, chosen(city, [source])[0]


def _delivery(push_id: int, kept: dict[str, Any], source: Source, clock: Clock) -> Delivery:
    def settle(connection: Connection, run_id: int) -> None:
        connection.execute("update onemap.push set run_id = %s where push_id = %s", [run_id, push_id])
        spans = Counter({(column, kind): count for column, kind, count in kept["masked"]})
        ledger.write(connection, run_id, ledger.masks(spans), clock.now())
        quarantine.forget_pushes(connection)

    return Delivery(
        source,
        f"push {push_id}",
        lambda: read_push(kept["rows"], source.taken, kept["body_sha256"]),
        via="push",
        settle=settle,
    )
