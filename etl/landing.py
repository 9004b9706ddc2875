"""Where and as what rows land: inside one transaction, as rows of one run."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from etl.ledger import Entry
from etl.load.staging import Connection, Merged
from etl.spec import Source
from layers.catalog.city import City

Progress = Callable[[str, float, int], None]
"""Hears what is being done, the share of the work that is done (0 to 1), and the rows the file seems to have."""


@dataclass(frozen=True)
class Landing:
    """One run's ground; `dry` where nothing of it will stay."""

    connection: Connection
    city: City
    source: Source
    run_id: int
    sha256: str
    at: datetime
    on_progress: Progress
    dry: bool = False

    def too_many(self, intake: "Intake") -> bool:
        """Whether more rows did not pass than the source allows."""
        return intake.quarantined > self.source.max_quarantined * intake.rows_read


@dataclass
class Intake:
    """What became of a file's rows before those that passed meet what is known already.

    staged : rows that passed, one a key.
    notes : what was done to rows beyond reading them, counted.
    masked : spans that were masked, by column and kind.
    """

    rows_read: int = 0
    quarantined: int = 0
    superseded: int = 0
    staged: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    masked: Counter[tuple[str, str]] = field(default_factory=Counter)


class Load(Protocol):
    """The steps of bringing one file in; each is inside the caller's transaction."""

    def take_in(self) -> Intake:
        """Read, check and stage every row; what did not pass is in quarantine."""
        ...

    def merge(self) -> Merged:
        """Bring the staged rows in."""
        ...

    def tell(self, merged: Merged) -> None:
        """Tell the followers; the last thing before the commit."""
        ...
