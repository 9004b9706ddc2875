"""Small heat stores and what they must say, counted one event at a time."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np

from layers.geo import hexgrid
from layers.heat.store import kernels
from layers.heat.store.events import Changes, Events, Plane, State

LAYERS = ("all", "school", "market")
PLANES = (Plane("noise", patrol=False), Plane("noise", patrol=True), Plane("theft", patrol=False))
FIRST = 1_700_000_000
SPAN_S = 5000


def state(seq: int = 1) -> State:
    return State(snapshot="1:1:", seq=seq, at=datetime(2026, 1, 1, tzinfo=UTC), epoch="e")


def cells(n: int = 40) -> np.ndarray:
    """Base cells in a clump, of several parents."""
    rng = np.random.default_rng(5)
    return np.unique(hexgrid.index(rng.normal([10.0, 50.0], 0.01, (n, 2)), 10))


CELLS = cells()


def events(n: int, seed: int, first: int = FIRST, span_s: int = SPAN_S) -> Events:
    """`n` random events; few seconds, so that many are equal."""
    rng = np.random.default_rng(seed)
    return Events(
        first + rng.integers(0, span_s, n),
        CELLS[np.minimum(rng.geometric(0.1, n), len(CELLS)) - 1],
        rng.integers(0, 4, n).astype(np.int64),
        rng.integers(0, len(PLANES), n).astype(np.int16),
        rng.integers(0, 4, n).astype(np.uint32),
    )


def joined(*parts: Events) -> Events:
    names = ("t", "cell", "area", "plane", "zones")
    return Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def taken(one: Events, which: np.ndarray) -> Events:
    return Events(*(values[which] for values in (one.t, one.cell, one.area, one.plane, one.zones)))


NOTHING = taken(events(1, 1), np.arange(0))


def changes(came: Events, went: Events, planes=PLANES) -> Changes:
    both = joined(came, went)
    sign = np.repeat(np.array([1, -1], np.int8), [len(came), len(went)])
    return Changes(both.t, both.cell, both.area, both.plane, both.zones, sign, tuple(planes))


def counted(one: Events, layer: int, windows: np.ndarray, weight: dict[Plane, int], planes=PLANES) -> Counter:
    """Sums by (cell, area), one event after the other; `windows` in seconds since 1970."""
    sums = Counter()
    rows = zip(one.t, one.cell, one.area, one.plane, one.zones, strict=True)
    for t, cell, area, plane, zones in rows:
        inside = any(start <= t < end for start, end in windows)
        if inside and (layer == 0 or zones >> (layer - 1) & 1):
            sums[int(cell), int(area)] += weight[planes[plane]]
    return Counter({key: value for key, value in sums.items() if value})


def answered(store, layer: str, windows: np.ndarray, weight: dict[Plane, int]) -> Counter:
    """The same from a store."""
    by_plane = np.zeros(256, np.int64)
    for number, plane in enumerate(store.manifest.planes):
        by_plane[number] = weight.get(plane, 0)
    ours = np.clip(windows - store.base.origin, 0, (1 << 32) - 1)
    sums = store.layer(layer).sums(ours, by_plane, every_block(store))
    pairs = zip(store.entries.cell.tolist(), store.entries.area.tolist(), sums.tolist(), strict=True)
    return Counter({(cell, area): value for cell, area, value in pairs if value})


def every_block(store) -> np.ndarray:
    """Numbers of all blocks of the store's entries."""
    return np.unique(np.arange(len(store.entries)) >> kernels.BLOCK_BITS)


def scattered(n, seed):
    """Events of nearly as many areas."""
    some = events(n, seed)
    some.area[:] = np.random.default_rng(seed).integers(0, 3 * n, n)
    return some
