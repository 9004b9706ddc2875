"""One heat layer at one moment: sums of events by entry, for any windows of time and any weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.heat.store.kernels import (
    DECAY_BITS,
    Amounts,
    Log,
    Places,
    Sums,
    add_changes,
    add_counts,
    add_decayed,
    add_events,
)
from layers.heat.store.logged import Anchor, Logged

_SECOND = np.uint64(32)


@dataclass(frozen=True, eq=False)
class LayerStore:
    """The events of one heat layer; seconds are counted from the store's origin.

    changes : uint64[n, 2], events that came or went since the log was written, and their signs.
    entries : how many there are.
    """

    logged: Logged
    changes: Log
    entries: int

    def sums(self, windows: NDArray[np.int64], weight: Sums, blocks: Places) -> Sums:
        """int64[entries], the weights of all events inside the windows; those outside of the blocks mean nothing.

        Parameters
        ----------
        windows : int64[n, 2], n > 0, half-open, ascending and disjoint.
        weight : int64[256] by plane.
        blocks : int64[n], numbers of blocks of entries, ascending.
        """
        out = np.zeros(self.entries, np.int64)
        if len(windows) == 1:
            self._between(int(windows[0, 0]), int(windows[0, 1]), weight, blocks, out)
        else:
            for part, start, stop in self.logged.runs(windows, blocks):
                add_events(part.key, start, stop, weight, out)
        add_changes(self.changes, windows, weight, out)
        return out

    def decayed(
        self, windows: NDArray[np.int64], weight: Sums, blocks: Places, end: int, half_life_s: float
    ) -> Amounts:
        """float64[entries], as `sums` with each weight halved for every `half_life_s` before the second `end`.

        No window reaches beyond `end`.
        """
        out = np.zeros(self.entries)
        last = int(windows[-1, 1])
        oldest = last - int(windows[0, 0])
        fine = np.exp2(-np.arange(1 << DECAY_BITS) / half_life_s)
        coarse = np.exp2(-(np.arange((oldest >> DECAY_BITS) + 1) << DECAY_BITS) / half_life_s)
        for part, start, stop in self.logged.runs(windows, blocks):
            add_decayed(part.t, part.key, start, stop, weight, last, coarse, fine, out)
        for sign in (1, -1):
            changed = self.changes[self.changes[:, 1].view(np.int64) == sign, 0]
            second = (changed >> _SECOND).astype(np.int64)
            at = np.searchsorted(windows[:, 0], second, "right") - 1
            inside = changed[(at >= 0) & (second < windows[at, 1])]
            t, key = (inside >> _SECOND).astype(np.uint32), inside.astype(np.uint32)
            t.flags.writeable = key.flags.writeable = False  # as the parts' are, so that one kernel serves
            whole = np.array([0]), np.array([len(inside)])
            add_decayed(t, key, *whole, sign * weight, last, coarse, fine, out)
        decayed: Amounts = out * np.exp2((last - end) / half_life_s)
        return decayed

    def _between(self, start: int, end: int, weight: Sums, blocks: Places, out: Sums) -> None:
        """Add one window: all before its end, less all before its start."""
        late, early = self.logged.anchor(end, blocks), self.logged.anchor(start, blocks)
        if late.part == early.part:
            within = Anchor(late.part, late.base, 1, early.at, late.at, late.at)
            if within.events <= late.events + early.events:
                self._scan(within, weight, out)
                return
        self._scan(late, weight, out)
        self._scan(early, -weight, out)
        if late.base != early.base:
            counts = self.logged.counts(late.base)
            add_counts(counts, self.logged.counts(early.base), blocks, by_row(weight, len(counts)), out)

    def _scan(self, anchor: Anchor, weight: Sums, out: Sums) -> None:
        if anchor.part >= 0:
            key = self.logged.parts[anchor.part].key
            add_events(key, anchor.start, anchor.stop, anchor.sign * weight, out)


def by_row(weight: Sums, rows: int) -> Sums:
    """The weights of planes as weights of counts' rows: the commonest for all, and what each has beside it.

    So a question of all planes alike reads one row, whatever their number.
    """
    value, often = np.unique(weight[: rows - 1], return_counts=True)
    common = value[often.argmax()] if rows > 1 else 0
    return np.concatenate([[common], weight[: rows - 1] - common])
