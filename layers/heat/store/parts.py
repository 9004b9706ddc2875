"""Parts of a sorted log: cut, counted and written.

A part's counts say what stands before its end, so heat up to any second is the nearest counts and a scan of less
than half a part. Shorter parts are scanned faster and take more disk for their counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from layers.heat.store.kernels import BLOCK_BITS, Counts, Halves, Log, count, spread
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
    """Slices of about `events` events each, of which no two share a second; nothing of an empty log."""
    if len(log) == 0:
        return
    slices = max(1, round(len(log) / events))
    ends = np.arange(1, slices) * len(log) // slices
    bounds = np.unique([0, *np.searchsorted(log, log[ends] >> _SECOND << _SECOND), len(log)])
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
        blocks = -(-self.counts.shape[1] >> BLOCK_BITS)
        whole = np.zeros(blocks + 1 + 2 * len(log), np.uint32)
        bounds, t, key = apart(whole, blocks)
        spread(log, bounds, t, key)
        place = Place(file=f"{self.name}.log", at=self._logged)
        _append(self.folder / place.file, whole)
        self._logged += len(whole)
        rows, entries = self.counts.shape
        first, counts = int(log[0] >> _SECOND), self._count(key)
        return Part(
            log=place, blocks=blocks, events=len(log), first=first, counts=counts, planes=rows - 1, entries=entries
        )

    def keep(self, part: Part, key: Halves) -> Part:
        """A part that is written already, and its keys: only its counts are new."""
        rows, entries = self.counts.shape
        return part.model_copy(update={"counts": self._count(key), "planes": rows - 1, "entries": entries})

    def _count(self, key: Halves) -> Place:
        count(key, self.counts[1:])
        self.counts[0] = self.counts[1:].sum(axis=0, dtype=np.uint32)
        place = Place(file=f"{self.name}.counts", at=self._counted)
        _append(self.folder / place.file, self.counts)
        self._counted += self.counts.size
        return place


def apart(whole: Halves, blocks: int) -> tuple[Halves, Halves, Halves]:
    """Bounds of the blocks, times and keys of a part's log as it is written."""
    bounds, rest = whole[: blocks + 1], whole[blocks + 1 :]
    return bounds, rest[: len(rest) // 2], rest[len(rest) // 2 :]


def _append(path: Path, array: Halves) -> None:
    with path.open("ab") as file:
        array.tofile(file)
