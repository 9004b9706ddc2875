"""The account of a file as its batches come by, with its quarantine and its places held against the city's."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl import quarantine
from etl.incident_rows import sample
from etl.landing import Intake, Landing
from etl.ledger import Entry
from etl.load import stored
from etl.readers.base import RawFrame
from etl.shift import judge
from etl.validate.checker import Checked
from layers.records.desk import LonLat


@dataclass
class Tally:
    """What is known of a file so far; `days` (UTC) and `categories` are those that it brings incidents to."""

    landing: Landing
    intake: Intake = field(default_factory=Intake)
    days: set[date] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    _sample: list[LonLat] = field(default_factory=list)

    def add(self, raw: RawFrame, checked: Checked, share: float) -> None:
        """Count one batch, and put into quarantine what did not pass; the whole file is `share` of the work."""
        landing, intake = self.landing, self.intake
        good = int(np.count_nonzero(checked.findings.good))
        intake.rows_read += len(raw) + len(raw.broken) + raw.superseded
        intake.superseded += raw.superseded
        intake.staged += good
        intake.notes.update(checked.notes)
        intake.entries += checked.entries
        intake.masked.update(checked.masked)
        nameless = len(raw.broken) + lost_keys(checked).null_count
        # Any of them may be any row: nobody knows what a snapshot lacks.
        if nameless and landing.source.mode == "snapshot":
            intake.notes["rows_without_key"] += nameless
        intake.quarantined += quarantine.write(
            landing.connection, landing.run_id, landing.sha256, raw, landing.source, checked.findings
        )
        self._sample.append(sample(checked))
        self.say("reading", share * raw.through, raw.through)

    def touch(self, table: pa.Table) -> None:
        """Note what the tagged rows of `table` bring incidents to."""
        self.days.update(pc.unique(table.column("occurred_at").cast(pa.date32(), safe=False)).to_pylist())
        self.categories.update(pc.unique(table.column("category")).to_pylist())

    def say(self, step: str, share: float, through: float = 1.0) -> None:
        """Tell how far the work is; `through` is the share of the file that is counted."""
        self.landing.on_progress(step, share, round(self.intake.rows_read / max(through, 1e-9)))

    def judge_datum(self) -> None:
        """Say so where the places look shifted by the offset of another datum than the source declares."""
        places = np.vstack(self._sample)
        verdict = judge(self.landing.source.datum, places, *stored.ground(self.landing.connection))
        if verdict.suspect:
            self.intake.notes["looks_shifted"] = verdict.places
            self.intake.entries.append(
                Entry(
                    "datum_shift",
                    changed=False,
                    message=verdict.message,
                    subject=verdict.suspect,
                    amount=verdict.places,
                    unit="places",
                )
            )


def lost_keys(checked: Checked) -> pa.ChunkedArray:
    """The keys of the rows that did not pass."""
    return checked.table.column("source_key").filter(pa.array(~checked.findings.good))
