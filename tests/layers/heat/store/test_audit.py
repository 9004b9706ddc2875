"""What is wrong with a store is found by what its events and its counts say."""

import numpy as np
import pytest

from layers.core.errors import HeatStoreError
from layers.heat.store import parts
from layers.heat.store.checksum import events_checksum
from layers.heat.store.writer import Writer
from tests.layers.heat.store.stores import (
    LAYERS,
    PLANES,
    events,
    scattered,
    state,
)

pytestmark = pytest.mark.usefixtures("short_parts")


def test_the_checksum_is_that_of_the_events(tmp_path):
    known = events(500, 3)
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        assert ours.digest() == events_checksum(known, PLANES, len(LAYERS))


def test_counts_that_the_log_does_not_bear_out_are_found(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(500, 3)], PLANES, state())
        name = ours.store.base.layers["school"].parts[1].counts.file
    with (tmp_path / name).open("r+b") as file:
        file.seek(-4, 2)
        file.write((np.frombuffer((tmp_path / name).read_bytes()[-4:], np.uint32) + 1).tobytes())
    with Writer(tmp_path, LAYERS) as ours, pytest.raises(HeatStoreError, match="counts"):
        ours.digest()


@pytest.mark.parametrize("wrong", ["a block begins elsewhere", "times are swapped", "keys are swapped"])
def test_an_event_that_is_not_where_it_is_looked_for_is_found(tmp_path, wrong):
    """Neither the events nor their counts are others then."""
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([scattered(5000, 3)], PLANES, state())
        part = ours.store.base.layers["all"].parts[1]
    log = np.memmap(tmp_path / part.log.file, np.uint32, "r+", 4 * part.log.at)
    bounds, t, key = parts.apart(log[: part.blocks + 1 + 2 * part.events], part.blocks)
    if wrong == "a block begins elsewhere":
        bounds[1] += 1
    else:
        array = t if wrong == "times are swapped" else key
        array[[0, part.events - 1]] = array[[part.events - 1, 0]]
        array[:2] = array[:2][::-1] if wrong == "times are swapped" else array[:2]
    log.flush()
    with Writer(tmp_path, LAYERS) as ours, pytest.raises(HeatStoreError, match="not what its log says"):
        ours.digest()


def test_a_log_of_garbage_is_found_and_crashes_nobody(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(500, 3)], PLANES, state())
        name = ours.store.base.layers["all"].parts[0].log.file
    with (tmp_path / name).open("r+b") as file:
        file.seek(80)
        file.write(b"\xff" * 8)
    with Writer(tmp_path, LAYERS) as ours, pytest.raises(HeatStoreError, match="counts"):
        ours.digest()
