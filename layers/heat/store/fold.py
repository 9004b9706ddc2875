"""Changes taken into the sorted log of a layer.

Only the parts that a change falls into are written anew, and the counts from the first of them on.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatStoreError
from layers.heat.store.kernels import Log
from layers.heat.store.layer import LayerStore
from layers.heat.store.logged import Logged
from layers.heat.store.manifest import Part
from layers.heat.store.parts import PartWriter, cut, no_counts

_SECOND = np.uint64(32)


def fold(
    folder: Path, name: str, parts: tuple[Part, ...], store: LayerStore, shape: tuple[int, int], events: int
) -> tuple[Part, ...]:
    """The parts with all changes in them; what is new of them is in files that begin with `name`.

    Parameters
    ----------
    parts, store : the layer as the manifest and as memory have it.
    shape : of the counts: planes and entries that there are now.
    events : how many a part has, about.

    Raises
    ------
    HeatStoreError : an event went that is not there.
    """
    added, removed = net(store.changes)
    logged = store.logged
    came, went = _part_of(added, logged), _part_of(removed, logged)
    touched = set(came.tolist()) | set(went.tolist())
    if not touched:
        return parts
    first = min(touched)
    counts = no_counts(*shape)
    if first > 0:
        before = logged.counts(first)
        counts[: before.shape[0], : before.shape[1]] = before
    kept = list(parts[:first])
    writer = PartWriter(folder, name, counts)
    for number in range(first, max(len(parts), 1)):
        if number in touched:
            log = logged.parts[number].log if parts else np.empty(0, np.uint64)
            log = merged(log, added[came == number], removed[went == number])
            kept += [writer.add(part) for part in cut(log, events)]
        else:
            kept.append(writer.keep(parts[number], logged.parts[number].key))
    return tuple(kept)


def net(changes: Log) -> tuple[Log, Log]:
    """What is left to add and to remove, sorted, where what came and went again cancels out."""
    event, place = np.unique(changes[:, 0], return_inverse=True)
    balance = np.zeros(len(event), np.int64)
    np.add.at(balance, place, changes[:, 1].view(np.int64))
    return np.repeat(event, np.maximum(balance, 0)), np.repeat(event, np.maximum(-balance, 0))


def settled(changes: Log) -> Log:
    """The same changes without those that cancel out, sorted."""
    added, removed = net(changes)
    sign = np.repeat(np.array([1, -1], np.int64), [len(added), len(removed)]).view(np.uint64)
    return np.column_stack([np.concatenate([added, removed]), sign])


def merged(log: Log, added: Log, removed: Log) -> Log:
    """A sorted log with some events more and some fewer.

    Raises
    ------
    HeatStoreError : one of the removed is not there, or not so often.
    """
    log = np.sort(np.concatenate([log, added]))
    # The n-th of equal events to go is the n-th of those that are there.
    at = np.searchsorted(log, removed) + np.arange(len(removed)) - np.searchsorted(removed, removed)
    if np.any(at >= len(log)) or np.any(log[at] != removed):
        raise HeatStoreError("an event went that the heat store never had")
    return np.delete(log, at)


def _part_of(events: Log, logged: Logged) -> NDArray[np.int64]:
    """Number of the part that each event belongs to; 0 where there are no parts yet."""
    second = (events >> _SECOND).astype(np.int64)
    return np.maximum(np.searchsorted(logged.first, second, "right") - 1, 0)
