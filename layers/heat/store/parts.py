"""Parts of a sorted log: cut, counted and written.

A part's counts say what stands before its end, so heat up to any second is the nearest counts and a scan of less
than half a part. Shorter parts are scanned faster and take more disk for their counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from layers.heat.store.kernels import Counts, Log, count
from layers.heat.store.manifest import Part, Place

_LEAST_EVENTS = 1 << 16
_EVENT_BYTES, _COUNT_BYTES = 8, 4
_COUNTS_BYTES, _COUNTS_SHARE = 1 << 29, 0.9
_SECOND = np.uint64(32)


def part_events(events: int, planes: int, entries: int) -> int:
    """How many events a part should have, so that the counts of all layers take half a gigabyte.

    Where all their events take more themselves, counts may take nine tenths of that.

    Parameters
    ----------
    events : of all layers together.
    planes, entries : of the counts of one part.
    """
    room = max(_COUNTS_BYTES, int(_COUNTS_SHARE * _EVENT_BYTES * events))
    return max(_LEAST_EVENTS, events * (planes + 1) * entries * _COUNT_BYTES // room)


def no_counts(planes: int, entries: int) -> Counts:
    """Counts of nothing: uint32[planes + 1, entries], first the sums over all planes, then each plane's."""
    return np.zeros((planes + 1, entries), np.uint32)


def cut(log: Log, events: int) -> Iterator[Log]:
    """Slices of about `events` events each, equal events never apart; nothing of an empty log."""
    if len(log) == 0:
        return
    slices = max(1, round(len(log) / events))
    ends = np.arange(1, slices) * len(log) // slices
    bounds = np.unique([0, *np.searchsorted(log, log[ends]), len(log)])
    for start, stop in pairwise(bounds.tolist()):
        yield log[start:stop]


@dataclass
class PartWriter:
    """Appends parts to one file of logs and one of counts, which nothing else writes.

    counts : as `no_counts` has them, of all that comes before the next part; counted on as parts are added.
    """

    folder: Path
    name: str
    counts: Counts
    _logged: int = 0
    _counted: int = 0

    def add(self, log: Log) -> Part:
        """Write a part, a sorted slice with at least one event."""
        place = Place(file=f"{self.name}.log", at=self._logged)
        _append(self.folder / place.file, log)
        self._logged += len(log)
        return self.keep(log, place)

    def keep(self, log: Log, place: Place) -> Part:
        """A part whose log is written at `place` already: only its counts are new."""
        count(log, self.counts[1:])
        self.counts[0] = self.counts[1:].sum(axis=0, dtype=np.uint32)
        counts = Place(file=f"{self.name}.counts", at=self._counted)
        _append(self.folder / counts.file, self.counts)
        self._counted += self.counts.size
        rows, entries = self.counts.shape
        first = int(log[0] >> _SECOND)
        return Part(log=place, events=len(log), first=first, counts=counts, planes=rows - 1, entries=entries)


def _append(path: Path, array: Log | Counts) -> None:
    with path.open("ab") as file:
        array.tofile(file)
