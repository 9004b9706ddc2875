"""What comes in at once, and lands at once: a file, an instalment of a feed, a push, or rows played again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from etl.load.staging import Connection
from etl.readers.base import Reading
from etl.readers.registry import read
from etl.spec import Source

Via = Literal["file", "feed", "push", "replay"]


def _nothing(_connection: Connection, _run_id: int) -> None:
    pass


@dataclass(frozen=True)
class Delivery:
    """One load of a source.

    name : what the run's record calls it.
    open : opens its rows; what goes wrong there fails the run.
    watermark : how far the feed is read once this has landed.
    replays : the run whose quarantine is played again.
    settle : what else is true once it has landed, written in the same transaction.
    """

    source: Source
    name: str
    open: Callable[[], Reading]
    via: Via = "file"
    watermark: str | None = None
    replays: int | None = None
    settle: Callable[[Connection, int], None] = _nothing

    @classmethod
    def of_file(cls, source: Source, path: Path) -> Self:
        """One file of a source."""
        return cls(source, path.name, lambda: read(source, path))
