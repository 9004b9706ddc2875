"""Whether stores hold what they should: counts what the logs say, and logs what the database says."""

import numpy as np

from layers.core.errors import HeatStoreError
from layers.heat.store.checksum import Hashes, combined, event_hashes, place_seeds, plane_seeds
from layers.heat.store.kernels import ENTRY_BITS, MOST_ENTRIES, Log, count
from layers.heat.store.parts import no_counts
from layers.heat.store.store import LayerStore, Store

_SECOND = np.uint64(32)
_PLANE = np.uint64(ENTRY_BITS)
_ENTRY = np.uint64(MOST_ENTRIES - 1)
_MOST_PLANES = np.uint64(255)


def digest(store: Store) -> int:
    """The checksum of all events of all layers, as `layers.heat.store.checksum` has the database's.

    Raises
    ------
    HeatStoreError : counts are not what the log before them says.
    """
    manifest = store.manifest
    planes, entries = len(manifest.planes), len(store.entries)
    plane = np.repeat(plane_seeds(manifest.planes), entries)
    area, cell = np.tile(store.entries.area, planes), np.tile(store.entries.cell, planes)
    seeds = place_seeds(plane, area, cell).reshape(planes, entries)
    sums = []
    for layer_id in manifest.layers:
        layer = store.layer(layer_id)
        _check_counts(layer_id, layer, planes, entries)
        total = sum(int(_hashes(part.log, seeds, manifest.origin).sum()) for part in layer.parts)
        changed = _hashes(layer.changes[:, 0], seeds, manifest.origin)
        sums.append(total + int((changed * layer.changes[:, 1]).sum()))
    return combined(sums)


def _hashes(log: Log, seeds: Hashes, origin: int) -> Hashes:
    t = (log >> _SECOND).astype(np.int64) + origin
    return event_hashes(t, seeds[log >> _PLANE & _MOST_PLANES, log & _ENTRY])


def _check_counts(layer_id: str, layer: LayerStore, planes: int, entries: int) -> None:
    counts = no_counts(planes, entries)
    for number, part in enumerate(layer.parts):
        beyond = (part.log >> _PLANE & _MOST_PLANES).max() >= planes or (part.log & _ENTRY).max() >= entries
        if not beyond:
            count(part.log, counts[1:])
            counts[0] = counts[1:].sum(axis=0, dtype=np.uint32)
            rows, known = part.counts.shape
            beyond = counts[rows:].any() or counts[:, known:].any()
        if beyond or not np.array_equal(counts[:rows, :known], part.counts):
            raise HeatStoreError("a heat store's counts are not what its log says", layer=layer_id, part=number)
