"""The published product: what the public may know, and what it must not."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.range import Range

from layers.core.audience import PUBLIC
from layers.core.db import connect
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat import public
from layers.heat.ground import Ground, Grounds, outline
from layers.heat.outline import outlines
from tests import toy

LATER = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = (datetime(2025, 1, 31, 23, tzinfo=UTC), datetime(2025, 2, 28, 23, tzinfo=UTC))  # in Berlin's time
NOWHERE = np.empty(0, np.uint64)
EVERYWHERE = hexgrid.cover(Bbox(9.9, 49.9, 10.4, 50.4), public.FINEST_RES)

points = st.tuples(st.floats(10, 10.3), st.floats(50, 50.3))
counts = st.dictionaries(points, st.integers(1, 40), min_size=1, max_size=60)


def _fine(counted):
    """Distinct cells of the finest resolution and their counts."""
    cell = hexgrid.index(np.array(list(counted)), public.FINEST_RES)
    distinct, place = np.unique(cell, return_inverse=True)
    return distinct, np.bincount(place, list(counted.values())).astype(np.int64)


def _shown(cells):
    return dict(zip(cells.cell.tolist(), cells.count.tolist(), strict=True))


def _all(cell, count, reach=NOWHERE):
    return public.product(cell, np.zeros(cell.size, np.int64), count, Ground(reach, [], NOWHERE))[0]


def _owner(cells, fine):
    """The published cell that each fine cell went to: the finest of its ancestors that is published."""
    for res in range(public.FINEST_RES, public.COARSEST_RES - 1, -1):
        ancestor = int(hexgrid.parent(np.array([fine], np.uint64), res)[0])
        if ancestor in cells:
            return ancestor
    return None


def _siblings(n):
    """`n` of the seven finest cells in one cell of the next resolution."""
    first, _ = hexgrid.children_range(hexgrid.at(10.0, 50.0, public.FINEST_RES - 1), public.FINEST_RES)
    return (first + np.arange(n) * (1 << 3 * (hexgrid.FINEST - public.FINEST_RES))).astype(np.uint64)


def _covered(cells):
    """Cells all of whose corners lie in the influence of a risk area of the toy city."""
    boxes = [shapely.box(*box) for _, _, *box in toy.RISK_AREAS]
    corners = [shapely.points(shapely.get_coordinates(shape)) for shape in hexgrid.outline(cells)]
    return cells[[all(any(box.intersects(point) for box in boxes) for point in each) for each in corners]]


@given(counts)
def test_every_published_cell_holds_at_least_k_and_nothing_is_counted_twice(counted):
    cell, count = _fine(counted)
    shown = _shown(_all(cell, count))
    owned = Counter()
    for fine, n in zip(cell.tolist(), count.tolist(), strict=True):
        owned[_owner(shown, fine)] += n
    del owned[None]
    assert shown == owned
    assert all(n >= public.K for n in owned.values())


@given(counts)
def test_a_cell_of_the_finest_resolution_with_k_incidents_is_never_merged(counted):
    cell, count = _fine(counted)
    assert set(cell[count >= public.K].tolist()) <= set(_all(cell, count).cell.tolist())


@given(counts)
def test_where_many_cells_can_hold_incidents_less_than_k_are_lost_in_each_coarsest_cell(counted):
    cell, count = _fine(counted)
    shown = _shown(_all(cell, count, EVERYWHERE))
    lost = Counter()
    for fine, n in zip(cell.tolist(), count.tolist(), strict=True):
        if _owner(shown, fine) is None:
            lost[int(hexgrid.parent(np.array([fine], np.uint64), public.COARSEST_RES)[0])] += n
    assert all(n < public.K for n in lost.values())


@pytest.mark.parametrize(("cells", "most"), [(2, 10), (3, 19), (7, 55)])
def test_a_rest_is_told_as_long_as_the_other_cells_could_hold_all_of_it_but_one(cells, most):
    for total in range(public.K, cells * (public.K - 1) + 1):
        count = np.full(cells, total // cells)
        count[: total % cells] += 1
        assert _all(_siblings(cells), count).cell.size == (total <= most)


def test_cells_that_can_hold_incidents_are_room_for_a_rest_and_others_are_none():
    two = _siblings(2)
    assert _all(two, np.array([9, 9]), two).cell.size == 0
    assert _all(two, np.array([9, 9]), _siblings(7)).count.tolist() == [18]


@pytest.mark.parametrize(
    ("inside", "told"), [(0, []), (5, []), (9, []), (10, [10]), (20, [20]), (21, []), (29, []), (30, [30])]
)
def test_a_zone_type_tells_of_a_cell_only_where_neither_inside_nor_outside_is_few(inside, told):
    cell = _siblings(1).repeat(2)
    ground = Ground(NOWHERE, [NOWHERE], NOWHERE)
    product = public.product(cell, np.array([1, 0]), np.array([inside, 30 - inside]), ground)
    assert [each.count.tolist() for each in product] == [[30], told]


@pytest.mark.parametrize(("covered", "told"), [(0, [12]), (3, [12]), (4, [])])
def test_a_merged_cell_counts_for_a_zone_type_only_if_cells_that_no_zone_covers_could_hold_all_of_it(
    covered, told
):
    cell = _siblings(7)  # of 24 incidents, which three cells can hold with one to spare, but not two
    ground = Ground(cell, [cell[:4]], cell[:covered])
    inside, outside = np.array([3, 3, 3, 3, 0, 0, 0]), np.array([1, 1, 1, 1, 2, 3, 3])
    arrays = np.concatenate([cell, cell]), np.repeat([1, 0], 7), np.concatenate([inside, outside])
    whole, zone = public.product(*arrays, ground)
    assert (whole.count.tolist(), zone.count.tolist()) == ([24], told)


def test_counts_are_rounded_to_the_nearest_five():
    assert public.rounded(np.array([10, 11, 12, 13, 17, 18])).tolist() == [10, 10, 10, 15, 15, 20]


def test_the_share_allows_for_nine_missing_in_each_coarsest_cell_of_the_city():
    one, two = (
        EVERYWHERE[:1],
        np.append(EVERYWHERE[:1], hexgrid.at(20.0, 50.0, public.FINEST_RES)).astype(np.uint64),
    )
    shown = public.Cells(one, np.array([91]))
    assert public.share(shown, one) == 91
    assert public.share(shown, two) == 83
    assert public.share(public.Cells(NOWHERE, np.empty(0, np.int64)), one) == 0


@given(counts)
def test_outlines_of_one_answer_do_not_overlap(counted):
    published = _all(*_fine(counted))
    shapes = outlines(published.cell)
    union = shapely.union_all(shapes)
    # Children poke out of their parents by slivers, which neighbours' children share: a hundredth at most.
    assert shapely.area(shapes).sum() <= union.area * 1.02 + 1e-12


def test_merged_cells_are_cut_to_the_city_and_finest_cells_are_whole():
    city = shapely.box(10.0, 50.0, 10.02, 50.02)
    inside, outside = hexgrid.at(10.01, 50.01, 5), hexgrid.at(12.0, 50.0, 5)
    cell = np.sort(np.array([inside, outside, hexgrid.at(10.0, 50.0, public.FINEST_RES)], np.uint64))
    whole, cut = outlines(cell), outlines(cell, city)
    for each, before, after in zip(cell.tolist(), whole, cut, strict=True):
        if each == inside:
            assert city.buffer(1e-9).contains(after)
            assert 0 < after.area < city.area  # the finest cell lies in it
        else:
            assert after.equals(before)


async def test_the_public_reads_the_product_of_a_month_without_sensitive_categories(toy_db, shared_toy):
    rows = [row for row in shared_toy.rows if FEBRUARY[0] <= row.at < FEBRUARY[1] and row.category != "domestic"]
    cell = hexgrid.parent(np.array([row.cell for row in rows], np.uint64), public.FINEST_RES)
    zones = np.array([row.zones for row in rows])
    touched = [
        hexgrid.touched([shapely.to_wkb(shapely.box(*box)) for _, kind, *box in shapes if kind == wanted], 8)[0]
        for shapes, wanted in ((toy.AREAS, None), (toy.RISK_AREAS, "school"), (toy.RISK_AREAS, "market"))
    ]
    ground = Ground(touched[0], touched[1:], _covered(touched[0]))
    product = public.product(cell, zones, np.ones(cell.size, np.int64), ground)
    totals = {row["layer"]: row["total"] for row in await toy_db.rows(PUBLIC, public.totals(*FEBRUARY, LATER))}
    for layer, expected in zip(toy.CITY.heat_layers, product, strict=True):
        found = await toy_db.rows(PUBLIC, public.cells(layer, *FEBRUARY, LATER))
        assert [row["cell"] for row in found] == expected.cell.tolist() != []
        assert [row["value"] for row in found] == public.rounded(expected.count).tolist()
        assert totals[layer] == public.rounded(expected.count).sum()


async def test_the_share_of_a_month_is_told(toy_db, shared_toy):
    rows = [row for row in shared_toy.rows if FEBRUARY[0] <= row.at < FEBRUARY[1] and row.category != "domestic"]
    totals = {row["layer"]: row["total"] for row in await toy_db.rows(PUBLIC, public.totals(*FEBRUARY, LATER))}
    share = await toy_db.value(PUBLIC, public.shown(*FEBRUARY, LATER))
    assert 90 <= share <= 100 * totals["all"] / len(rows)
    assert await toy_db.row(PUBLIC, public.shown(*FEBRUARY, FEBRUARY[1])) is None


async def test_the_outline_of_the_city_is_that_of_its_top_area(toy_db):
    shape = await toy_db.value(PUBLIC, outline(LATER))
    assert shapely.from_wkb(shape).equals(shapely.box(toy.WEST, toy.SOUTH, toy.EAST, toy.NORTH))


def test_a_risk_area_reaches_cells_in_the_months_in_which_it_is_valid(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute(
            """update onemap.risk_area_version set valid = tstzrange(%s, null) where risk_area_id in (
                 select risk_area_id from onemap.risk_area where code = 'S1')""",
            [FEBRUARY[1]],
        )
        grounds = Grounds.read(connection, toy.CITY, public.FINEST_RES)
    before, after = grounds.during(Range(*FEBRUARY)), grounds.during(Range(FEBRUARY[1], LATER))
    assert [each.size > 0 for each in (before.city, *before.zones)] == [True, False, True]
    assert set(after.zones[0].tolist()) < set(after.city.tolist())
    assert set(before.covered.tolist()) < set(after.covered.tolist()) < set(after.city.tolist())


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
        public.mark(connection, {row.at.date() for row in own_toy.rows})
        assert public.release(connection, toy.CITY) > 1
        assert connection.execute(query).fetchall() == before != []
