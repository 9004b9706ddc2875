"""Stores against events counted one at a time, built, grown and folded."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.core.errors import HeatStoreError
from layers.geo import hexgrid
from layers.heat.store import build
from layers.heat.store.checksum import events_checksum
from layers.heat.store.events import Plane
from layers.heat.store.kernels import BLOCK_BITS
from layers.heat.store.reader import Reader
from layers.heat.store.writer import Writer
from tests.layers.heat.store.stores import (
    FIRST,
    LAYERS,
    NOTHING,
    PLANES,
    SPAN_S,
    answered,
    changes,
    counted,
    events,
    every_block,
    joined,
    scattered,
    state,
    taken,
)

pytestmark = pytest.mark.usefixtures("short_parts")


bounds = st.lists(st.integers(FIRST - 100, FIRST + SPAN_S + 100), min_size=2, max_size=8, unique=True).map(
    lambda found: np.array(sorted(found)[: len(found) // 2 * 2]).reshape(-1, 2)
)
weights = st.fixed_dictionaries({plane: st.integers(0, 2**40) for plane in PLANES})


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60), st.booleans()), max_size=4),
    questions=st.lists(st.tuples(st.sampled_from(range(3)), bounds, weights), min_size=1, max_size=6),
)
def test_any_window_of_a_store_that_grew_is_what_its_events_count(tmp_path_factory, seed, steps, questions):
    folder = tmp_path_factory.mktemp("heat")
    known = events(400, seed)
    rng = np.random.default_rng(seed)
    with Writer(folder, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        reader = Reader(folder)
        for number, (come, go, folds) in enumerate(steps, 2):
            came = events(come, seed + number)
            leave = rng.permutation(len(known))[: min(go, len(known))]
            ours.append(changes(came, taken(known, leave)), state(number))
            known = joined(taken(known, np.setdiff1d(np.arange(len(known)), leave)), came)
            if folds:
                ours.fold()
            assert reader.store().manifest.state.seq == number
        for layer, windows, weight in questions:
            expected = counted(known, layer, windows, weight)
            assert answered(reader.store(), LAYERS[layer], windows, weight) == expected


def test_the_entries_of_some_blocks_have_their_sums_whatever_others_there_are(tmp_path):
    """A city of many blocks, the last of which is not full, that grows beyond it."""
    known, came = scattered(9000, 1), scattered(2500, 2)
    gone = np.arange(0, 9000, 7)
    rng = np.random.default_rng(3)
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        before = len(ours.store.entries) >> BLOCK_BITS
        ours.append(changes(came, taken(known, gone)), state(2))
        stores = [ours.store]
        ours.fold()
        stores.append(ours.store)
        assert ours.digest() > 0
    rest = joined(taken(known, np.setdiff1d(np.arange(9000), gone)), came)
    for store in stores:
        every = every_block(store)
        assert 2 < before < every[-1]
        entry = store.entries.find(rest.cell, rest.area)
        for _ in range(60):
            blocks = np.sort(rng.choice(every, rng.integers(1, len(every) + 1), replace=False))
            windows = np.sort(rng.integers(-100, SPAN_S + 100, 2 * rng.integers(1, 4))).reshape(-1, 2)
            windows += FIRST - store.base.origin
            weight = np.zeros(256, np.int64)
            weight[: len(PLANES)] = rng.integers(0, 9, len(PLANES))
            t = rest.t - store.base.origin
            inside = ((windows[:, :1] <= t) & (t < windows[:, 1:])).any(axis=0) & (rest.zones & 1 == 1)
            one, of = store.layer("school"), np.isin(np.arange(len(store.entries)) >> BLOCK_BITS, blocks)
            expected = np.bincount(entry, weight[rest.plane] * inside, len(store.entries))
            assert np.array_equal(one.sums(windows, weight, blocks)[of], expected[of])
            end = int(windows[-1, 1])
            factor = 0.5 ** (np.maximum(end - t, 0) / 500)
            aged = np.bincount(entry, weight[rest.plane] * inside * factor, len(store.entries))
            np.testing.assert_allclose(one.decayed(windows, weight, blocks, end, 500.0)[of], aged[of], atol=1e-9)


def test_a_store_built_from_many_partitions_in_any_order_is_the_same_as_from_one(tmp_path, monkeypatch):
    whole = events(3000, 1)
    by_time = [taken(whole, np.flatnonzero(whole.t // 700 == step)) for step in np.unique(whole.t // 700)]
    coarse = hexgrid.parent(whole.cell, 8)
    by_cell = [taken(whole, np.flatnonzero(coarse == cell)) for cell in np.unique(coarse)]
    said = []
    for number, partitions in enumerate(([whole], by_time, by_time[::-1], by_cell)):
        monkeypatch.setattr(build, "_ALONE", 500 if number == 3 else 10_000)  # the last by several processes
        folder = tmp_path / str(number)
        with Writer(folder, LAYERS) as ours:
            ours.rebuild(partitions, PLANES, state())
            store = ours.store
        logged = [part for layer in LAYERS for part in store.layer(layer).logged.parts]
        arrays = [array for part in logged for array in (part.bounds, part.t, part.key, part.counts)]
        said.append((store.base.origin, store.entries.cell, store.entries.area, *arrays))
    assert len(by_time) > 5
    assert len(by_cell) > 2
    for other in said[1:]:
        assert all(np.array_equal(one, two) for one, two in zip(said[0], other, strict=True))


def test_a_store_that_grew_and_was_folded_has_the_log_of_one_that_is_built_anew(tmp_path):
    early, late = events(900, 1), events(700, 2, first=FIRST - 2000)
    gone = np.arange(0, 900, 3)
    with Writer(tmp_path / "grown", LAYERS) as ours:
        ours.rebuild([early], PLANES, state())
        ours.append(changes(late, taken(early, gone)), state(2))
        unfolded = ours.digest()
        ours.fold()
        assert ours.digest() == unfolded
        grown = _decoded(ours.store)
    rest = joined(taken(early, np.setdiff1d(np.arange(900), gone)), late)
    with Writer(tmp_path / "built", LAYERS) as ours:
        ours.rebuild([rest], PLANES, state())
        assert ours.digest() == unfolded
        assert _decoded(ours.store) == grown


def _decoded(store):
    """Every event of every layer by what it means, sorted."""
    found = {}
    for layer in store.base.layers:
        log = np.concatenate([part.log for part in store.layer(layer).logged.parts])
        t = (log >> np.uint64(32)).astype(np.int64) + store.base.origin
        plane, entry = (log >> np.uint64(24)) & np.uint64(255), log & np.uint64(0xFFFFFF)
        planes = [store.manifest.planes[number] for number in plane]
        rows = zip(t, store.entries.cell[entry], store.entries.area[entry], planes, strict=True)
        found[layer] = sorted((int(t), int(cell), int(area), str(plane)) for t, cell, area, plane in rows)
    return found


def test_an_event_that_goes_without_having_come_is_refused_when_folded(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(100, 3)], PLANES, state())
        ours.append(changes(NOTHING, events(1, 99)), state(2))
        with pytest.raises(HeatStoreError, match="never had"):
            ours.fold()
        assert ours.state.seq == 2


def test_events_decay_by_half_for_each_half_life_before_the_end(tmp_path):
    known, came = events(600, 5), events(50, 6)
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        ours.append(changes(came, taken(known, np.arange(20))), state(2))
        store = ours.store
    present = joined(taken(known, np.arange(20, 600)), came)
    windows = np.array([[FIRST + 10, FIRST + 900], [FIRST + 1000, FIRST + 4000]])
    end, half = FIRST + 4500, 777.0
    weight = np.zeros(256, np.int64)
    weight[:3] = (1, 0, 5)
    origin, blocks = store.base.origin, every_block(store)
    sums = store.layer("school").decayed(windows - origin, weight, blocks, end - origin, half)
    expected = Counter()
    for t, cell, area, plane, zones in zip(
        present.t, present.cell, present.area, present.plane, present.zones, strict=True
    ):
        if any(start <= t < stop for start, stop in windows) and zones & 1:
            expected[int(cell), int(area)] += (1, 0, 5)[plane] * 0.5 ** ((end - t) / half)
    ours = {(int(c), int(a)): v for c, a, v in zip(store.entries.cell, store.entries.area, sums, strict=True) if v}
    assert ours.keys() == {key for key, value in expected.items() if value}
    assert all(ours[key] == pytest.approx(expected[key], rel=1e-12) for key in ours)


def test_an_empty_city_has_a_store_that_grows(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([NOTHING], PLANES, state())
        everything = np.array([[0, 2**32 - 1]])
        assert answered(ours.store, "all", everything, dict.fromkeys(PLANES, 1)) == Counter()
        known = events(500, 8)
        ours.append(changes(known, NOTHING), state(2))
        expected = counted(known, 0, everything, dict.fromkeys(PLANES, 1))
        assert answered(ours.store, "all", everything, dict.fromkeys(PLANES, 1)) == expected
        ours.fold()
        assert answered(ours.store, "all", everything, dict.fromkeys(PLANES, 1)) == expected
        assert not Reader(tmp_path).store().layer("all").changes.size


def test_an_event_earlier_than_a_store_can_count_is_refused_and_changes_nothing(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(10, 1)], PLANES, state())
        with pytest.raises(HeatStoreError, match="outside the time"):
            ours.append(changes(events(1, 2, first=-2_000_000_000), NOTHING), state(2))
        assert ours.state.seq == 1
    with Writer(tmp_path / "long", LAYERS) as ours, pytest.raises(HeatStoreError, match="more years"):
        ours.rebuild([events(1, 1, first=-2_208_988_800), events(1, 1, first=2_200_000_000)], PLANES, state())


def test_a_plane_that_comes_later_is_counted_from_then_on(tmp_path):
    known, came = events(300, 1), events(40, 2)
    theft_by_patrol = Plane("theft", patrol=True)
    planes = (theft_by_patrol, PLANES[1], PLANES[0])
    everything = np.array([[0, 2**32 - 1]])
    weight = {PLANES[0]: 1, PLANES[1]: 10, PLANES[2]: 100, theft_by_patrol: 1000}
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        ours.append(changes(came, NOTHING, planes), state(2))
        expected = counted(known, 0, everything, weight) + counted(came, 0, everything, weight, planes)
        assert answered(ours.store, "all", everything, weight) == expected
        ours.fold()
        assert answered(ours.store, "all", everything, weight) == expected


def test_windows_of_one_second_hold_what_happened_in_it(tmp_path):
    """At the ends of parts, and where something came or went."""
    known, came = events(900, 4), events(40, 5)
    gone = np.arange(0, 900, 50)
    weight = dict.fromkeys(PLANES, 1)
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        ours.append(changes(came, taken(known, gone)), state(2))
        store = ours.store
    present = joined(taken(known, np.setdiff1d(np.arange(900), gone)), came)
    ends = [part.log[[0, -1]] for part in store.layer("all").logged.parts]
    moved = np.concatenate([*ends, store.layer("all").changes[:, 0]])
    for second in np.unique((moved >> np.uint64(32)).astype(np.int64) + store.base.origin).tolist():
        windows = np.array([[second - 9, second - 8], [second, second + 1], [second + 8, second + 9]])
        for some in (windows, windows[1:2]):
            assert answered(store, "all", some, weight) == counted(present, 0, some, weight)


def test_incidents_that_move_between_zone_types_change_only_the_stores_of_these(tmp_path):
    known = events(600, 4)
    moved = taken(known, np.flatnonzero(known.zones == 1)[:50])
    after = taken(moved, np.arange(len(moved)))
    after.zones[:] = 2
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        before = ours.store.base.layers
        ours.append(changes(after, moved), state(2))
        assert ours.store.manifest.changed == {"all": 0, "school": 50, "market": 50}
        ours.fold()
        layers = ours.store.base.layers
        assert layers["all"] == before["all"]
        assert layers["market"].parts != before["market"].parts
        assert ours.digest() == events_checksum(
            joined(taken(known, ~np.isin(np.arange(600), np.flatnonzero(known.zones == 1)[:50])), after), PLANES, 3
        )
