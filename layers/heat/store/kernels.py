"""The loops that NumPy has no word for, compiled once and kept beside their source.

An event is one uint64: seconds since the store's origin in the high half, then 8 bits of plane and 24 of entry. So
a sorted log is in the order of time, and one array is read where others would read three. Sums are int64, so that
no weight overflows them.
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

DECAY_BITS = 12
"""Low bits of an age that the fine table of a decay covers; the coarse one covers the rest."""

_ENTRY = np.uint32(MOST_ENTRIES - 1)
_PLANE_SHIFT = np.uint32(ENTRY_BITS)
_TIME_SHIFT = np.uint64(32)
_FINE = np.uint64((1 << DECAY_BITS) - 1)
_COARSE_SHIFT = np.uint64(DECAY_BITS)

_CELL_MIX = np.uint64(0x9E3779B97F4A7C15)
_AREA_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HIGH = np.uint64(32)

Log = NDArray[np.uint64]
Counts = NDArray[np.uint32]
Sums = NDArray[np.int64]
Amounts = NDArray[np.float64]
Values = Sums | Amounts


@njit(cache=True, nogil=True)
def add_events(log: Log, start: int, stop: int, weight: Sums, out: Sums) -> None:
    """Add the weight of each event of log[start:stop] to its entry; a plane of weight 0 costs no branch."""
    for i in range(start, stop):
        key = np.uint32(log[i])
        out[key & _ENTRY] += weight[key >> _PLANE_SHIFT]


@njit(cache=True, nogil=True)
def add_counts(late: Counts, early: Counts, weight: Sums, out: Sums) -> None:
    """Add weighted counts, uint32[rows, entries], less those of an earlier time, of no more rows and entries.

    Row by row as arrays of their own, which the compiler turns into vectors.
    """
    for row in range(late.shape[0]):
        by = weight[row]
        if by != 0:
            line, known = late[row], 0
            if row < early.shape[0]:
                before = early[row]
                known = before.shape[0]
                for entry in range(known):
                    out[entry] += by * np.int64(line[entry] - before[entry])
            for entry in range(known, line.shape[0]):
                out[entry] += by * np.int64(line[entry])


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
    log: Log, start: int, stop: int, weight: Sums, end: int, coarse: Amounts, fine: Amounts, out: Amounts
) -> None:
    """Add each event's weight times 2^(-age / half-life), its age counted back from the second `end`.

    The factor is the product of two small tables, by the age's high and low bits: in the order of time both are
    read nearly in a line.
    """
    for i in range(start, stop):
        event = log[i]
        age = np.uint64(end) - (event >> _TIME_SHIFT)
        key = np.uint32(event)
        out[key & _ENTRY] += weight[key >> _PLANE_SHIFT] * (coarse[age >> _COARSE_SHIFT] * fine[age & _FINE])


@njit(cache=True, nogil=True)
def count(log: Log, counts: Counts) -> None:
    """Count the events of a log by plane and entry, onto what `counts` holds already."""
    for i in range(log.shape[0]):
        key = np.uint32(log[i])
        counts[key >> _PLANE_SHIFT, key & _ENTRY] += np.uint32(1)


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
def gather(out: Values, rank: NDArray[np.int32], kept: NDArray[np.bool_], sums: Values) -> None:
    """Sum the entries that are kept into the cells that they belong to."""
    for entry in range(rank.shape[0]):
        if kept[entry]:
            sums[rank[entry]] += out[entry]


@njit(cache=True, nogil=True)
def some(cell: NDArray[np.uint64], value: Values, least: float) -> tuple[NDArray[np.uint64], Any]:
    """The cells of which the value is more than `least` away from zero, and those values."""
    count = 0
    for i in range(cell.shape[0]):
        count += abs(value[i]) > least
    cells, values = np.empty(count, cell.dtype), np.empty(count, value.dtype)
    at = 0
    for i in range(cell.shape[0]):
        if abs(value[i]) > least:
            cells[at], values[at] = cell[i], value[i]
            at += 1
    return cells, values


@njit(cache=True, nogil=True)
def restate(log: Log, later: int, entry: NDArray[np.uint32]) -> None:
    """Move each event `later` seconds, and give it the entry number that stands for its own, in place."""
    shift = np.uint64(later) << _TIME_SHIFT
    for i in range(log.shape[0]):
        event = log[i]
        log[i] = ((event & ~np.uint64(_ENTRY)) | np.uint64(entry[np.uint32(event) & _ENTRY])) + shift
