"""Has the kernels ready before the first question: compiled, or taken from where they were kept."""

import numpy as np

from layers.heat.store.kernels import MOST_PLANES, Log, some
from layers.heat.store.rollup import Rollup
from layers.heat.store.store import LayerStore, Slice


def warm_up() -> None:
    """Ask a store of two events everything that a kernel answers, with arrays of the kinds that stores have."""
    log = _read_only(np.array([5 << 32, 9 << 32], np.uint64))
    counts = np.ones((2, 1), np.uint32)
    counts.flags.writeable = False
    changes = _read_only(np.array([7 << 32, 1, 8 << 32, -1], np.int64).view(np.uint64)).reshape(2, 2)
    part = Slice(log, counts)
    store = LayerStore((part, part), np.array([5, 20]), changes, 1)
    weight = np.ones(MOST_PLANES, np.int64)
    rollup = Rollup(np.zeros(1, np.uint64), np.zeros(1, np.int32))
    kept = np.ones(1, bool)
    for windows in (np.array([[0, 30]]), np.array([[0, 8], [9, 30]])):
        some(rollup.cell, rollup.sums(store.sums(windows, weight), kept), 0)
        some(rollup.cell, rollup.sums(store.decayed(windows, weight, 30, 10.0), kept), 0.0)


def _read_only(log: Log) -> Log:
    log.flags.writeable = False
    return log
