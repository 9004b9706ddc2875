"""The loops that NumPy has no word for, compiled once and kept beside their source.

An event is one uint64: seconds since the store's origin in the high half, and in the low one its key, 8 bits of
plane and 24 of entry. So a sorted log is in the order of time. A part keeps the two halves apart, in blocks of
entries: what lies together on the ground is read alone, its sums stay in the processor's nearest cache, and times
are read only where they play a part. Sums are int64, so that no weight overflows them.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

ENTRY_BITS = 24
PLANE_BITS = 8
MOST_ENTRIES = 1 << ENTRY_BITS
MOST_PLANES = 1 << PLANE_BITS
MOST_SECONDS = (1 << 32) - 1
"""Seconds of events lie below it, so that it can end a window; 136 years."""

BLOCK_BITS = 11
"""Low bits of an entry within its block; sums of so many entries are half of a processor's nearest cache."""

DECAY_BITS = 12
"""Low bits of an age that the fine table of a decay covers; the coarse one covers the rest."""

_ENTRY = np.uint32(MOST_ENTRIES - 1)
_BLOCK_SHIFT = np.uint32(BLOCK_BITS)
_PLANE_SHIFT = np.uint32(ENTRY_BITS)
_TIME_SHIFT = np.uint64(32)
_FINE = np.uint64((1 << DECAY_BITS) - 1)
_COARSE_SHIFT = np.uint64(DECAY_BITS)

_CELL_MIX = np.uint64(0x9E3779B97F4A7C15)
_AREA_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HIGH = np.uint64(32)

Log = NDArray[np.uint64]
Halves = NDArray[np.uint32]
Places = NDArray[np.int64]
Counts = NDArray[np.uint32]
Sums = NDArray[np.int64]
Amounts = NDArray[np.float64]
Values = Sums | Amounts


@njit(cache=True, nogil=True)
def spread(log: Log, bounds: Halves, t: Halves, key: Halves) -> None:
    """Take a log apart into times and keys, block after block, each in the order of the log.

    bounds : uint32[blocks + 1], all 0; says in the end where each block begins, and where the last one ends.
    """
    for i in range(log.shape[0]):
        bounds[((np.uint32(log[i]) & _ENTRY) >> _BLOCK_SHIFT) + 1] += np.uint32(1)
    for following in range(1, bounds.shape[0]):
        bounds[following] += bounds[following - 1]
    free = bounds.copy()
    for i in range(log.shape[0]):
        half = np.uint32(log[i])
        block = (half & _ENTRY) >> _BLOCK_SHIFT
        at = free[block]
        t[at], key[at] = np.uint32(log[i] >> _TIME_SHIFT), half
        free[block] = at + np.uint32(1)


@njit(cache=True, nogil=True)
def places(t: Halves, bounds: Halves, blocks: Places, seconds: Places) -> Places:
    """Where the events from some seconds on begin in some blocks: int64[seconds, blocks].

    Blocks that a part does not know have none of its events.
    """
    made = np.zeros((seconds.shape[0], blocks.shape[0]), np.int64)
    for j in range(blocks.shape[0]):
        block = blocks[j]
        if block + 1 < bounds.shape[0]:
            start = np.int64(bounds[block])
            own = t[start : np.int64(bounds[block + 1])]
            for i in range(seconds.shape[0]):
                made[i, j] = start + np.searchsorted(own, seconds[i])
    return made


@njit(cache=True, nogil=True)
def add_events(key: Halves, start: Places, stop: Places, weight: Sums, out: Sums) -> None:
    """Add the weight of each event of the runs start:stop to its entry; a plane of weight 0 costs no branch."""
    for run in range(start.shape[0]):
        for i in range(start[run], stop[run]):
            half = key[i]
            out[half & _ENTRY] += weight[half >> _PLANE_SHIFT]


@njit(cache=True, nogil=True)
def add_counts(late: Counts, early: Counts, blocks: Places, weight: Sums, out: Sums) -> None:
    """Add weighted counts, uint32[rows, entries], less those of an earlier time, of no more rows and entries.

    Only of the entries of some blocks; each in arrays of its own, which the compiler turns into vectors.
    """
    for row in range(late.shape[0]):
        by = weight[row]
        if by != 0:
            for block in blocks:
                own = slice(block << BLOCK_BITS, (block + 1) << BLOCK_BITS)
                line, sums = late[row, own], out[own]
                known = 0
                if row < early.shape[0]:
                    before = early[row, own]
                    known = before.shape[0]
                    for i in range(known):
                        sums[i] += by * np.int64(line[i] - before[i])
                for i in range(known, line.shape[0]):
                    sums[i] += by * np.int64(line[i])


@njit(cache=True, nogil=True)
def add_changes(changes: Log, windows: Sums, weight: Sums, out: Sums) -> None:
    """Add what the changes inside the windows add or take away.

    changes : uint64[n, 2], an event and its sign.  windows : int64[m, 2], ascending seconds since the origin.
    """
    for i in range(changes.shape[0]):
        event = changes[i, 0]
        second = np.int64(event >> _TIME_SHIFT)
        at = np.searchsorted(windows[:, 0], second, side="right") - 1
        if at >= 0 and second < windows[at, 1]:
            key = np.uint32(event)
            out[key & _ENTRY] += weight[key >> _PLANE_SHIFT] * np.int64(changes[i, 1])


@njit(cache=True, nogil=True)
def add_decayed(  # noqa: PLR0913
    t: Halves, key: Halves, start: Places, stop: Places, weight: Sums, end: int, coarse: Amounts, fine: Amounts,
    out: Amounts,
) -> None:  # fmt: skip
    """Add each event's weight times 2^(-age / half-life), its age counted back from the second `end`.

    The factor is the product of two small tables, by the age's high and low bits: in the order of time both are
    read nearly in a line.
    """
    for run in range(start.shape[0]):
        for i in range(start[run], stop[run]):
            age = np.uint64(end) - np.uint64(t[i])
            half = key[i]
            factor = coarse[age >> _COARSE_SHIFT] * fine[age & _FINE]
            out[half & _ENTRY] += weight[half >> _PLANE_SHIFT] * factor


@njit(cache=True, nogil=True)
def count(key: Halves, counts: Counts) -> None:
    """Count events by plane and entry, onto what `counts` holds already."""
    for half in key:
        counts[half >> _PLANE_SHIFT, half & _ENTRY] += np.uint32(1)


@njit(cache=True, nogil=True)
def number_pairs(
    cell: NDArray[np.uint64],
    area: NDArray[np.int64],
    slot: NDArray[np.int32],
    cells: NDArray[np.uint64],
    areas: NDArray[np.int64],
    number: NDArray[np.int32],
) -> int:
    """Number the distinct pairs in the order in which they come; returns how many there are, -1 where too many.

    slot : int32[2^m], all -1, a hash table.  cells, areas : room for the distinct pairs, fewer than slots.
    number : int32[n], the number of each pair.
    """
    mask = slot.shape[0] - 1
    known = 0
    for i in range(cell.shape[0]):
        at = np.int64((cell[i] ^ np.uint64(area[i]) * _AREA_MIX) * _CELL_MIX >> _HIGH) & mask
        found = slot[at]
        while found >= 0 and (cells[found] != cell[i] or areas[found] != area[i]):
            at = (at + 1) & mask
            found = slot[at]
        if found < 0:
            if known == cells.shape[0]:
                return -1
            found = slot[at] = known
            cells[known], areas[known] = cell[i], area[i]
            known += 1
        number[i] = found
    return known


@njit(cache=True, nogil=True)
def gather(out: Values, entry: NDArray[np.int32], rank: NDArray[np.int32], sums: Values) -> None:
    """Sum some entries into the cells that they belong to."""
    for i in range(entry.shape[0]):
        sums[rank[i]] += out[entry[i]]


@njit(cache=True, nogil=True)
def some(cell: NDArray[np.uint64], value: Values, least: float) -> tuple[NDArray[np.uint64], Any]:
    """The cells of which the value is more than `least` away from zero, and those values."""
    count = 0
    for i in range(cell.shape[0]):
        count += abs(value[i]) > least
    cells, values = np.empty(count + 1, cell.dtype), np.empty(count + 1, value.dtype)
    at = 0
    for i in range(cell.shape[0]):  # each is written where the next one of them belongs: no branch to guess
        cells[at], values[at] = cell[i], value[i]
        at += abs(value[i]) > least
    return cells[:count], values[:count]


@njit(cache=True, nogil=True)
def restate(log: Log, later: int, entry: NDArray[np.uint32]) -> None:
    """Move each event `later` seconds, and give it the entry number that stands for its own, in place."""
    shift = np.uint64(later) << _TIME_SHIFT
    for i in range(log.shape[0]):
        event = log[i]
        log[i] = ((event & ~np.uint64(_ENTRY)) | np.uint64(entry[np.uint32(event) & _ENTRY])) + shift
