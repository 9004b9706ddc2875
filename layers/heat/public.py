"""The one heat product that the public reads.

Fixed bins of a calendar month of the city's time; in each bin one adaptive set of cells: a cell of the finest
resolution with fewer than k incidents gives them to its parent, up to the coarsest. So every cell published
holds at least k incidents, those of the finer published cells inside it left out, and what is still below k at the
coarsest is not published. Counts are rounded, and a bin is readable a week after its end. Incidents of sensitive
categories are left out.

Figures: k = 10 as most CO-CONNECT partners use; 7 days as Chicago withholds; rounding to 5 as NHS hospital data.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import DictRow

from layers.catalog.city import City
from layers.core.statement import Statement
from layers.geo import hexgrid

K = 10
ROUND_TO = 5
DELAY = timedelta(days=7)
FINEST_RES = 8
COARSEST_RES = 5


@dataclass(frozen=True)
class Cells:
    """Published cells of mixed resolution, coarse before fine, each with its rounded count."""

    cell: NDArray[np.uint64]
    count: NDArray[np.int64]


def rounded(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts rounded to the nearest multiple of five, halves up."""
    return (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO


def adaptive(cell: NDArray[np.uint64], count: NDArray[np.int64]) -> Cells:
    """Merge cells of `FINEST_RES` up the tree until each holds at least K; rounded.

    Parameters
    ----------
    cell : uint64[n], distinct, of FINEST_RES.
    count : int64[n], >= 0, in the order of `cell`.
    """
    levels: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
    for res in range(FINEST_RES, COARSEST_RES - 1, -1):
        cell, place = np.unique(hexgrid.parent(cell, res), return_inverse=True)
        count = np.bincount(place, count, minlength=cell.size).astype(np.int64)
        enough = count >= K
        levels.append((cell[enough], count[enough]))
        cell, count = cell[~enough], count[~enough]
    levels.reverse()
    return Cells(
        np.concatenate([cells for cells, _ in levels]), rounded(np.concatenate([counts for _, counts in levels]))
    )


_COUNTS = """
select date_trunc('month', occurred_at at time zone %(zone)s) as month, onemap.cell_parent(cell, %(res)s) as cell,
  incident.zones, count(*) as count
from onemap.incident incident join onemap.category category on category.code = incident.category
where not category.sensitive
group by 1, 2, 3 order by 1"""

_BIN = """tstzrange(%(month)s::timestamp at time zone %(zone)s,
  (%(month)s::timestamp + interval '1 month') at time zone %(zone)s)"""


def release(connection: psycopg.Connection[DictRow], city: City) -> int:
    """Compute the product anew from all incidents, in the caller's transaction; returns the number of bins."""
    counts = connection.execute(_COUNTS, {"zone": city.time_zone, "res": FINEST_RES}).fetchall()
    months: dict[datetime, list[DictRow]] = {}
    for row in counts:
        months.setdefault(row["month"], []).append(row)
    masks = {layer: -1 if bit < 0 else 1 << bit for bit, layer in enumerate(city.heat_layers, start=-1)}
    bins, cells = [], []
    for month, rows in months.items():
        cell = np.array([row["cell"] for row in rows], dtype=np.uint64)
        zones = np.array([row["zones"] for row in rows], dtype=np.int64)
        count = np.array([row["count"] for row in rows], dtype=np.int64)
        for layer, mask in masks.items():
            inside = np.ones(len(rows), dtype=bool) if layer == "all" else (zones & mask) != 0
            distinct, place = np.unique(cell[inside], return_inverse=True)
            summed = np.bincount(place, count[inside], minlength=distinct.size).astype(np.int64)
            published = adaptive(distinct, summed)
            if not published.cell.size:
                continue
            key = {"layer": layer, "month": month, "zone": city.time_zone}
            bins.append(key | {"total": int(published.count.sum())})
            cells += [
                key | {"cell": one, "count": n}
                for one, n in zip(published.cell.tolist(), published.count.tolist(), strict=True)
            ]
    with connection.cursor() as cursor:
        cursor.execute("delete from onemap.released_bin")
        cursor.executemany(
            f"insert into onemap.released_bin (layer, bin, total) values (%(layer)s, {_BIN}, %(total)s)",  # noqa: S608
            bins,
        )
        cursor.executemany(
            f"""insert into onemap.released_cell (layer, bin, cell, count)
            values (%(layer)s, {_BIN}, %(cell)s, %(count)s)""",  # noqa: S608
            cells,
        )
    return len(bins)


def newest_bin(now: datetime) -> Statement:
    """The newest bin that is old enough to be read: `start` and `end`; no row before the first."""
    return Statement(
        """select lower(bin) as start, upper(bin) as end from onemap.released_bin
        where upper(bin) <= %(before)s order by upper(bin) desc limit 1""",
        {"before": now - DELAY},
    )


def bins(now: datetime) -> Statement:
    """First and last instant that readable bins cover: `start`, `end`, null without any."""
    return Statement(
        """select min(lower(bin)) as start, max(upper(bin)) as end from onemap.released_bin
        where upper(bin) <= %(before)s""",
        {"before": now - DELAY},
    )


def cells(layer: str, start: datetime, end: datetime, now: datetime) -> Statement:
    """The published cells of one bin, coarse before fine: `cell`, `value`; none where the bin is not one."""
    return Statement(
        """select cell, count as value from onemap.released_cell
        where layer = %(layer)s and bin = tstzrange(%(start)s, %(end)s) and upper(bin) <= %(before)s
        order by cell""",
        {"layer": layer, "start": start, "end": end, "before": now - DELAY},
    )


def totals(start: datetime, end: datetime, now: datetime) -> Statement:
    """Published totals of one bin: `layer`, `total`."""
    return Statement(
        """select layer, total from onemap.released_bin
        where bin = tstzrange(%(start)s, %(end)s) and upper(bin) <= %(before)s""",
        {"start": start, "end": end, "before": now - DELAY},
    )
