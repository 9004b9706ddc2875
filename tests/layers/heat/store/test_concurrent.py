"""One writer and four readers in processes of their own: no answer mixes two moments."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

from layers.heat.store import parts, writer
from layers.heat.store.reader import Reader
from layers.heat.store.writer import Writer
from tests.layers.heat.store.stores import (
    FIRST,
    LAYERS,
    NOTHING,
    PLANES,
    SPAN_S,
    changes,
    events,
    every_block,
    joined,
    state,
    taken,
)

SECONDS = float(os.environ.get("ONEMAP_CONCURRENT_S", "60"))
READERS = 4
EVERYTHING = np.array([[0, 2**32 - 1]])


def _write(folder: Path, until: float, result) -> None:
    """Append, take back, fold and rebuild at random; a state's number is that of its events, in each of two layers."""
    parts._LEAST_EVENTS, writer.FOLD_AT = 500, 3000
    rng = np.random.default_rng(1)
    known, rounds = _paired(events(2000, 0)), 0
    with Writer(folder, LAYERS) as ours:
        ours.rebuild([known], PLANES, state(len(known)))
        while time.monotonic() < until:
            rounds += 1
            came = _paired(events(int(rng.integers(0, 400)), rounds, first=FIRST + int(rng.integers(-3000, 3000))))
            gone = np.repeat(rng.random(len(known) // 2) < 0.1, 2)
            went, known = taken(known, gone), joined(taken(known, ~gone), came)
            if rounds % 40 == 0:
                ours.rebuild([known], PLANES, state(len(known)))
                continue
            ours.append(changes(came, went), state(len(known)))
            if ours.full or rounds % 7 == 0:
                ours.fold()
    result.put(("writer", rounds, ""))


def _paired(one):
    """Each event twice: once of a school and once of a market."""
    twice = taken(one, np.repeat(np.arange(len(one)), 2))
    twice.zones[:] = np.tile(np.array([1, 2], np.uint32), len(one))
    return twice


def _read(folder: Path, until: float, seed: int, result) -> None:
    """Ask for all time, and for all time in two pieces; everything has to add up to what the moment says."""
    rng = np.random.default_rng(seed)
    reader, asked, seen = Reader(folder), 0, set()
    weight = np.zeros(256, np.int64)
    weight[: len(PLANES)] = 1

    def torn(store) -> str:
        total = store.manifest.state.seq
        seen.add(total)
        middle = FIRST + int(rng.integers(-3000, SPAN_S)) - store.base.origin
        blocks = every_block(store)
        pieces = ([[0, middle]], [[middle, 2**32 - 1]])
        for layer, share in zip(LAYERS, (1, 2, 2), strict=True):
            one = store.layer(layer)
            whole = one.sums(EVERYTHING, weight, blocks)
            both = sum(one.sums(np.array(piece), weight, blocks) for piece in pieces)
            if whole.sum() * share != total or not np.array_equal(whole, both) or whole.min(initial=0) < 0:
                return f"{layer}: {whole.sum()} events where the moment says {total}"
        return ""

    while time.monotonic() < until:
        asked += 1
        if problem := reader.ask(torn):
            result.put(("reader", asked, problem))
            return
    result.put(("reader", asked if len(seen) > 3 else 0, ""))


def test_readers_never_see_a_torn_store_while_one_writes(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([NOTHING], PLANES, state(0))
    spawn = multiprocessing.get_context("spawn")
    result = spawn.Queue()
    until = time.monotonic() + SECONDS + 3
    workers = [spawn.Process(target=_write, args=(tmp_path, until, result))]
    workers += [spawn.Process(target=_read, args=(tmp_path, until, seed, result)) for seed in range(READERS)]
    for worker in workers:
        worker.start()
    said = [result.get(timeout=SECONDS + 60) for _ in workers]
    for worker in workers:
        worker.join()
    assert [problem for *_, problem in said if problem] == []
    assert all(rounds > 20 for _, rounds, _ in said)
