"""The files of a moment: who reads them, who switches them, and when they go."""

import numpy as np
import pytest

from layers.core.errors import Conflict, HeatNotReady, HeatStoreError
from layers.heat.store import writer
from layers.heat.store.checksum import events_checksum
from layers.heat.store.reader import Reader
from layers.heat.store.writer import Writer
from tests.layers.heat.store.stores import (
    LAYERS,
    NOTHING,
    PLANES,
    answered,
    changes,
    counted,
    events,
    joined,
    state,
)

pytestmark = pytest.mark.usefixtures("short_parts")


def test_a_folder_without_a_store_says_so(tmp_path):
    with pytest.raises(HeatNotReady, match="not built"):
        Reader(tmp_path).store()


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(10, 1)], PLANES, state())
        with pytest.raises(Conflict), Writer(tmp_path, LAYERS):
            pass
        assert Reader(tmp_path).store().manifest.state.seq == 1
    with Writer(tmp_path, LAYERS) as ours:
        assert ours.state.seq == 1


def test_stores_of_other_layers_or_another_form_are_built_anew_and_read_until_then(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(10, 1)], PLANES, state())
    with Writer(tmp_path, (*LAYERS, "harbour")) as ours:
        assert ours.state is None
        assert Reader(tmp_path).store().manifest.state.seq == 1
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format":3', '"format":2'), "utf-8")
    with Writer(tmp_path, LAYERS) as ours:
        assert ours.state is None
        with pytest.raises(HeatStoreError, match="another form"):
            Reader(tmp_path).store()
        ours.rebuild([events(10, 1)], PLANES, state(7))
        assert Reader(tmp_path).store().manifest.state.seq == 7


def test_what_comes_is_told_by_a_short_page_and_nothing_else_is_read_or_opened_anew(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(3000, 1)], PLANES, state())
        reader = Reader(tmp_path)
        before = reader.store()
        logged = before.layer("all").logged
        for seq in range(2, 5):
            ours.append(changes(events(1, seq), NOTHING), state(seq))
        after = reader.store()
        assert after.layer("all").changes.shape == (3, 2)
        assert (after.base, after.layer("all").logged) == (before.base, logged)
        assert (tmp_path / "manifest.json").stat().st_size < 1000 < (tmp_path / after.manifest.base).stat().st_size


def test_a_reader_finds_the_files_of_its_moment_for_one_switch_more(tmp_path):
    known = events(200, 1)
    everything = np.array([[0, 2**32 - 1]])
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        moment = Reader(tmp_path).store()
        ours.rebuild([events(50, 2)], PLANES, state(2))
        expected = counted(known, 1, everything, dict.fromkeys(PLANES, 1))
        assert answered(moment, "school", everything, dict.fromkeys(PLANES, 1)) == expected


def test_a_reader_whose_files_are_cleared_away_while_it_answers_answers_from_the_next_moment(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(200, 1)], PLANES, state())
        reader, tried = Reader(tmp_path), []

        def question(store):
            tried.append(store.manifest.state.seq)
            if len(tried) == 1:
                for seq in (2, 3):
                    ours.rebuild([events(200, seq)], PLANES, state(seq))
            return store.layer("market").changes.size

        assert reader.ask(question) == 0
        assert tried == [1, 3]


def test_files_that_no_store_of_now_or_just_before_leans_on_are_cleared_away(tmp_path):
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([events(200, 1)], PLANES, state())
        for seq in range(2, 8):
            ours.append(changes(events(20, seq), NOTHING), state(seq))
            ours.fold()
        ours.append(changes(events(1, 1), NOTHING), state(9))
        before = _files(ours.store)
        ours.fold()
        now = _files(ours.store)
        there = {path.name for path in tmp_path.iterdir()}
    assert there == before | now | {"manifest.json", "lock"}
    assert before != now
    (tmp_path / "leftover.log").write_bytes(b"of a crash")
    with Writer(tmp_path, LAYERS) as ours:
        ours.fold()
    assert not (tmp_path / "leftover.log").exists()


def _files(store):
    return store.base.files() | {store.manifest.base}


def test_what_a_broken_append_left_is_overwritten(tmp_path, monkeypatch):
    known, lost, came = events(300, 1), events(30, 2), events(20, 3)
    with Writer(tmp_path, LAYERS) as ours:
        ours.rebuild([known], PLANES, state())
        with monkeypatch.context() as broken:
            broken.setattr(writer.Manifest, "write", _fail)
            with pytest.raises(OSError, match="full"):
                ours.append(changes(lost, NOTHING), state(2))
    with Writer(tmp_path, LAYERS) as ours:
        ours.append(changes(came, NOTHING), state(3))
        assert ours.digest() == events_checksum(joined(known, came), PLANES, len(LAYERS))


def _fail(*_):
    raise OSError("the disk is full")
