"""The published product: what the public may know, and what it must not."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.core.audience import PUBLIC
from layers.core.db import connect
from layers.geo import hexgrid
from layers.heat import public
from layers.heat.outline import outlines
from tests import toy

LATER = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = (datetime(2025, 1, 31, 23, tzinfo=UTC), datetime(2025, 2, 28, 23, tzinfo=UTC))  # in Berlin's time

counts = st.dictionaries(
    st.tuples(st.floats(10, 10.3), st.floats(50, 50.3)), st.integers(1, 40), min_size=1, max_size=60
)


def _fine(points):
    cell = hexgrid.index(np.array(list(points)), public.FINEST_RES)
    distinct, place = np.unique(cell, return_inverse=True)
    return distinct, np.bincount(place, list(points.values())).astype(np.int64)


def _owner(cells, fine):
    """The published cell that each fine cell went to: the finest of its ancestors that is published."""
    for res in range(public.FINEST_RES, public.COARSEST_RES - 1, -1):
        ancestor = int(hexgrid.parent(np.array([fine], np.uint64), res)[0])
        if ancestor in cells:
            return ancestor
    return None


@given(counts)
def test_every_published_cell_holds_at_least_k_and_nothing_is_counted_twice(points):
    cell, count = _fine(points)
    published = public.adaptive(cell, count)
    owned = Counter()
    for fine, n in zip(cell.tolist(), count.tolist(), strict=True):
        owner = _owner(set(published.cell.tolist()), fine)
        if owner is not None:
            owned[owner] += n
    shown = dict(zip(published.cell.tolist(), published.count.tolist(), strict=True))
    assert all(owned[each] >= public.K for each in shown)
    assert {each: int(public.rounded(np.array([owned[each]]))[0]) for each in shown} == shown


@given(counts)
def test_a_cell_of_the_finest_resolution_with_k_incidents_is_never_merged(points):
    cell, count = _fine(points)
    published = set(public.adaptive(cell, count).cell.tolist())
    assert set(cell[count >= public.K].tolist()) <= published


@given(counts)
def test_what_is_lost_is_less_than_k_in_each_coarsest_cell(points):
    cell, count = _fine(points)
    published = set(public.adaptive(cell, count).cell.tolist())
    lost = Counter()
    for fine, n in zip(cell.tolist(), count.tolist(), strict=True):
        if _owner(published, fine) is None:
            lost[int(hexgrid.parent(np.array([fine], np.uint64), public.COARSEST_RES)[0])] += n
    assert all(n < public.K for n in lost.values())


def test_counts_are_rounded_to_the_nearest_five():
    assert public.rounded(np.array([10, 11, 12, 13, 17, 18])).tolist() == [10, 10, 10, 15, 15, 20]


@given(counts)
def test_outlines_of_one_answer_do_not_overlap(points):
    published = public.adaptive(*_fine(points))
    shapes = outlines(published.cell)
    union = shapely.union_all(shapes)
    # Children poke out of their parents by slivers, which neighbours' children share: a hundredth at most.
    assert shapely.area(shapes).sum() <= union.area * 1.02 + 1e-12


async def test_the_public_reads_the_product_of_a_month_without_sensitive_categories(toy_db, shared_toy):
    rows = await toy_db.rows(PUBLIC, public.cells("all", *FEBRUARY, LATER))
    month = [row for row in shared_toy.rows if FEBRUARY[0] <= row.at < FEBRUARY[1] and row.category != "domestic"]
    cell = hexgrid.parent(np.array([row.cell for row in month], np.uint64), public.FINEST_RES)
    distinct, place = np.unique(cell, return_inverse=True)
    expected = public.adaptive(distinct, np.bincount(place).astype(np.int64))
    assert [row["cell"] for row in rows] == expected.cell.tolist() != []
    assert [row["value"] for row in rows] == expected.count.tolist()
    totals = {row["layer"]: row["total"] for row in await toy_db.rows(PUBLIC, public.totals(*FEBRUARY, LATER))}
    assert totals["all"] == expected.count.sum()


async def test_a_month_is_readable_a_week_after_its_end(toy_db):
    day = timedelta(days=1)
    for now, newest in ((FEBRUARY[1] + 6 * day, FEBRUARY[0]), (FEBRUARY[1] + 8 * day, FEBRUARY[1])):
        found = await toy_db.row(PUBLIC, public.newest_bin(now))
        assert found["end"] == newest
    assert await toy_db.rows(PUBLIC, public.cells("all", *FEBRUARY, FEBRUARY[1] + 6 * day)) == []
    assert await toy_db.rows(PUBLIC, public.totals(*FEBRUARY, FEBRUARY[1] + 6 * day)) == []


@pytest.mark.parametrize("shift", [timedelta(hours=1), timedelta(days=-1)])
async def test_a_window_of_ones_own_is_not_published(toy_db, shift):
    assert await toy_db.rows(PUBLIC, public.cells("all", FEBRUARY[0] + shift, FEBRUARY[1], LATER)) == []


def test_a_second_release_gives_the_same_product(own_toy):
    query = "select * from onemap.released_cell order by layer, bin, cell"
    with connect(own_toy.url) as connection:
        before = connection.execute(query).fetchall()
        public.release(connection, toy.CITY)
        assert connection.execute(query).fetchall() == before != []
