"""The replay that stands in the database: which past is shown, and how far its rows are loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow

from layers.core.clock import Replay
from layers.core.statement import Statement


@dataclass(frozen=True)
class Replayed:
    """A source whose past is replayed; its rows up to the instant `fed_to` are loaded."""

    source: str
    replay: Replay
    fed_to: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self | None:
        """What a row of `standing` says."""
        if row is None:
            return None
        replay = Replay(row["shown_from"], row["begun_at"], row["speed"], row["until"])
        return cls(row["source"], replay, row["fed_to"])

    def turned(self, shown_from: datetime, begun_at: datetime) -> Self:
        """The same past, from another instant on."""
        return replace(self, replay=replace(self.replay, shown_from=shown_from, begun_at=begun_at))

    def paced(self, speed: float) -> Self:
        """The same past at another speed."""
        return replace(self, replay=replace(self.replay, speed=speed))


def standing() -> Statement:
    """The one row, where a past is shown: source, shown_from, begun_at, speed, until, fed_to."""
    return Statement("select source, shown_from, begun_at, speed, until, fed_to from onemap.replay")


def read(connection: psycopg.Connection[DictRow]) -> Replayed | None:
    """What is replayed; none where the present is shown."""
    return Replayed.of(connection.execute(standing().sql.encode()).fetchone())


def show(connection: psycopg.Connection[DictRow], replayed: Replayed) -> None:
    """Show a past from now on, in place of what was shown."""
    replay = replayed.replay
    connection.execute(
        """insert into onemap.replay (source, shown_from, begun_at, speed, until, fed_to)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (one) do update set source = excluded.source, shown_from = excluded.shown_from,
          begun_at = excluded.begun_at, speed = excluded.speed, until = excluded.until,
          fed_to = excluded.fed_to""",
        [replayed.source, replay.shown_from, replay.begun_at, replay.speed, replay.until, replayed.fed_to],
    )


def fed(connection: psycopg.Connection[DictRow], to: datetime) -> None:
    """Note that the rows up to an instant are loaded."""
    connection.execute("update onemap.replay set fed_to = greatest(fed_to, %s)", [to])


def end(connection: psycopg.Connection[DictRow]) -> None:
    """Show the present again."""
    connection.execute("delete from onemap.replay")
