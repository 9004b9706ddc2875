"""Whether stores hold what they should: counts what the logs say, and logs what the database says."""

import numpy as np

from layers.core.errors import HeatStoreError
from layers.heat.store.checksum import Hashes, combined, event_hashes, place_seeds, plane_seeds
from layers.heat.store.kernels import BLOCK_BITS, ENTRY_BITS, MOST_ENTRIES, Halves, count
from layers.heat.store.layer import LayerStore
from layers.heat.store.logged import Slice
from layers.heat.store.parts import no_counts
from layers.heat.store.store import Store

_SECOND = np.uint64(32)
_PLANE = np.uint32(ENTRY_BITS)
_BLOCK = np.uint32(BLOCK_BITS)
_ENTRY = np.uint32(MOST_ENTRIES - 1)


def digest(store: Store) -> int:
    """The checksum of all events of all layers, as `layers.heat.store.checksum` has the database's.

    Raises
    ------
    HeatStoreError : counts are not what the log before them says.
    """
    origin, known = store.base.origin, store.manifest.planes
    planes, entries = len(known), len(store.entries)
    plane = np.repeat(plane_seeds(known), entries)
    area, cell = np.tile(store.entries.area, planes), np.tile(store.entries.cell, planes)
    seeds = place_seeds(plane, area, cell).reshape(planes, entries)
    sums = []
    for layer_id in store.base.layers:
        layer = store.layer(layer_id)
        _check(layer_id, layer, planes, entries)
        total = sum(int(_hashes(part.t, part.key, seeds, origin).sum()) for part in layer.logged.parts)
        event, sign = layer.changes.T
        changed = _hashes((event >> _SECOND).astype(np.uint32), event.astype(np.uint32), seeds, origin)
        sums.append(total + int((changed * sign).sum()))
    return combined(sums)


def _hashes(t: Halves, key: Halves, seeds: Hashes, origin: int) -> Hashes:
    return event_hashes(t.astype(np.int64) + origin, seeds[key >> _PLANE, key & _ENTRY])


def _check(layer_id: str, layer: LayerStore, planes: int, entries: int) -> None:
    """Each event where it is looked for, and each part's counts those of all events up to its end."""
    counts = no_counts(planes, entries)
    for number, part in enumerate(layer.logged.parts):
        sound = _in_place(part) and (part.key >> _PLANE).max() < planes and (part.key & _ENTRY).max() < entries
        if sound:
            count(part.key, counts[1:])
            counts[0] = counts[1:].sum(axis=0, dtype=np.uint32)
            rows, known = part.counts.shape
            sound = not (counts[rows:].any() or counts[:, known:].any())
        if not sound or not np.array_equal(counts[:rows, :known], part.counts):
            raise HeatStoreError("a heat store's counts are not what its log says", layer=layer_id, part=number)


def _in_place(part: Slice) -> bool:
    """Whether its events stand in the blocks of their entries, and in the order of time in each."""
    bounds = part.bounds.astype(np.int64)
    if bounds[0] != 0 or bounds[-1] != len(part.key) or np.any(np.diff(bounds) < 0):
        return False
    block = (part.key & _ENTRY) >> _BLOCK
    later = (np.diff(part.t.astype(np.int64)) >= 0) | (np.diff(block) != 0)
    return bool(later.all()) and np.array_equal(block, np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)))
