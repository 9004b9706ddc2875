"""Service load: counts that offices have added up, of which small ones are hidden as soon as they land."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from etl.landing import Landing
from etl.load import keyed
from etl.load.staging import Connection, Merged
from etl.parents import Parents
from etl.readers.base import RawFrame
from etl.spec import Source
from etl.validate import service_load
from etl.validate.checker import Checked
from layers.catalog.city import City
from layers.core.audience import FEWEST
from layers.records.findings import Mask
from layers.records.small import Cell, guarded

_AREAS = """select area.area_id, level.code as level, area.code from onemap.area area
join onemap.level level on level.rank = area.level_rank"""
_PERIODS = "select distinct class, since, until from onemap.service_load"
_COUNTS = """select service_load_id as id, area_id, class, since, until, due, done, hidden from onemap.service_load
order by service_load_id"""
# Two loads at once would not see each other's counts.
_ALONE = "select pg_advisory_xact_lock(x'73657276696365'::bigint)"  # "service"
_HIDE = "update onemap.service_load set hidden = not hidden where service_load_id = any(%s)"

Period = tuple[datetime, datetime]


@dataclass(frozen=True)
class ServiceKind:
    """The kind, with its checks and what is hidden of it."""

    @property
    def key(self) -> tuple[str, ...]:
        """The column that identifies a row: its area, class and period."""
        return ("source_key",)

    def check(self, raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
        """Check every row by itself."""
        return service_load.check(raw, source, city, now)

    def complete(self, connection: Connection, city: City, checked: Checked, kept: Mask) -> pa.Table:  # noqa: ARG002
        """The kept rows whose area is there and whose period cuts across no other, with the ids of the areas."""
        table = checked.table
        known = {(row["level"], row["code"]): row["area_id"] for row in connection.execute(_AREAS)}
        named = zip(table["level"].to_pylist(), table["area"].to_pylist(), strict=True)
        ids = [known.get(each) for each in named]
        missing = np.array([each is None for each in ids], np.bool_)
        checked.findings.add(missing & checked.findings.good, "there is no such area of that level")
        across = _across(table, kept & checked.findings.good, connection.execute(_PERIODS).fetchall())
        checked.findings.add(across, "its period cuts across another one")
        table = table.drop_columns(["level", "area"]).append_column("area_id", pa.array(ids, pa.int64()))
        return table.filter(pa.array(kept & checked.findings.good))

    def merge(self, landing: Landing, table: pa.Table, seen: pa.Table | None) -> Merged:
        """Bring the rows in, and hide what is small with what would tell it."""
        connection, source = landing.connection, landing.source.id
        merged = keyed.merge(
            connection, keyed.SERVICE_LOAD, table, source=source, run_id=landing.run_id, seen=seen
        )
        hide(connection)
        return merged

    def tell(self, landing: Landing, merged: Merged) -> None:
        """Nobody follows it."""


SERVICE_LOAD = ServiceKind()


def hide(connection: Connection) -> None:
    """Mark which counts are hidden, each class and period by itself and those of all sources together.

    What one source hides another one's total would tell. Counts are of the tree of areas as it was at any time of
    their period; and as it is now, in case an office has counted by that.
    """
    connection.execute(_ALONE)
    tables: dict[tuple[str, Period], dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in connection.execute(_COUNTS):
        tables[row["class"], (row["since"], row["until"])][row["area_id"]].append(row)
    parents = Parents.read(connection) if tables else Parents({})
    turned: list[int] = []
    for (_, period), counted in tables.items():
        areas = list(counted)
        cells = [Cell(frozenset((row["due"], row["done"]) for row in rows)) for rows in counted.values()]
        found = guarded(cells, parents.during(period, areas), FEWEST)
        for place, rows in enumerate(counted.values()):
            turned += [row["id"] for row in rows if row["hidden"] != (place in found)]
    connection.execute(_HIDE, [turned])


def _across(table: pa.Table, rows: Mask, known: list[dict[str, Any]]) -> Mask:
    """bool[n]: whether a row's period overlaps another one of its class, here or `known`, without being the same.

    The difference between a month and the quarter that it is in would tell counts that no table shows.
    """
    spans = list(zip(*(table[name].to_pylist() for name in ("class", "since", "until")), strict=True))
    periods: dict[str, set[Period]] = defaultdict(set)
    for row in known:
        periods[row["class"]].add((row["since"], row["until"]))
    for kind, since, until in (spans[place] for place in np.flatnonzero(rows)):
        periods[kind].add((since, until))
    return np.array(
        [
            good
            and any(other != (since, until) and other[0] < until and since < other[1] for other in periods[kind])
            for (kind, since, until), good in zip(spans, rows.tolist(), strict=True)
        ],
        np.bool_,
    )
