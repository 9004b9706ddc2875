"""A source's file as it was known at any instant: what had happened by then, and what of it was closed.

So a past can be loaded piece by piece, as a feed would have brought it: a row comes in when it happens, open still
where it was, and once more when it is closed.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etl import pipeline, vocabulary
from etl.delivery import Delivery
from etl.load.staging import Connection
from etl.readers.base import RawFrame, Reading, sha256
from etl.readers.registry import read
from etl.spec import Source, chosen
from layers.catalog.city import City
from layers.catalog.city import Past as Declared
from layers.core import replays
from layers.core.clock import Replay, StandingClock
from layers.core.db import connect
from layers.core.errors import BadSource
from layers.core.replays import Replayed
from layers.records.sheet import plain, text
from layers.records.times import Moments, instants

_MOMENTS = ("occurred_at", "closed_at")


@dataclass(frozen=True)
class Past:
    """The rows of one file of incidents, n of them, with the moments at which more is known of them.

    happened, closed : datetime64[us][n] in UTC; NaT where there is none.
    open_state : what the source calls a row before it is closed; none where it says no states.
    """

    source: Source
    path: Path
    digest: str
    rows: RawFrame
    happened: Moments
    closed: Moments
    open_state: str | None

    @classmethod
    def of(cls, city: City) -> Self:
        """The past that the city declares.

        Raises
        ------
        BadSource : the city declares none, or its source has no file of incidents, or more than one.
        """
        declared = _declared(city)
        (source,) = chosen(city, [declared.source])
        if source.target != "incidents" or source.file is None:
            raise BadSource(f"past: {source.id} is no file of incidents", source=source.id)
        files = source.files(city.folder)
        if len(files) != 1:
            raise BadSource(f"past: {source.id} has {len(files)} files, and one is replayed", source=source.id)
        rows = read(source, files[0]).whole()
        happened, closed = (_moments(source, rows.table, name, source.zone(city)) for name in _MOMENTS)
        if np.isnat(happened).all():
            raise BadSource(f"past: no row of {files[0].name} says when it happened", source=source.id)
        return cls(source, files[0], sha256(files[0]), rows, happened, closed, declared.open_state)

    @property
    def last(self) -> datetime:
        """The instant of the last row."""
        return _aware(np.nanmax(self.happened))

    def known(self, after: datetime | None, upto: datetime) -> RawFrame:
        """What became known after one instant and up to another, as it was known then.

        Without `after`, all that came before, and the rows that have no time.
        """
        since = np.datetime64("-290000", "Y").astype("datetime64[us]") if after is None else _naive(after)
        new = (self.happened <= _naive(upto)) & ((self.happened > since) | self._closes(since, _naive(upto)))
        if after is None:
            new |= np.isnat(self.happened)
        place = np.flatnonzero(new)
        table = self.rows.table.take(pa.array(place))
        return RawFrame(self._as_of(table, self.closed[place], _naive(upto)), self.rows.rows[place])

    def has(self, after: datetime, upto: datetime) -> bool:
        """Whether anything became known in between."""
        since, to = _naive(after), _naive(upto)
        return bool((((self.happened > since) & (self.happened <= to)) | self._closes(since, to)).any())

    def delivery(self, after: datetime | None, upto: datetime) -> Delivery:
        """What became known in between, to be loaded; the replay goes on from there once it has landed."""
        digest = hashlib.sha256(f"{self.digest} {after} {upto}".encode()).hexdigest()
        name = f"{self.path.name} to {upto.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

        def settle(connection: Connection, _: int) -> None:
            replays.fed(connection, upto)

        def opened() -> Reading:
            return Reading(self.path, digest, iter([self.known(after, upto)]))

        return Delivery(self.source, name, opened, settle=settle)

    def _closes(self, since: np.datetime64, upto: np.datetime64) -> NDArray[np.bool_]:
        return (self.closed > since) & (self.closed <= upto)

    def _as_of(self, table: pa.Table, closed: Moments, upto: np.datetime64) -> pa.Table:
        """The same rows without what lay in their future."""
        still = pa.array(~(closed <= upto))
        for field, then in (("closed_at", None), ("state", self.open_state)):
            name = self.source.columns.get(field)
            if name is None or (field == "state" and then is None):
                continue
            column = plain(table.column(name))
            known = pc.if_else(still, pa.scalar(then, column.type), column)
            table = table.set_column(table.schema.get_field_index(name), name, known)
        return table


def _moments(source: Source, table: pa.Table, field: str, zone: ZoneInfo) -> Moments:
    """Instants of a field; none where the source does not have it."""
    if field not in source.columns:
        return np.full(len(table), np.datetime64("NaT", "us"))
    column = plain(table.column(source.columns[field]))
    return instants(text(column) if pa.types.is_string(column.type) else column, zone).at


def begin(url: str, city: City, past: Past, moment: datetime) -> Replayed:
    """Load what lies before the instant that the city names; from there the past goes on at `moment`.

    Raises
    ------
    BadSource : later rows are loaded already, and would lie in the future.
    SourceError, Unavailable : as a load raises them.
    """
    declared = _declared(city)
    with connect(url) as connection:
        connection.autocommit = True
        later = connection.execute(
            "select from onemap.incident where source = %s and occurred_at > %s limit 1",
            [past.source.id, declared.since],
        ).fetchone()
        if later is not None:
            at = declared.since.astimezone(city.zone)
            raise BadSource(
                f"{past.source.id}: rows after {at:%Y-%m-%d %H:%M} are loaded already; "
                "withdraw them, or replay in another home",
                source=past.source.id,
            )
        vocabulary.write(connection, city)
    pipeline.load(url, city, past.delivery(None, declared.since), StandingClock(declared.since))
    replay = Replay(declared.since, moment, declared.speed, past.last)
    return Replayed(past.source.id, replay, declared.since)


def _declared(city: City) -> Declared:
    if city.past is None:
        raise BadSource(f"{city.code} has no [past] in its city.toml", city=city.code)
    return city.past


def _naive(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def _aware(at: np.datetime64) -> datetime:
    found: datetime = at.astype("datetime64[us]").item()
    return found.replace(tzinfo=UTC)
