"""The log of one heat layer, as the last build or fold left it: where events of any time are, and their counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from layers.heat.store.files import Files
from layers.heat.store.kernels import MOST_SECONDS, Counts, Halves, Log, Places, places
from layers.heat.store.manifest import Layer, Part
from layers.heat.store.parts import apart

_SECOND = np.uint64(32)
_NO_COUNTS = np.frombuffer(b"", np.uint32).reshape(0, 0)
_NOWHERE = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Slice:
    """A part: its events in blocks of entries; counts of all before its end, of all planes and then of each."""

    bounds: Halves
    t: Halves
    key: Halves
    counts: Counts

    @classmethod
    def of(cls, part: Part, files: Files) -> Self:
        """The part as its files have it."""
        rows = part.planes + 1
        counts = files.array(part.counts, rows * part.entries, np.uint32)
        log = files.array(part.log, part.blocks + 1 + 2 * part.events, np.uint32)
        return cls(*apart(log, part.blocks), counts.reshape(rows, part.entries))

    @property
    def log(self) -> Log:
        """Its events in the order of time."""
        return np.sort(self.t.astype(np.uint64) << _SECOND | self.key)


@dataclass(frozen=True, eq=False)
class Anchor:
    """What is before a second: all before part `base`, and `sign` times the events start:stop of part `part`.

    All are as near as can be; the part is the last one with an event before the second, -1 where there is none.
    at : where in each block that was asked for the part's events from the second on begin.
    """

    part: int
    base: int
    sign: int
    start: Places
    stop: Places
    at: Places

    @property
    def events(self) -> int:
        """How many are to be scanned."""
        return int(self.stop.sum() - self.start.sum())


@dataclass(frozen=True, eq=False)
class Logged:
    """Parts in the order of time; `first` is the second of the first event of each, since the store's origin."""

    parts: tuple[Slice, ...]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, layer: Layer, files: Files) -> Self:
        """The log as its files have it."""
        first = np.array([part.first for part in layer.parts], np.int64)
        return cls(tuple(Slice.of(part, files) for part in layer.parts), first)

    def anchor(self, second: int, blocks: Places) -> Anchor:
        """The way to what is before a second, in some blocks."""
        number = int(np.searchsorted(self.first, second)) - 1
        if number < 0:
            return Anchor(-1, 0, 1, _NOWHERE, _NOWHERE, _NOWHERE)
        part = self.parts[number]
        low, at, high = places(part.t, part.bounds, blocks, np.array([0, second, MOST_SECONDS]))
        if 2 * at.sum() <= low.sum() + high.sum():
            return Anchor(number, number, 1, low, at, at)
        return Anchor(number, number + 1, -1, at, high, at)

    def counts(self, base: int) -> Counts:
        """Counts of all before part `base`."""
        return self.parts[base - 1].counts if base > 0 else _NO_COUNTS

    def runs(self, windows: NDArray[np.int64], blocks: Places) -> Iterator[tuple[Slice, Places, Places]]:
        """Where the events inside ascending windows stand in some blocks, part by part and then block by block."""
        after = np.append(self.first[1:], MOST_SECONDS)
        for number, part in enumerate(self.parts):
            near = windows[(windows[:, 1] > self.first[number]) & (windows[:, 0] < after[number])]
            if len(near):
                found = places(part.t, part.bounds, blocks, near.ravel())
                yield part, found[::2].ravel("F"), found[1::2].ravel("F")
