"""Figures, each with the mark that it is held against; what is missed is told at the end."""

import os
from collections.abc import Sequence


class Marks:
    """Prints figures as they come."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def section(self, title: str) -> None:
        """What the figures below are about, and how busy the machine is with other work."""
        load, _, _ = os.getloadavg()
        print(f"\n{title}\n  (load {load:.1f} of {os.cpu_count()} processors)", flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows of texts, the first column to the left and the others to the right."""
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            first, *rest = zip(row, widths, strict=True)
            line = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
            print("  " + "  ".join(line), flush=True)

    def say(self, what: str, value: float, unit: str) -> None:
        """A figure without a mark."""
        print(f"  {what:<66} {value:12,.2f} {unit}", flush=True)

    def most(self, what: str, value: float, limit: float, unit: str) -> None:
        """A figure that must not be above its mark."""
        self._hold(what, value, f"at most {limit:,g}", unit, met=value <= limit)

    def least(self, what: str, value: float, limit: float, unit: str) -> None:
        """A figure that must not be below its mark."""
        self._hold(what, value, f"at least {limit:,g}", unit, met=value >= limit)

    def same(self, what: str, wrong: int, count: int) -> None:
        """`count` answers, of which none may be wrong."""
        print(f"  {what:<66} {count - wrong:12,} of {count:,}{'' if wrong == 0 else '   MISSED'}", flush=True)
        if wrong:
            self.missed.append(what.strip())

    def verdict(self) -> int:
        """Say what was missed; the exit status."""
        print("\nmissed: " + "; ".join(self.missed) if self.missed else "\nevery mark is met")
        return int(bool(self.missed))

    def _hold(self, what: str, value: float, mark: str, unit: str, *, met: bool) -> None:
        print(f"  {what:<66} {value:12,.2f} {unit:<9} {mark}{'' if met else '   MISSED'}", flush=True)
        if not met:
            self.missed.append(what.strip())
