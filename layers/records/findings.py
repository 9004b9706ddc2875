"""Why rows do not pass: every reason of every row, gathered column by column."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class Findings:
    """Reasons against the n rows of one file; `good` is what passes so far, bool[n]."""

    def __init__(self, count: int) -> None:
        self.good: Mask = np.ones(count, np.bool_)
        self._reasons: dict[int, list[str]] = {}

    def add(self, wrong: Mask, reason: str | Callable[[int], str]) -> None:
        """Note `reason` against each row of `wrong`; a function is asked for the reason of each row."""
        self.good &= ~wrong
        for index in np.flatnonzero(wrong).tolist():
            said = reason if isinstance(reason, str) else reason(index)
            self._reasons.setdefault(index, []).append(said)

    def forgive(self, where: Mask) -> None:
        """Take back every reason against the rows of `where`."""
        self.good |= where
        for index in np.flatnonzero(where).tolist():
            self._reasons.pop(index, None)

    def of(self, index: int) -> list[str]:
        """Every reason against one row."""
        return self._reasons.get(index, [])

    def bad(self) -> list[int]:
        """Indices of the rows that do not pass."""
        return sorted(self._reasons)
