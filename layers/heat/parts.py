"""Parts of a sorted log: cut, counted and written.

A part's counts say what stands before its end, so heat up to any second is the nearest counts and a scan of less
than half a part. A part is as long as its counts are large: neither outweighs the other on disk or in a query.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from layers.heat.kernels import Counts, Log, count
from layers.heat.manifest import Part, Place

_LEAST_EVENTS = 1 << 16
_EVENT_BYTES, _COUNT_BYTES = 8, 4
_SECOND = np.uint64(32)


def part_events(planes: int, entries: int) -> int:
    """How many events a part should have where its counts have so many planes and entries."""
    return max(_LEAST_EVENTS, planes * entries * _COUNT_BYTES // _EVENT_BYTES)


def cut(log: Log, events: int) -> Iterator[Log]:
    """Slices of about `events` events each, equal events never apart; nothing of an empty log."""
    if len(log) == 0:
        return
    slices = max(1, round(len(log) / events))
    ends = np.arange(1, slices) * len(log) // slices
    bounds = np.unique([0, *np.searchsorted(log, log[ends]), len(log)])
    for start, stop in pairwise(bounds.tolist()):
        yield log[start:stop]


def second(event: np.uint64) -> int:
    """Second of an event since the origin."""
    return int(event >> _SECOND)


@dataclass
class PartWriter:
    """Appends parts to one file of logs and one of counts, which nothing else writes.

    counts : uint32[planes, entries], of all that comes before the next part; counted on as parts are added.
    """

    folder: Path
    name: str
    counts: Counts
    _log: BinaryIO = field(init=False)
    _sums: BinaryIO = field(init=False)
    _logged: int = 0
    _summed: int = 0

    def __enter__(self) -> Self:
        self._log = (self.folder / f"{self.name}.log").open("wb")
        self._sums = (self.folder / f"{self.name}.counts").open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()
        self._sums.close()

    def add(self, log: Log) -> Part:
        """Write a part, a sorted slice with at least one event."""
        at = self._logged
        log.tofile(self._log)
        self._logged += len(log)
        return self.keep(log, Place(file=f"{self.name}.log", at=at))

    def keep(self, log: Log, place: Place) -> Part:
        """A part whose log is written at `place` already: only its counts are new."""
        count(log, self.counts)
        at = self._summed
        self.counts.tofile(self._sums)
        self._summed += self.counts.size
        planes, entries = self.counts.shape
        return Part(
            log=place,
            events=len(log),
            first=second(log[0]),
            counts=Place(file=f"{self.name}.counts", at=at),
            planes=planes,
            entries=entries,
        )
