"""What became of every row of a file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """Counts of one run. Every row read is in exactly one of the others, `deleted` apart: it counts what is gone.

    inserted : new keys.
    updated : known keys that say something else now, tombstones that took effect among them.
    unchanged : known keys that say what is known.
    superseded : rows that gave way to another row of the same key, in the same file or known already.
    quarantined : rows that did not pass, with their reasons.
    deleted : what a snapshot no longer has, a tombstone names or a withdrawal takes back.
    """

    rows_read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    deleted: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        landed = self.inserted + self.updated + self.unchanged
        return self.rows_read == landed + self.superseded + self.quarantined

    @property
    def changed(self) -> int:
        """Rows that made a difference to what is known."""
        return self.inserted + self.updated + self.deleted
