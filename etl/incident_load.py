"""Incidents on their way in: batch by batch, so that the size of a file does not matter.

While one batch is copied, the next is tagged, and the one after it is read and checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl import quarantine
from etl.ahead import ahead
from etl.binary import copy_stream, points
from etl.landing import Intake, Landing
from etl.load import incidents, staging, stored, told
from etl.load.settle import number_equals, settle
from etl.load.staging import Merged
from etl.readers.base import RawFrame, Reading
from etl.scope import Stated
from etl.tag import NOWHERE, Versions, finest_area, zone_mask
from etl.validate.checker import Checked
from etl.validate.incidents import check
from layers.geo import hexgrid
from layers.heat import public

# Shares of the whole time at which a step is done, as measured on a first load.
_STAGED, _MERGED, _INDEXED = 0.4, 0.65, 0.9


@dataclass(frozen=True)
class _Batch:
    raw: RawFrame
    checked: Checked
    schema: pa.Schema
    chunks: list[bytes]
    count: int
    nowhere: int
    spared: pa.Table


@dataclass
class IncidentLoad:
    """One file of incidents."""

    landing: Landing
    reading: Reading
    _intake: Intake = field(default_factory=Intake)

    def take_in(self) -> Intake:
        """Read, check, tag and stage every row; what did not pass is in quarantine."""
        landing, intake = self.landing, self._intake
        connection = landing.connection
        schema = None
        for batch in self._batches():
            if schema is None:
                schema = batch.schema
                staging.create(connection, "staging", schema, geometry=incidents.GEOMETRY)
                staging.create(connection, "spared", batch.spared.schema)
            staging.append(connection, "staging", batch.chunks)
            if len(batch.spared):
                staging.append(connection, "spared", copy_stream(batch.spared))
            self._count(batch)
            total = round(intake.rows_read / max(batch.raw.through, 1e-9))
            landing.on_progress("staging", _STAGED * batch.raw.through, total)
        if schema is not None:
            staging.counted(connection, "staging", schema, geometry=incidents.GEOMETRY)
        self._settle()
        return intake

    def merge(self) -> Merged:
        """Bring the staged rows in."""
        source = self.landing.source
        whole = source.mode == "snapshot" and not self._intake.notes["rows_without_key"]
        merged = incidents.merge(
            self.landing.connection,
            source,
            self.landing.run_id,
            snapshot=Stated.of(source, self.landing.city) if whole else None,
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
        count = merged.inserted + merged.updated
        told.tell(landing.connection, count, source=landing.source.id, run_id=landing.run_id, at=landing.at)

    def _say(self, step: str, share: float) -> None:
        self.landing.on_progress(step, share, self._intake.rows_read)

    def _checked(self) -> Iterator[tuple[RawFrame, Checked]]:
        landing = self.landing
        for raw in self.reading.batches:
            yield raw, check(raw, landing.source, landing.city, landing.at)

    def _batches(self) -> Iterator[_Batch]:
        areas, zones = stored.areas(self.landing.connection), stored.zones(self.landing.connection)
        return ahead(_encoded(raw, checked, areas, zones) for raw, checked in ahead(self._checked()))

    def _count(self, batch: _Batch) -> None:
        landing, intake = self.landing, self._intake
        checked, raw = batch.checked, batch.raw
        intake.rows_read += len(raw) + len(raw.broken)
        intake.staged += batch.count
        intake.notes.update(checked.notes)
        intake.entries += checked.entries
        intake.masked.update(checked.masked)
        intake.notes["outside_all_areas"] += batch.nowhere
        lost = len(raw.broken) + batch.spared.column("source_key").null_count
        if lost and landing.source.mode == "snapshot":  # any of them may be any row: nobody knows what is missing
            intake.notes["rows_without_key"] += lost
        intake.quarantined += quarantine.write(
            landing.connection, landing.run_id, landing.sha256, raw, landing.source, checked.findings
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


def _encoded(raw: RawFrame, checked: Checked, areas: Versions, zones: Versions) -> _Batch:
    """The good rows as they are copied."""
    good = pa.array(checked.findings.good)
    numbered = checked.table.add_column(0, "row_number", pa.array(raw.rows))
    table = _tagged(numbered.filter(good), areas, zones)
    nowhere = table.column("area_id").null_count - (pc.sum(table.column("deleted")).as_py() or 0)
    spared = checked.table.select(["source_key"]).filter(pc.invert(good))
    return _Batch(raw, checked, table.schema, list(copy_stream(table)), len(table), nowhere, spared)


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
