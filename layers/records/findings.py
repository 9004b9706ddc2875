"""Why rows do not pass: every reason of every row, gathered column by column."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_LONGEST = 60
_DIGITS = re.compile(r"(?P<date>\d{4}(?P<sep>[-/.])\d{1,2}(?P=sep)\d{1,2}(?!\d))|\d(?:[ .-]?\d){6,}")


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


def mask(value: object) -> str:
    """A value fit to be kept: short, without NUL, and without a run of digits that could name a person.

    Seven digits and more may be a telephone or an identity number; what is laid out as a date is neither.
    """
    shown = _DIGITS.sub(lambda run: run[0] if run["date"] else "#" * len(run[0]), str(value))
    shown = shown.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
