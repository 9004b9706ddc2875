"""Events as a store's log has them, and partitions of them encoded each on its own.

Encoding is a pure function of a partition, with its own entry numbers and its own origin, into files that another
try would write the same. So other processes can do it, here or on other machines.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatStoreError
from layers.heat.store.entries import Entries
from layers.heat.store.events import Events
from layers.heat.store.kernels import ENTRY_BITS, MOST_SECONDS, Log, restate

_TIME_SHIFT = np.uint64(32)
_PLANE_SHIFT = np.uint64(ENTRY_BITS)


def inside(zones: NDArray[np.uint32], layer: int) -> NDArray[np.bool_]:
    """Which events belong to the heat layer of that number: 0 is that of all, n the zone type's of bit n - 1."""
    bit = np.uint32(max(layer - 1, 0))
    return (zones >> bit & np.uint32(1)).astype(bool) | (layer == 0)


def pack(t: NDArray[np.int64], plane: NDArray[np.int16], entry: NDArray[np.int64], origin: int) -> Log:
    """Events of a log, counted from `origin`, in the order given.

    Raises
    ------
    HeatStoreError : one before the origin, or more than 136 years after it.
    """
    seconds = t - origin
    if len(seconds) and not 0 <= seconds.min() <= seconds.max() < MOST_SECONDS:
        raise HeatStoreError("an event lies outside the time that the heat store counts", origin=origin)
    key = plane.astype(np.uint64) << _PLANE_SHIFT | entry.astype(np.uint64)
    packed: Log = seconds.astype(np.uint64) << _TIME_SHIFT | key
    return packed


@dataclass(frozen=True)
class Encoded:
    """An encoded partition: its files in `folder` begin with `number`.

    first, last : seconds since 1970 of its first and last event.
    events : how many of them each heat layer has.
    """

    folder: Path
    number: int
    first: int
    last: int
    events: tuple[int, ...]

    @classmethod
    def of(cls, partition: Events, layers: int, folder: Path, number: int) -> Self:
        """Encode a partition with at least one event."""
        entries, number_of = Entries.numbered(partition.cell, partition.area)
        first, last = int(partition.t.min()), int(partition.t.max())
        packed = pack(partition.t, partition.plane, number_of, first)
        within = [inside(partition.zones, layer) for layer in range(layers)]
        made = cls(folder, number, first, last, tuple(int(mask.sum()) for mask in within))
        np.save(folder / f"{number}.cell.npy", entries.cell)
        np.save(folder / f"{number}.area.npy", entries.area)
        for layer, mask in enumerate(within):
            packed[mask].tofile(made._log(layer))
        return made

    def _log(self, layer: int) -> Path:
        return self.folder / f"{self.number}.{layer}"

    def entries(self) -> Entries:
        """What its own entry numbers mean."""
        return Entries(
            np.load(self.folder / f"{self.number}.cell.npy"), np.load(self.folder / f"{self.number}.area.npy")
        )

    def log(self, layer: int, origin: int, entry: NDArray[np.uint32]) -> Log:
        """A layer's events, counted from `origin`, each with the number that `entry` has for its own."""
        log = np.fromfile(self._log(layer), np.uint64)
        restate(log, self.first - origin, entry)
        return log
