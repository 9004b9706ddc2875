"""What time it is: every "now" of the system is read from one clock, so that a past can be replayed."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """The wall clock, in UTC."""

    def now(self) -> datetime:
        """Aware UTC instant."""
        return datetime.now(UTC)
