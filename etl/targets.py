"""The three kinds of things that a source can bring, each with its own checks, finish and merge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa

from etl.binary import points
from etl.findings import Mask
from etl.load import incidents, stored, versions
from etl.load.staging import Connection, Landed, Merged
from etl.readers.base import RawFrame
from etl.spec import Source, Target
from etl.tag import NOWHERE, finest_area, zone_mask
from etl.validate import areas as area_checks
from etl.validate import incidents as incident_checks
from etl.validate import risk_areas as risk_area_checks
from etl.validate.checker import Checked
from layers.catalog.city import City
from layers.geo import hexgrid
from layers.heat import public


@dataclass(frozen=True)
class Landing:
    """Where and as what rows land: inside the caller's transaction, as rows of one run."""

    connection: Connection
    city: City
    source: str
    run_id: int
    at: datetime
    on_progress: Landed


class Kind(Protocol):
    """What the pipeline asks of each kind."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify one."""
        ...

    @property
    def leans_on(self) -> tuple[Target, ...]:
        """The targets that its rows are tagged with."""
        ...

    def check(self, raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
        """Check every row by itself."""
        ...

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:
        """The kept rows with what the database adds; what only shows now becomes a finding."""
        ...

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in."""
        ...

    def tell(self, landing: Landing, merged: Merged) -> None:
        """Tell the followers; the last thing before the commit."""
        ...


@dataclass(frozen=True)
class DatedKind:
    """Areas and risk areas: identities with dated versions."""

    dated: versions.Dated

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify one."""
        return self.dated.key

    @property
    def leans_on(self) -> tuple[Target, ...]:
        """Nothing else is needed to load them."""
        return ()

    def check(self, raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
        """Check every row by itself."""
        check = area_checks.check if self.dated is versions.AREAS else risk_area_checks.check
        return check(raw, source, city, now)

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:
        """The kept rows; of areas those whose parents are known or among them."""
        if self.dated is versions.AREAS:
            area_checks.check_parents(checked, kept, city, stored.known_areas(connection))
        return checked.table.filter(pa.array(kept & checked.findings.good))

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in."""
        return versions.merge(
            landing.connection,
            self.dated,
            table,
            source=landing.source,
            run_id=landing.run_id,
            at=landing.at,
            seen=seen,
        )

    def tell(self, landing: Landing, merged: Merged) -> None:  # noqa: ARG002
        """Bump the layer."""
        versions.tell(landing.connection, self.dated, landing.at)


class Incidents:
    """What happened."""

    key = ("source_key",)
    leans_on: tuple[Target, ...] = ("areas", "risk_areas")

    def check(self, raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
        """Check every row by itself."""
        return incident_checks.check(raw, source, city, now)

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:  # noqa: ARG002
        """The kept rows with their geometry, their spot, their finest area and their zone mask."""
        table = checked.table.filter(pa.array(kept))
        lonlat = np.column_stack([table.column("lon"), table.column("lat")])
        at = table.column("occurred_at").to_numpy()
        area = finest_area(lonlat, at, stored.areas(connection))
        nowhere = area == NOWHERE
        if nowhere.any():
            checked.notes["outside_all_areas"] = int(nowhere.sum())
        cells = table.column("cell").to_numpy().astype(np.uint64)
        added = {
            "area_id": pa.array(area, mask=nowhere),
            "zones": pa.array(zone_mask(lonlat, at, stored.zones(connection))),
            "spot": points(hexgrid.centre(cells)),
            "geom": points(lonlat),
        }
        for name, column in added.items():
            table = table.append_column(name, column)
        return table.drop_columns(["lon", "lat"])

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in."""
        return incidents.merge(
            landing.connection,
            table,
            source=landing.source,
            run_id=landing.run_id,
            seen=seen,
            on_progress=landing.on_progress,
        )

    def tell(self, landing: Landing, merged: Merged) -> None:
        """Compute anew what the public reads, bump the layer, and tell of each incident where they are few."""
        landing.on_progress("publishing", incidents.MERGED)
        public.release(landing.connection, landing.city)
        incidents.tell(landing.connection, merged, source=landing.source, run_id=landing.run_id, at=landing.at)


KINDS: dict[Target, Kind] = {
    "areas": DatedKind(versions.AREAS),
    "risk_areas": DatedKind(versions.RISK_AREAS),
    "incidents": Incidents(),
}
