"""Has the kernels ready before the first question: compiled, or taken from where they were kept."""

import numpy as np

from layers.heat.store.kernels import MOST_PLANES, some
from layers.heat.store.layer import LayerStore
from layers.heat.store.logged import Logged, Slice
from layers.heat.store.rollup import Rollup, Selection


def warm_up() -> None:
    """Ask a store of two events everything that a kernel answers, with arrays of the kinds that stores have."""
    bounds, t, key, counts = (
        np.frombuffer(np.array(which, np.uint32).tobytes(), np.uint32)
        for which in ([0, 2], [5, 9], [0, 0], [1, 1])
    )
    changes = np.frombuffer(np.array([7 << 32, 1, 8 << 32, -1], np.int64).tobytes(), np.uint64).reshape(2, 2)
    part = Slice(bounds, t, key, counts.reshape(2, 1))
    store = LayerStore(Logged((part, part), np.array([5, 20])), changes, 1)
    weight, kept = np.ones(MOST_PLANES, np.int64), np.ones(1, bool)
    chosen = Selection.of(kept, kept, Rollup(np.zeros(1, np.uint64), np.zeros(1, np.int32)))
    for windows in (np.array([[0, 30]]), np.array([[0, 8], [9, 30]])):
        some(chosen.cell, chosen.sums(store.sums(windows, weight, chosen.blocks), None), 0)
        some(chosen.cell, chosen.sums(store.decayed(windows, weight, chosen.blocks, 30, 10.0), None), 0.0)
