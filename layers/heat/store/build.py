"""A store built from nothing: partitions encoded each on its own, then put together by integer sums.

A partition is any set of events, of some time or below some coarse cell. Their order plays no part.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatStoreError
from layers.heat.store.encode import Encoded
from layers.heat.store.entries import Entries
from layers.heat.store.events import Events, Plane, State
from layers.heat.store.kernels import MOST_PLANES, MOST_SECONDS, Log
from layers.heat.store.manifest import Base, Layer, Manifest
from layers.heat.store.parts import PartWriter, cut, no_counts, part_events

_EARLIER_S = 20 * 365 * 86400

PROCESSES = 2
_ALONE = 1 << 24  # events that are encoded sooner than other processes have started


def build(
    folder: Path,
    name: str,
    layers: Sequence[str],
    partitions: Iterable[Events],
    planes: Sequence[Plane],
    state: State,
) -> Manifest:
    """Write the stores of all heat layers, in files that begin with `name`; nothing leans on them yet.

    Parameters
    ----------
    layers : ids, first the one of all incidents, then each zone type's in the order of its bit.
    partitions : the events, each once, in pieces that fit into memory a few times.
    planes : what `Events.plane` counts in.

    Raises
    ------
    HeatStoreError : more planes, pairs of cell and area, or years than a store can hold.
    """
    if len(planes) > MOST_PLANES:
        raise HeatStoreError(f"more than {MOST_PLANES} planes", planes=len(planes))
    with TemporaryDirectory(dir=folder, prefix=f"{name}-") as scratch:
        encoded = list(_encoded(partitions, len(layers), Path(scratch)))
        origin = _origin(encoded)
        entries = _union([one.entries() for one in encoded])
        numbers = [_numbers(one.entries(), entries) for one in encoded]
        events = part_events(sum(sum(one.events) for one in encoded), len(planes), len(entries))
        stores = {}
        for number, layer in enumerate(layers):
            log = _together(encoded, number, origin, numbers, Path(scratch) / layer)
            writer = PartWriter(folder, f"{name}-{layer}", no_counts(len(planes), len(entries)))
            parts = tuple(writer.add(part) for part in cut(log, events))
            stores[layer] = Layer(parts=parts, changes=no_changes(folder, writer.name))
    file = f"{name}.entries"
    write_entries(folder / file, entries, at=0)
    base = Base(origin=origin, part_events=events, entries=file, layers=stores)
    return base.begin(folder, name, state, tuple(planes), len(entries))


def _origin(encoded: Sequence[Encoded]) -> int:
    """Where to count seconds from, with room for events that will come from earlier times."""
    if not encoded:
        return 0
    first, last = min(one.first for one in encoded), max(one.last for one in encoded)
    room = MOST_SECONDS - 1 - (last - first)
    if room < 0:
        raise HeatStoreError("the incidents span more years than a heat store can count")
    return first - min(room // 2, _EARLIER_S)


def no_changes(folder: Path, name: str) -> str:
    """An empty file for a layer's changes."""
    file = f"{name}.changes"
    (folder / file).touch()
    return file


def write_entries(path: Path, entries: Entries, at: int) -> None:
    """Write entries into their file from number `at` on: cell and area, one pair after the other."""
    path.touch()
    with path.open("r+b") as file:
        file.seek(16 * at)
        np.column_stack([entries.cell, entries.area.view(np.uint64)]).tofile(file)


def _encoded(partitions: Iterable[Events], layers: int, scratch: Path) -> Iterator[Encoded]:
    """Each partition that has any event, encoded; by other processes, once so many are that these are worth it."""
    numbered = ((number, part) for number, part in enumerate(partitions) if len(part))
    alone = 0
    for number, part in numbered:
        yield Encoded.of(part, layers, scratch, number)
        alone += len(part)
        if alone >= _ALONE:
            break
    else:
        return
    waiting: deque[Future[Encoded]] = deque()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for number, part in numbered:
            waiting.append(pool.submit(Encoded.of, part, layers, scratch, number))
            if len(waiting) > PROCESSES:
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def _union(parts: Sequence[Entries]) -> Entries:
    if not parts:
        return Entries.none()
    return Entries.of(np.concatenate([one.cell for one in parts]), np.concatenate([one.area for one in parts]))


def _numbers(own: Entries, entries: Entries) -> NDArray[np.uint32]:
    return entries.find(own.cell, own.area).astype(np.uint32)


def _together(
    encoded: Sequence[Encoded], layer: int, origin: int, numbers: Sequence[NDArray[np.uint32]], path: Path
) -> Log:
    """All events of a layer, sorted, in a file, so that they need not fit into memory."""
    with path.open("wb") as file:
        for one, entry in sorted(zip(encoded, numbers, strict=True), key=lambda pair: pair[0].first):
            part = one.log(layer, origin, entry)
            part.sort()
            part.tofile(file)
    if path.stat().st_size == 0:
        return np.empty(0, np.uint64)
    log = np.memmap(path, np.uint64, "r+")
    if any(one.last >= other.first for one, other in pairwise(sorted(encoded, key=lambda one: one.first))):
        log.sort()
    return log
