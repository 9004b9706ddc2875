"""What time it is: every "now" of the system is read from one clock, so that a past can be replayed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class Clock:
    """The wall clock, in UTC."""

    def now(self) -> datetime:
        """Aware UTC instant."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class Replay:
    """A past that is shown as if it were now.

    shown_from : the instant shown at `begun_at`, a moment of the wall clock.
    speed : seconds of the past in a second; 0 stands still.
    until : the last instant shown; there it stays.
    """

    shown_from: datetime
    begun_at: datetime
    speed: float
    until: datetime

    def at(self, moment: datetime) -> datetime:
        """The instant shown at a moment of the wall clock."""
        return min(self.shown_from + max(moment - self.begun_at, timedelta()) * self.speed, self.until)


@dataclass(frozen=True)
class StandingClock(Clock):
    """A clock that stands at an instant: what a piece of a past is loaded by."""

    instant: datetime

    def now(self) -> datetime:
        """That instant."""
        return self.instant


class ReplayClock(Clock):
    """The wall clock, or the past that is replayed: whoever reads the database says which.

    replay : none while the present is shown.
    """

    def __init__(self) -> None:
        self.replay: Replay | None = None

    def now(self) -> datetime:
        """Aware UTC instant: now, or the one that is shown now."""
        moment = super().now()
        return moment if self.replay is None else self.replay.at(moment)
