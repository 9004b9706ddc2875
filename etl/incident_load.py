"""Incidents on their way in: batch by batch, so that the size of a file does not matter.

While one batch is copied, the next is tagged and encoded, and the one after it is read and checked.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from etl.ahead import ahead
from etl.binary import copy_stream
from etl.incident_rows import stated, straight, tagged, unplaced
from etl.landing import Intake, Landing
from etl.load import incidents, staging, stored, told
from etl.load.bare import bare
from etl.load.cases import follow, workflow_of
from etl.load.settle import number_equals, settle
from etl.load.staging import Merged
from etl.readers.base import RawFrame, Reading
from etl.scope import Stated
from etl.tally import Tally, lost_keys
from etl.validate.checker import Checked
from etl.validate.incidents import check
from layers.core.errors import UnreadableFile
from layers.heat import public
from layers.records.findings import Mask

# Shares of the whole time at which a step is done, as measured.
_STATED, _INSERTED, _MERGED = 0.3, 0.65, 0.9

Parts = Iterator[tuple[RawFrame, Checked]]


@dataclass
class IncidentLoad:
    """One file of incidents.

    A large file that is added goes straight into its table, in the hope that all its keys are new; the table's own
    unique key says when they are not. Then, and in every other case, its keys and content hashes are looked at
    first, and only rows that are new or say something new are tagged and merged. `again` opens the file anew for
    that; the rows of a small file, and of what cannot be opened anew, are kept instead.
    """

    landing: Landing
    reading: Reading
    again: Callable[[], Reading] | None = None
    _tally: Tally = field(init=False)
    _kept: list[tuple[RawFrame, Checked]] | None = None
    _straight: bool = False

    def take_in(self) -> Intake:
        """Read and check every row; what did not pass is in quarantine."""
        workflow_of(self.landing.source, self.landing.city)
        first = next(self.reading.batches)
        raws: Iterator[RawFrame] = chain([first], self.reading.batches)
        if self.again is None or first.through >= 1:
            self._kept = []
        elif self._may_be_new():
            if self._insert(raws):
                self._straight = True
                return self._tally.intake
            raws = self._anew()
        self._tally = Tally(self.landing)
        self._state(raws)
        self._tally.judge_datum()
        return self._tally.intake

    def merge(self) -> Merged:
        """Bring in the rows that are new or say something new."""
        if self._straight:
            return Merged(inserted=self._tally.intake.staged)
        source, connection, intake = self.landing.source, self.landing.connection, self._tally.intake
        needed = incidents.need(connection, source, self.landing.run_id)
        merged = Merged()
        if len(needed.rows):
            self._stage(needed.rows)
            merged = incidents.merge(connection, source, self.landing.run_id)
        if merged.updated and "version" not in source.columns:
            intake.notes["last_load_wins"] = merged.updated
        deleted = needed.deleted
        if source.mode == "snapshot" and not intake.notes["rows_without_key"]:
            deleted += incidents.delete_missing(connection, source, Stated.of(source, self.landing.city))
        return Merged(merged.inserted, merged.updated + needed.deleted, deleted, needed.superseded)

    def tell(self, merged: Merged) -> None:
        """Compute anew what the public reads, bump the layer, and tell of each incident where they are few.

        Cases follow their rows, and are made of those of a source that is to have some: the ledger and the outbox
        are locked last.
        """
        landing = self.landing
        incidents.vouch(landing.connection, self._tally.categories)
        self._tally.say("publishing", _MERGED)
        public.mark(landing.connection, self._tally.days)
        released = public.release(landing.connection, landing.city)
        workflow = workflow_of(landing.source, landing.city)
        follow(landing.connection, landing.city, landing.at, landing.source.id, workflow)
        few = 0 < merged.inserted + merged.updated <= told.TOLD_ONE_BY_ONE
        told.tell(
            landing.connection,
            source=landing.source.id,
            run_id=landing.run_id,
            at=landing.at,
            each=few and not self._straight,
            released=released > 0,
        )

    def _may_be_new(self) -> bool:
        source = self.landing.source
        may_be = source.mode == "append" and bool(source.key) and "version" not in source.columns
        return may_be and not self.landing.dry

    def _insert(self, raws: Iterator[RawFrame]) -> bool:
        """Bring every row in as a new one; nothing has happened where one is not, or too many did not pass."""
        landing, connection = self.landing, self.landing.connection
        self._tally = Tally(landing)
        try:
            with (
                connection.transaction() as attempt,
                nullcontext() if incidents.filled(connection) else bare(connection),
            ):
                for raw, checked, table, chunks in ahead(self._encoded(ahead(self._checked(raws)))):
                    staging.append(connection, incidents.TABLE, chunks, table.column_names)
                    self._tally.add(raw, checked, _INSERTED)
                    self._tally.touch(table)
                self._tally.say("indexing", _INSERTED)
                if landing.too_many(self._tally.intake):  # their quarantine is kept by the other way
                    raise psycopg.Rollback(attempt)
        except psycopg.errors.UniqueViolation:
            return False
        if landing.too_many(self._tally.intake):
            return False
        self._tally.judge_datum()
        return True

    def _state(self, raws: Iterator[RawFrame]) -> None:
        """Stage what each row says of itself in short, and settle who stands for each key."""
        connection, source = self.landing.connection, self.landing.source
        made = False
        for raw, checked in ahead(self._checked(raws)):
            if self._kept is not None:
                self._kept.append((raw, checked))
            short = stated(checked, pa.array(raw.rows))
            spared = pa.table({"source_key": lost_keys(checked)})
            if not made:
                staging.create(connection, "stated", short.schema)
                staging.create(connection, "spared", spared.schema)
                made = True
            staging.append(connection, "stated", copy_stream(short))
            staging.append(connection, "spared", copy_stream(spared))
            self._tally.add(raw, checked, _STATED)
        staging.counted(connection, "stated", ["source_key"])
        if not source.key:
            number_equals(connection)
            return
        ordered = source.mode == "changes" and "version" not in source.columns
        settled = settle(connection, self.landing.run_id, self.landing.sha256, ordered=ordered)
        intake = self._tally.intake
        intake.superseded += settled.superseded
        intake.quarantined += settled.quarantined
        intake.staged -= settled.superseded + settled.quarantined

    def _stage(self, needed: NDArray[np.int64]) -> None:
        """Stage the needed rows with all their facts."""
        connection = self.landing.connection
        made = False
        for raw, _, table, chunks in ahead(self._encoded(self._second_look(), needed)):
            if not made:
                staging.create(connection, "staging", table.schema, incidents.TYPES)
                made = True
            staging.append(connection, "staging", chunks)
            self._tally.touch(table)
            self._tally.say("merging", _STATED + (_INSERTED - _STATED) * raw.through)
        staging.counted(connection, "staging", ["row_number"])

    def _second_look(self) -> Parts:
        return ahead(self._checked(self._anew())) if self._kept is None else iter(self._kept)

    def _anew(self) -> Iterator[RawFrame]:
        """The rows of the file once more, the same as before."""
        reading = self.again() if self.again else self.reading
        if reading.sha256 != self.landing.sha256:
            path = reading.path
            raise UnreadableFile(f"{path}: it was changed while it was read; load it again", file=str(path))
        return reading.batches

    def _checked(self, raws: Iterator[RawFrame]) -> Parts:
        for raw in raws:
            yield raw, check(raw, self.landing.source, self.landing.city, self.landing.at)

    def _encoded(
        self, parts: Parts, needed: NDArray[np.int64] | None = None
    ) -> Iterator[tuple[RawFrame, Checked, pa.Table, list[bytes]]]:
        """Rows as they are copied: the needed ones to be staged, or all good ones with the table's own columns."""
        landing = self.landing
        areas, zones = stored.areas(landing.connection), stored.zones(landing.connection)

        def made() -> Iterator[tuple[RawFrame, Checked, pa.Table, list[bytes]]]:
            for raw, checked in parts:
                wanted = checked.findings.good if needed is None else _among(raw.rows, needed)
                table = tagged(checked, pa.array(raw.rows), wanted, areas, zones)
                if outside := unplaced(table):
                    self._tally.intake.notes["outside_all_areas"] += outside
                if needed is None:
                    table = straight(table, landing.source.id, landing.run_id)
                yield raw, checked, table, list(copy_stream(table))

        return made()


def _among(rows: NDArray[np.int64], needed: NDArray[np.int64]) -> Mask:
    """bool[n], true where a row number is one of the ascending, non-empty `needed`."""
    place = np.searchsorted(needed, rows)
    found: Mask = needed[np.minimum(place, len(needed) - 1)] == rows
    return found
