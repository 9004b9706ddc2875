"""Roads and places: features that their key identifies, without dates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from etl.landing import Landing
from etl.load import keyed
from etl.load.staging import Connection, Merged
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate import places as place_checks
from etl.validate import roads as road_checks
from etl.validate.checker import Checked
from layers.catalog.city import City
from layers.records.findings import Mask


@dataclass(frozen=True)
class KeyedKind:
    """One of the two, with its checks. Without key columns, rows that say the same are one feature."""

    keyed: keyed.Keyed
    check: Callable[[RawFrame, Source, City, datetime], Checked]

    @property
    def key(self) -> tuple[str, ...]:
        """The column that identifies one."""
        return ("source_key",)

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:  # noqa: ARG002
        """The kept rows; the database adds nothing."""
        return checked.table.filter(pa.array(kept))

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in."""
        return keyed.merge(
            landing.connection,
            self.keyed,
            table,
            source=landing.source.id,
            run_id=landing.run_id,
            seen=seen,
        )

    def tell(self, landing: Landing, merged: Merged) -> None:  # noqa: ARG002
        """Bump the layer."""
        keyed.tell(landing.connection, self.keyed, landing.at)


ROADS = KeyedKind(keyed.ROADS, road_checks.check)
PLACES = KeyedKind(keyed.PLACES, place_checks.check)
