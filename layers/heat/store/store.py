"""One moment of the stores, mapped into memory: sums of events by entry, for any windows of time and any weights.

The files behind it are only added to, so it stays as it is while a writer goes on; nothing is locked.
"""

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatNotReady, HeatStoreError
from layers.heat.store.entries import Entries
from layers.heat.store.kernels import (
    DECAY_BITS,
    Amounts,
    Counts,
    Log,
    Sums,
    add_changes,
    add_counts,
    add_decayed,
    add_events,
)
from layers.heat.store.manifest import Layer, Manifest, Part, Place
from layers.heat.store.rollup import Rollups

_SECOND = np.uint64(32)
_NO_COUNTS = np.frombuffer(b"", np.uint32).reshape(0, 0)


class Files:
    """Arrays of a folder's files, each file mapped once, read-only."""

    def __init__(self, folder: Path, maps: dict[str, mmap.mmap]) -> None:
        self._folder = folder
        self._maps = maps

    def among(self, names: set[str]) -> "Files":
        """Those of the mapped files that are among `names`, and others as they are asked for."""
        return Files(self._folder, {name: mapped for name, mapped in self._maps.items() if name in names})

    def array(self, place: Place, items: int, dtype: type[Any]) -> NDArray[Any]:
        """`items` items from a place on.

        Raises
        ------
        FileNotFoundError : the file is gone, as after a later switch.
        HeatStoreError : it is shorter than that, as after a crash of the machine.
        """
        if items == 0:
            return np.frombuffer(b"", dtype)
        size = np.dtype(dtype).itemsize
        end = (place.at + items) * size
        mapped = self._maps.get(place.file)
        if mapped is None or len(mapped) < end:
            with (self._folder / place.file).open("rb") as file:
                if os.fstat(file.fileno()).st_size < end:
                    raise HeatStoreError("a file of the heat store is cut short", file=place.file)
                mapped = self._maps[place.file] = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return np.frombuffer(mapped, dtype, items, place.at * size)


@dataclass(frozen=True, eq=False)
class Slice:
    """A part: its log, and the counts of all before its end, first of all planes together, then of each."""

    log: Log
    counts: Counts

    @classmethod
    def of(cls, part: Part, files: Files) -> Self:
        """The part as its files have it."""
        rows = part.planes + 1
        counts = files.array(part.counts, rows * part.entries, np.uint32)
        return cls(files.array(part.log, part.events, np.uint64), counts.reshape(rows, part.entries))


@dataclass(frozen=True)
class Anchor:
    """What is before a second: all before part `base`, and `sign` times the events start:stop of part `part`.

    Both are as near as can be; the part is the last one with an event before the second, -1 where there is none.
    It has `events`.
    """

    part: int
    base: int
    start: int
    stop: int
    sign: int
    events: int

    @property
    def position(self) -> int:
        """How many events of the part are before the second."""
        return self.stop if self.sign > 0 else self.start


@dataclass(frozen=True, eq=False)
class LayerStore:
    """The events of one heat layer; seconds are counted from the store's origin.

    changes : uint64[n, 2], events that came or went since the log was written, and their signs.
    """

    parts: tuple[Slice, ...]
    first: NDArray[np.int64]
    changes: Log
    entries: int

    @classmethod
    def of(cls, layer: Layer, entries: int, files: Files) -> Self:
        """The layer as its files have it."""
        changes = files.array(layer.changes, 2 * layer.changed, np.uint64).reshape(layer.changed, 2)
        first = np.array([part.first for part in layer.parts], np.int64)
        return cls(tuple(Slice.of(part, files) for part in layer.parts), first, changes, entries)

    def sums(self, windows: NDArray[np.int64], weight: Sums) -> Sums:
        """int64[entries], the weights of all events inside the windows.

        windows : int64[n, 2], n > 0, half-open, ascending and disjoint.  weight : int64[256] by plane.
        """
        out = np.zeros(self.entries, np.int64)
        if len(windows) == 1:
            self._between(int(windows[0, 0]), int(windows[0, 1]), weight, out)
        else:
            for part, start, stop in self._runs(windows):
                add_events(part.log, start, stop, weight, out)
        add_changes(self.changes, windows, weight, out)
        return out

    def decayed(self, windows: NDArray[np.int64], weight: Sums, end: int, half_life_s: float) -> Amounts:
        """float64[entries], as `sums` with each weight halved for every `half_life_s` before the second `end`.

        No window reaches beyond `end`.
        """
        out = np.zeros(self.entries)
        last = int(windows[-1, 1])
        oldest = last - int(windows[0, 0])
        fine = np.exp2(-np.arange(1 << DECAY_BITS) / half_life_s)
        coarse = np.exp2(-(np.arange((oldest >> DECAY_BITS) + 1) << DECAY_BITS) / half_life_s)
        for part, start, stop in self._runs(windows):
            add_decayed(part.log, start, stop, weight, last, coarse, fine, out)
        for sign in (1, -1):
            changed = self.changes[self.changes[:, 1].view(np.int64) == sign, 0]
            second = (changed >> _SECOND).astype(np.int64)
            at = np.searchsorted(windows[:, 0], second, "right") - 1
            log = changed[(at >= 0) & (second < windows[at, 1])]
            log.flags.writeable = False  # as the parts' are, so that one kernel serves
            add_decayed(log, 0, len(log), sign * weight, last, coarse, fine, out)
        decayed: Amounts = out * np.exp2((last - end) / half_life_s)
        return decayed

    def _between(self, start: int, end: int, weight: Sums, out: Sums) -> None:
        """Add one window: all before its end, less all before its start."""
        late, early = self._anchor(end), self._anchor(start)
        if late.part == early.part and 2 * (late.position - early.position) <= late.events:
            self._scan(Anchor(late.part, late.base, early.position, late.position, 1, late.events), weight, out)
            return
        self._scan(late, weight, out)
        self._scan(early, -weight, out)
        if late.base != early.base:
            counts = self._before(late.base)
            add_counts(counts, self._before(early.base), by_row(weight, len(counts)), out)

    def _anchor(self, second: int) -> Anchor:
        part = int(np.searchsorted(self.first, second)) - 1
        if part < 0:
            return Anchor(-1, 0, 0, 0, 1, 0)
        log = self.parts[part].log
        position = int(np.searchsorted(log, np.uint64(second << 32)))
        if 2 * position < len(log):
            return Anchor(part, part, 0, position, 1, len(log))
        return Anchor(part, part + 1, position, len(log), -1, len(log))

    def _scan(self, anchor: Anchor, weight: Sums, out: Sums) -> None:
        if anchor.start < anchor.stop:
            log = self.parts[anchor.part].log
            add_events(log, anchor.start, anchor.stop, anchor.sign * weight, out)

    def _before(self, part: int) -> Counts:
        """Counts of all before a part."""
        return self.parts[part - 1].counts if part > 0 else _NO_COUNTS

    def _runs(self, windows: NDArray[np.int64]) -> Iterator[tuple[Slice, int, int]]:
        """The runs of events inside the windows, part by part."""
        for number, part in enumerate(self.parts):
            last = int(part.log[-1] >> _SECOND)
            near = windows[(windows[:, 1] > self.first[number]) & (windows[:, 0] <= last)]
            bounds = near.astype(np.uint64) << _SECOND
            for start, stop in np.searchsorted(part.log, bounds).tolist():
                if start < stop:
                    yield part, start, stop


@dataclass(frozen=True, eq=False)
class Store:
    """All heat layers at one moment."""

    manifest: Manifest
    files: Files
    rollups: Rollups
    _layers: dict[str, LayerStore] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest, folder: Path, previous: Self | None = None) -> Self:
        """What the manifest says; what is mapped or worked out already is taken from the `previous` moment.

        Raises
        ------
        FileNotFoundError : a file is gone, as after a later switch.
        """
        files = previous.files.among(manifest.files()) if previous else Files(folder, {})
        if previous and _same_entries(previous.manifest, manifest):
            return cls(manifest, files, previous.rollups)
        pairs = files.array(manifest.entries_at, 2 * manifest.entries, np.uint64).reshape(-1, 2)
        entries = Entries(np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]).view(np.int64))
        return cls(manifest, files, Rollups(entries))

    @property
    def entries(self) -> Entries:
        """The pairs of base cell and finest area that events stand in."""
        return self.rollups.entries

    def layer(self, layer: str) -> LayerStore:
        """One heat layer; its files are opened when it is first asked for.

        Raises
        ------
        HeatNotReady : the stores were built before the city had it.
        """
        found = self._layers.get(layer)
        if found is None:
            known = self.manifest.layers.get(layer)
            if known is None:
                raise HeatNotReady(f"the heat of '{layer}' is not built yet", layer=layer, retry_after_s=5)
            found = self._layers[layer] = LayerStore.of(known, self.manifest.entries, self.files)
        return found


def _same_entries(one: Manifest, other: Manifest) -> bool:
    return (one.entries_at, one.entries) == (other.entries_at, other.entries)


def by_row(weight: Sums, rows: int) -> Sums:
    """The weights of planes as weights of counts' rows: the commonest for all, and what each has beside it.

    So a question of all planes alike reads one row, whatever their number.
    """
    value, often = np.unique(weight[: rows - 1], return_counts=True)
    common = value[often.argmax()] if rows > 1 else 0
    return np.concatenate([[common], weight[: rows - 1] - common])
