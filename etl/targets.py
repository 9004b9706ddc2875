"""The kinds of things that are loaded whole, each with its own checks, finish and merge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from etl.keyed_kind import PLACES, ROADS
from etl.landing import Landing
from etl.load import stored, versions
from etl.load.staging import Connection, Merged
from etl.readers.base import RawFrame
from etl.service_kind import SERVICE_LOAD, hide
from etl.spec import Source
from etl.target_fields import Target
from etl.validate import areas as area_checks
from etl.validate import resources as resource_checks
from etl.validate import risk_areas as risk_area_checks
from etl.validate.checker import Checked
from layers.catalog.city import City
from layers.records.findings import Mask


class Kind(Protocol):
    """What the pipeline asks of each kind."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify one."""
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
    """Areas, risk areas and resources: identities with dated versions, and the checks of their rows."""

    dated: versions.Dated
    check: Callable[[RawFrame, Source, City, datetime], Checked]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify one."""
        return self.dated.key

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:
        """The kept rows that end after the known versions began; of areas those whose parents are there."""
        self._check_ends(checked, versions.starts(connection, self.dated))
        if self.dated is versions.AREAS:
            area_checks.check_parents(checked, kept, city, stored.known_areas(connection))
        return checked.table.filter(pa.array(kept & checked.findings.good))

    def _check_ends(self, checked: Checked, starts: Mapping[tuple[Any, ...], datetime]) -> None:
        """Note every row that says how things were before the version that is known: there is no place for it."""
        keys = zip(*[checked.table.column(name).to_pylist() for name in self.key], strict=True)
        begun = [starts.get(key) for key in keys]
        ends = checked.table.column("valid_to").to_pylist()
        pairs = zip(begun, ends, strict=True)
        over = [start is not None and end is not None and end <= start for start, end in pairs]
        checked.findings.add(
            np.array(over, np.bool_),
            lambda i: f"valid_to is not after {begun[i]:%Y-%m-%dT%H:%M:%SZ}, the start of the known version",
        )

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in; where the tree of areas is another one, what it tells of small counts is too."""
        merged = versions.merge(
            landing.connection,
            self.dated,
            table,
            source=landing.source.id,
            run_id=landing.run_id,
            at=landing.at,
            seen=seen,
        )
        if self.dated is versions.AREAS:
            hide(landing.connection)
        return merged

    def tell(self, landing: Landing, merged: Merged) -> None:  # noqa: ARG002
        """Bump the layer."""
        versions.tell(landing.connection, self.dated, landing.at)


KINDS: dict[Target, Kind] = {
    "areas": DatedKind(versions.AREAS, area_checks.check),
    "risk_areas": DatedKind(versions.RISK_AREAS, risk_area_checks.check),
    "resources": DatedKind(versions.RESOURCES, resource_checks.check),
    "roads": ROADS,
    "places": PLACES,
    "service_load": SERVICE_LOAD,
}
