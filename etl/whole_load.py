"""What is small by nature, like areas and risk areas, on its way in: all of a file at once."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etl import quarantine, topology
from etl.duplicates import settle
from etl.landing import Intake, Landing
from etl.load.staging import Merged
from etl.load.standing import standing
from etl.readers.base import RawFrame, Reading
from etl.targets import Kind
from etl.tree import Tree
from etl.validate.checker import Checked


@dataclass
class WholeLoad:
    """One file of one kind."""

    landing: Landing
    reading: Reading
    kind: Kind
    _table: pa.Table | None = None
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _seen: pa.Table | None = None
    _intake: Intake = field(default_factory=Intake)

    def take_in(self) -> Intake:
        """Read, check and complete every row; what did not pass is in quarantine."""
        landing, kind = self.landing, self.kind
        source = landing.source
        raw = self.reading.whole()
        landing.on_progress("checking", 0.1, len(raw))
        checked = kind.check(raw, source, landing.city, landing.at)
        settled = settle(checked, kind.key, raw.rows, ordered=source.mode == "changes")
        self._table = kind.complete(landing.connection, landing.city, checked, settled.kept)
        self._rows = raw.rows[settled.kept & checked.findings.good]
        self._seen = _seen(source.mode, raw, checked, kind.key)
        quarantined = quarantine.write(
            landing.connection, landing.run_id, landing.sha256, raw, source, checked.findings
        )
        self._intake = Intake(
            rows_read=len(raw) + len(raw.broken) + raw.superseded,
            quarantined=quarantined,
            # One that gave way may be an orphan, and is in quarantine then.
            superseded=int((settled.superseded & checked.findings.good).sum()) + raw.superseded,
            staged=len(self._table),
            notes=Counter(checked.notes),
            entries=checked.entries,
            masked=checked.masked,
        )
        return self._intake

    def merge(self) -> Merged:
        """Bring the rows in, and of areas tell how they fit together."""
        landing = self.landing
        landing.on_progress("merging", 0.5, self._intake.rows_read)
        merged = self.kind.merge(landing, self._table, self._seen)
        if landing.source.target == "areas":
            tree = Tree.of(self._table, self._rows, standing(landing.connection, landing.at))
            self._intake.entries += topology.report(tree, landing.city)
        return merged

    def tell(self, merged: Merged) -> None:
        """Tell the followers; the last thing before the commit."""
        self.kind.tell(self.landing, merged)


def _seen(mode: str, raw: RawFrame, checked: Checked, key: tuple[str, ...]) -> pa.Table | None:
    """Every key of a snapshot's file, whether its row passed or not; none when nothing may be deleted.

    A row whose key cannot be read may be any row, so that nobody knows what is missing.
    """
    if mode != "snapshot":
        return None
    keys = checked.table.select(list(key))
    readable = keys.drop_null()
    if raw.broken or len(readable) < len(keys):
        checked.notes["rows_without_key"] = len(raw.broken) + len(keys) - len(readable)
        return None
    return readable.group_by(list(key)).aggregate([])
