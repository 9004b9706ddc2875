"""The one heat product that the public reads.

Fixed bins of a calendar month of the city's time; in each bin one adaptive set of cells: a cell of the finest
resolution with fewer than k incidents gives them to its parent, up to the coarsest. So every cell published
holds at least k incidents, those of the finer published cells inside it left out, and what is still below k at the
coarsest is not published. Counts are rounded, and a bin is readable a week after its end. Incidents of sensitive
categories are left out.

Figures: k = 10 as most CO-CONNECT partners use; 7 days as Chicago withholds; rounding to 5 as NHS hospital data.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import DictRow
from psycopg.types.range import Range

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


# A day of UTC lies in one month of local time, or in two.
_STALE = """
select month, month at time zone %(zone)s as start, (month + interval '1 month') at time zone %(zone)s as end
from (
  select distinct date_trunc('month', moment at time zone %(zone)s) as month
  from onemap.stale_day,
    lateral (values (day::timestamp at time zone 'UTC'), ((day + 1)::timestamp at time zone 'UTC')) day (moment)
) months order by month"""

# Counts of each of the months that begin at `starts`, one after the other, the last of them ending at `end`.
_COUNTS = """
select month, array_agg(cell) as cell, array_agg(zones) as zones, array_agg(count) as count
from (
  select width_bucket(occurred_at, %(starts)s::timestamptz[]) as month,
    onemap.cell_parent(cell, %(res)s) as cell, zones, count(*) as count
  from onemap.incident
  where occurred_at >= (%(starts)s::timestamptz[])[1] and occurred_at < %(end)s
    and category not in (select code from onemap.category where sensitive)
  group by 1, 2, 3
) counts group by month"""


def mark(connection: psycopg.Connection[DictRow], days: Iterable[date]) -> None:
    """Say that incidents came to these days of UTC; the bins that they lie in are computed at the next release."""
    connection.execute(
        "insert into onemap.stale_day select unnest(%s::date[]) on conflict do nothing", [sorted(days)]
    )


def release(connection: psycopg.Connection[DictRow], city: City) -> int:
    """Compute anew the bins whose incidents have changed, in the caller's transaction; returns how many."""
    stale = connection.execute(_STALE, {"zone": city.time_zone}).fetchall()
    spans = [Range(month["start"], month["end"]) for month in stale]
    bins: list[tuple[str, Range[datetime], int]] = []
    cells: list[tuple[str, Range[datetime], int, int]] = []
    for months in _successive(spans):
        given = {"res": FINEST_RES, "starts": [month.lower for month in months], "end": months[-1].upper}
        for counts in connection.execute(_COUNTS, given, binary=True):
            span = months[counts["month"] - 1]
            for layer, published in _layers(counts, city):
                bins.append((layer, span, int(published.count.sum())))
                pairs = zip(published.cell.tolist(), published.count.tolist(), strict=True)
                cells += [(layer, span, *pair) for pair in pairs]
    with connection.cursor() as cursor:
        cursor.execute("delete from onemap.released_bin where bin = any(%s)", [spans])
        with cursor.copy("copy onemap.released_bin (layer, bin, total) from stdin") as copy:
            for row in bins:
                copy.write_row(row)
        with cursor.copy("copy onemap.released_cell (layer, bin, cell, count) from stdin") as copy:
            for cell in cells:
                copy.write_row(cell)
    connection.execute("delete from onemap.stale_day")
    return len(stale)


def _successive(spans: list[Range[datetime]]) -> Iterator[list[Range[datetime]]]:
    """Spans in their order, those together that follow one another without a gap."""
    together: list[Range[datetime]] = []
    for span in spans:
        if together and together[-1].upper != span.lower:
            yield together
            together = []
        together.append(span)
    if together:
        yield together


def _layers(counts: DictRow, city: City) -> Iterator[tuple[str, Cells]]:
    """What each heat layer publishes of one month's counts by cell and zones."""
    cell = np.array(counts["cell"], dtype=np.uint64)
    zones = np.array(counts["zones"], dtype=np.int64)
    count = np.array(counts["count"], dtype=np.int64)
    for bit, layer in enumerate(city.heat_layers, start=-1):
        inside = np.ones(len(cell), dtype=bool) if bit < 0 else (zones >> bit) & 1 == 1
        distinct, place = np.unique(cell[inside], return_inverse=True)
        summed = np.bincount(place, count[inside], minlength=distinct.size).astype(np.int64)
        published = adaptive(distinct, summed)
        if published.cell.size:
            yield layer, published


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
