"""Incidents on their way in: batch by batch, so that the size of a file does not matter.

While one batch is copied, the next is tagged, and the one after it is read and checked.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl import quarantine
from etl.ahead import ahead
from etl.binary import copy_stream, jsonb, points, whole
from etl.landing import Intake, Landing
from etl.ledger import Entry
from etl.load import incidents, staging, stored, told
from etl.load.bare import bare
from etl.load.settle import number_equals, settle
from etl.load.staging import Merged
from etl.readers.base import RawFrame, Reading
from etl.scope import Stated
from etl.shift import judge
from etl.tag import NOWHERE, Versions, finest_area, zone_mask
from etl.validate.checker import Checked
from etl.validate.incidents import check
from layers.geo import hexgrid
from layers.heat import public
from layers.records.desk import LonLat

# Shares of the whole time at which a step is done, as measured on a first load.
_STAGED, _MERGED, _INDEXED = 0.4, 0.65, 0.9

_SAMPLED = 1000
"""Places of a batch that are held against the city's outline and roads."""


class _Refused(Exception):
    """More rows did not pass than may; they go into quarantine, which the staged way keeps."""


@dataclass(frozen=True)
class _Batch:
    raw: RawFrame
    checked: Checked
    table: pa.Table
    spared: pa.Table
    chunks: list[bytes]
    sample: LonLat


@dataclass
class IncidentLoad:
    """One file of incidents.

    A large file that is added goes straight into its table, in the hope that all its keys are new; the table's own
    unique key says when they are not. Then, and in every other case, rows are staged and merged. `again` opens the
    file anew for that; without it rows are staged at once.
    """

    landing: Landing
    reading: Reading
    again: Callable[[], Reading] | None = None
    _intake: Intake = field(default_factory=Intake)
    _inserted: bool = False
    _sample: list[LonLat] = field(default_factory=list)
    _raws: Iterator[RawFrame] = field(default_factory=lambda: iter(()))

    def take_in(self) -> Intake:
        """Read, check, tag and stage every row; what did not pass is in quarantine."""
        first = next(self.reading.batches)
        self._raws = chain([first], self.reading.batches)
        if self.again is not None and self._may_be_new() and first.through < 1:
            try:
                with self.landing.connection.transaction():
                    self._insert()
            except (psycopg.errors.UniqueViolation, _Refused):
                self._intake, self._sample = Intake(), []
                self._raws = self.again().batches
            else:
                self._inserted = True
        if not self._inserted:
            self._stage()
            self._settle()
        self._judge_datum()
        return self._intake

    def _may_be_new(self) -> bool:
        source = self.landing.source
        return source.mode == "append" and bool(source.key) and "version" not in source.columns

    def _insert(self) -> None:
        landing, connection = self.landing, self.landing.connection
        fixed: dict[str, str | int] = {"source": landing.source.id, "run_id": landing.run_id}
        with nullcontext() if incidents.filled(connection) else bare(connection):
            for batch in self._batches(fixed):
                staging.append(connection, incidents.TABLE, batch.chunks, batch.table.column_names)
                self._count(batch, _MERGED)
            self._say("indexing", _MERGED)
        if landing.too_many(self._intake):
            raise _Refused

    def _stage(self) -> None:
        connection = self.landing.connection
        for place, batch in enumerate(self._batches({})):
            if place == 0:
                staging.create(connection, "staging", batch.table.schema, incidents.TYPES)
                staging.create(connection, "spared", batch.spared.schema)
            staging.append(connection, "staging", batch.chunks)
            if len(batch.spared):
                staging.append(connection, "spared", copy_stream(batch.spared))
            self._count(batch, _STAGED)
        staging.counted(connection, "staging", ["source_key"])

    def merge(self) -> Merged:
        """Bring the staged rows in."""
        if self._inserted:
            return Merged(inserted=self._intake.staged)
        source = self.landing.source
        complete = source.mode == "snapshot" and not self._intake.notes["rows_without_key"]
        merged = incidents.merge(
            self.landing.connection,
            source,
            self.landing.run_id,
            snapshot=Stated.of(source, self.landing.city) if complete else None,
            on_progress=lambda step: self._say(step, {"merging": _STAGED, "indexing": _MERGED}[step]),
        )
        if merged.updated and "version" not in source.columns:
            self._intake.notes["last_load_wins"] = merged.updated
        return merged

    def tell(self, merged: Merged) -> None:
        """Compute anew what the public reads, bump the layer, and tell of each incident where they are few."""
        landing = self.landing
        self._say("publishing", _INDEXED)
        public.release(landing.connection, landing.city)
        few = 0 < merged.inserted + merged.updated <= told.TOLD_ONE_BY_ONE
        told.tell(
            landing.connection,
            source=landing.source.id,
            run_id=landing.run_id,
            at=landing.at,
            each=few and not self._inserted,
        )

    def _say(self, step: str, share: float) -> None:
        self.landing.on_progress(step, share, self._intake.rows_read)

    def _checked(self) -> Iterator[tuple[RawFrame, Checked]]:
        landing = self.landing
        for raw in self._raws:
            yield raw, check(raw, landing.source, landing.city, landing.at)

    def _batches(self, fixed: Mapping[str, str | int]) -> Iterator[_Batch]:
        areas, zones = stored.areas(self.landing.connection), stored.zones(self.landing.connection)
        return ahead(_encoded(raw, checked, areas, zones, fixed) for raw, checked in ahead(self._checked()))

    def _count(self, batch: _Batch, share: float) -> None:
        landing, intake = self.landing, self._intake
        checked, raw = batch.checked, batch.raw
        intake.rows_read += len(raw) + len(raw.broken)
        intake.staged += len(batch.table)
        intake.notes.update(checked.notes)
        intake.entries += checked.entries
        intake.masked.update(checked.masked)
        lost = len(raw.broken) + batch.spared.column("source_key").null_count
        if lost and landing.source.mode == "snapshot":  # any of them may be any row: nobody knows what is missing
            intake.notes["rows_without_key"] += lost
        intake.quarantined += quarantine.write(
            landing.connection, landing.run_id, landing.sha256, raw, landing.source, checked.findings
        )
        self._sample.append(batch.sample)
        rows = round(intake.rows_read / max(raw.through, 1e-9))
        landing.on_progress("loading", share * raw.through, rows)

    def _judge_datum(self) -> None:
        """Say so where the places look shifted by the offset of another datum than the source declares."""
        source, intake = self.landing.source, self._intake
        verdict = judge(source.datum, np.vstack(self._sample), *stored.ground(self.landing.connection))
        if verdict.suspect:
            intake.notes["looks_shifted"] = verdict.places
            intake.entries.append(
                Entry(
                    "datum_shift",
                    changed=False,
                    message=verdict.message,
                    subject=verdict.suspect,
                    amount=verdict.places,
                    unit="places",
                )
            )

    def _settle(self) -> None:
        landing, intake = self.landing, self._intake
        if not landing.source.key:
            number_equals(landing.connection)
            return
        ordered = landing.source.mode == "changes" and "version" not in landing.source.columns
        settled = settle(landing.connection, landing.run_id, landing.sha256, ordered=ordered)
        intake.superseded += settled.superseded
        intake.quarantined += settled.quarantined
        intake.staged -= settled.superseded + settled.quarantined


def _encoded(
    raw: RawFrame, checked: Checked, areas: Versions, zones: Versions, fixed: Mapping[str, str | int]
) -> _Batch:
    """The good rows as they are copied: with what is `fixed` for all into the table itself, or to be staged."""
    good = pa.array(checked.findings.good)
    table = _tagged(checked.table.add_column(0, "row_number", pa.array(raw.rows)).filter(good), areas, zones)
    outside = table.column("area_id").null_count - (pc.sum(table.column("deleted")).as_py() or 0)
    if outside:
        checked.notes["outside_all_areas"] = outside
    place = table.column_names.index("attributes")
    table = table.set_column(place, "attributes", jsonb(whole(table.column("attributes"))))
    if fixed:
        table = table.drop_columns(["row_number", "deleted"])
        for name, value in fixed.items():
            table = table.append_column(name, pa.repeat(value, len(table)))
    spared = checked.table.select(["source_key"]).filter(pc.invert(good))
    return _Batch(raw, checked, table, spared, list(copy_stream(table)), _sample(checked, good))


def _sample(checked: Checked, good: pa.Array) -> LonLat:
    """Some of the places, spread over the batch: float64[m, 2], lon-lat degrees."""
    places = checked.table.select(["lon", "lat"]).filter(good).drop_null()
    lonlat = np.column_stack([places.column("lon"), places.column("lat")])
    return lonlat[:: max(1, len(lonlat) // _SAMPLED)]


def _tagged(table: pa.Table, areas: Versions, zones: Versions) -> pa.Table:
    """Rows with their geometry, their spot, their finest area and their zone mask; a tombstone lies nowhere."""
    dead = table.column("deleted")
    living = table.filter(pc.invert(dead)).drop_columns(["lon", "lat"])
    lonlat = np.column_stack([table.filter(pc.invert(dead)).column(name) for name in ("lon", "lat")])
    at = living.column("occurred_at").to_numpy()
    places = np.asarray(shapely.points(lonlat))
    area = finest_area(places, at, areas)
    cells = living.column("cell").to_numpy().astype(np.uint64)
    added = {
        "area_id": pa.array(area, mask=area == NOWHERE),
        "zones": pa.array(zone_mask(places, at, zones)),
        "spot": points(hexgrid.centre(cells)),
        "geom": points(lonlat),
    }
    for name, column in added.items():
        living = living.append_column(name, column)
    if len(living) == len(table):
        return living
    gone = table.filter(dead).drop_columns(["lon", "lat"])
    return pa.concat_tables([living, gone], promote_options="default").combine_chunks()
