"""The one heat product that the public reads.

Fixed bins of a calendar month of the city's time; in each bin and heat layer one adaptive set of cells. These are
the rules, each with its reason:

1. A cell of the finest resolution with fewer than k incidents gives them to its parent, and so on up to the
   coarsest, a cell that holds a city. What a merged cell tells is the rest that the finer cells do not. A few
   incidents are persons.
2. A merged cell is told only if nobody can narrow down what its parts are; else it goes on up, and from the
   coarsest it is left out. A rest of 18 of two cells below 10 is nine and nine. See guard.py. As parts count the
   cells that touch the city's outline, and those that hold incidents: it is known that the lake is empty.
3. The cells of a zone type are sums of cells of `all`, and of each such cell both what lies in the zone and what
   lies outside is hidden if it is 1 to k-1. Else the difference of two layers tells what neither does. So cells of
   `all` are the parts that zone types merge, under the guard of rule 2; those count that the influence of the risk
   areas of the type touches, or that hold its incidents.
4. A merged cell of `all` counts for zone types only if those of its cells that no zones cover could hold all its
   incidents. Else what the types tell, taken together, tells what is left for the other cells.
5. Counts are rounded, and a bin is readable a week after its end, when most of what comes late has come. Incidents
   of sensitive categories are left out.

What holds: one who knows these rules, all sums before they are rounded, and which cells can hold incidents, finds
no count of a finest cell, of `all` or of a zone type, to be more than 1 or less than k-1 where it is hidden. What
lies outside a zone in one such cell is hidden likewise, but that it may be known to be at least the cell's
published count less k-1. Of `all` alone that follows from rule 2; of all layers together the tests try it, with
linear programs and with every state of small cities. The total of a bin is the sum of its cells, and the share
told of it follows from them.

What does not: what lies outside of two zone types at once in one cell is not guarded. A bin whose incidents change
later is published anew; each of the two withstands alone, and their difference may tell what came between.

Figures: k = 10 as most CO-CONNECT partners use; 7 days as Chicago withholds; rounding to 5 as NHS hospital data.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import DictRow
from psycopg.types.range import Range

from layers.catalog.city import City
from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.heat.adaptive import Cells, Grain, Whole, adaptive, homes, summed
from layers.heat.ground import Ground, Grounds

LAYER = "released"
"""The product as a layer, whose version changes when any bin is published anew."""

K = 10
ROUND_TO = 5
DELAY = timedelta(days=7)
FINEST_RES = 8
COARSEST_RES = 4

GRAIN = Grain(K, FINEST_RES, COARSEST_RES)


def rounded(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts rounded to the nearest multiple of five, halves up."""
    return (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO


def product(
    cell: NDArray[np.uint64],
    zones: NDArray[np.int64],
    count: NDArray[np.int64],
    ground: Ground,
    grain: Grain = GRAIN,
) -> list[Cells]:
    """What is published of one bin, before it is rounded: of `all` and of each zone type.

    Parameters
    ----------
    cell : uint64[n], of FINEST_RES, in any order and several times.
    zones : int64[n], mask of the zone types that `count` incidents of the cell lie in.
    count : int64[n], at least 0.
    ground : which cells of FINEST_RES can hold incidents.
    grain : what is enough, and how fine and coarse.
    """
    fine, place = np.unique(np.concatenate([cell, ground.city]), return_inverse=True)
    place = place[: cell.size]
    whole = adaptive(fine, summed(place, count, fine.size), grain)
    home, owned = homes(fine, whole.cell)

    def within(each: NDArray[Any]) -> NDArray[np.int64]:
        """Sum over the finest cells of each published cell."""
        return summed(home, each[owned].astype(np.int64), whole.cell.size)

    is_finest = hexgrid.resolution(whole.cell) == grain.finest
    bare = within(~np.isin(fine, ground.covered))
    hides = is_finest | (whole.count <= (bare - 1) * (grain.k - 1))
    published = [whole]
    for bit, touched in enumerate(ground.zones):
        inside = summed(place, np.where(zones >> bit & 1, count, 0), fine.size)
        holding = within(np.isin(fine, touched) | (inside > 0))
        can = hides & (holding > 0)
        of = Whole(whole.count[can], np.where(is_finest, 0, holding)[can])
        published.append(adaptive(whole.cell[can], within(inside)[can], grain, of))
    return published


def share(published: Cells, city: NDArray[np.uint64]) -> int:
    """Percent of a bin's incidents that its cells show, at least: from the cells and what everybody knows alone.

    In each coarsest cell that the city touches up to k-1 may be missing. (More could be only if nearly every
    hidden cell held k-1.)
    """
    shown = int(published.count.sum())
    missing = np.unique(hexgrid.parent(city, COARSEST_RES)).size * (K - 1)
    return 100 * shown // (shown + missing) if shown else 0


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
    grounds = Grounds.read(connection, city, FINEST_RES)
    bins: list[tuple[str, Range[datetime], int, int | None]] = []
    cells: list[tuple[str, Range[datetime], int, int]] = []
    for months in _successive(spans):
        given = {"res": FINEST_RES, "starts": [month.lower for month in months], "end": months[-1].upper}
        for counts in connection.execute(_COUNTS, given, binary=True):
            span = months[counts["month"] - 1]
            ground = grounds.during(span)
            cell, zones, count = (np.array(counts[name], dtype=np.int64) for name in ("cell", "zones", "count"))
            layers = product(cell.astype(np.uint64), zones, count, ground)
            for layer, exact in zip(city.heat_layers, layers, strict=True):
                published = Cells(exact.cell, rounded(exact.count))
                if published.cell.size:
                    told = share(published, ground.city) if layer == "all" else None
                    bins.append((layer, span, int(published.count.sum()), told))
                each = zip(published.cell.tolist(), published.count.tolist(), strict=True)
                cells += [(layer, span, *pair) for pair in each]
    with connection.cursor() as cursor:
        cursor.execute("delete from onemap.released_bin where bin = any(%s)", [spans])
        with cursor.copy("copy onemap.released_bin (layer, bin, total, share) from stdin") as copy:
            for row in bins:
                copy.write_row(row)
        with cursor.copy("copy onemap.released_cell (layer, bin, cell, count) from stdin") as copy:
            for told_cell in cells:
                copy.write_row(told_cell)
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


def shown(start: datetime, end: datetime, now: datetime) -> Statement:
    """How much of one bin is visible: `share`, percent of its incidents, at least; no row where it is no bin."""
    return Statement(
        """select share from onemap.released_bin
        where layer = 'all' and bin = tstzrange(%(start)s, %(end)s) and upper(bin) <= %(before)s""",
        {"start": start, "end": end, "before": now - DELAY},
    )
