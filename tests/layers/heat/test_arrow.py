"""Heat as Arrow streams, read back as any client would."""

import base64
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core.errors import BadValue
from layers.heat.arrow import STEPS, cells_stream, frames_stream, quantised, set_id

FOLDER = Path(__file__).parents[2] / "golden"
GOLDEN = json.loads((FOLDER / "quantised.json").read_text("utf-8"))
STREAMS = json.loads((FOLDER / "cells.json").read_text("utf-8"))
ABOUT = {"layer": "all", "unit": "incidents", "title": "全部"}
MOST = 2**32 - 1

heats = st.dictionaries(st.integers(2**59, 2**60 - 1), st.integers(0, MOST), max_size=50)
film = st.integers(0, 20).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, MOST), min_size=n, max_size=n), max_size=6)
)


def _read(body):
    with pa.ipc.open_stream(body) as stream:
        batches = list(stream)
        return stream.schema, [batch.to_pydict() for batch in batches]


def _text(schema):
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


@given(heats)
def test_cells_come_back_bit_for_bit_in_one_batch_with_what_is_said_of_them(heat):
    cell = np.array(sorted(heat), np.uint64)
    value = np.array([heat[each] for each in cell.tolist()], np.int64)
    schema, batches = _read(cells_stream(cell, value, ABOUT))
    assert batches == [{"cell": sorted(heat), "value": value.tolist()}]
    assert [(field.name, field.type) for field in schema] == [("cell", pa.uint64()), ("value", pa.uint32())]
    assert _text(schema) == ABOUT


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case["what"])
def test_the_screens_are_tested_with_the_bytes_that_are_written(case):
    cell = np.array([int(text, 16) for text in case["cells"]], np.uint64)
    assert case["told"]["set"] == set_id(cell)
    body = cells_stream(cell, np.array(case["values"], np.int64), case["told"])
    assert base64.b64encode(body).decode() == case["stream"]


@given(film)
def test_exact_frames_come_back_bit_for_bit_one_batch_each(frames):
    body = frames_stream((np.array(frame, np.int64) for frame in frames), ABOUT, None, exact=True)
    schema, batches = _read(body)
    assert [batch["v"] for batch in batches] == frames
    assert [(field.name, field.type) for field in schema] == [("v", pa.uint32())]
    assert _text(schema) == ABOUT


@given(film, st.none() | st.integers(1, MOST))
def test_frames_are_the_quantised_values_on_one_scale_which_is_said(frames, top):
    body = frames_stream((np.array(frame, np.int64) for frame in frames), ABOUT, top, exact=False)
    schema, batches = _read(body)
    used = top or max([1, *(value for frame in frames for value in frame)])
    assert _text(schema) == ABOUT | {"scale": "sqrt", "top": str(used)}
    assert [(field.name, field.type) for field in schema] == [("v", pa.uint8())]
    assert [batch["v"] for batch in batches] == [
        quantised(np.array(frame, np.int64), used).tolist() for frame in frames
    ]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["what"])
def test_values_are_quantised_as_the_screens_do_it(case):
    assert quantised(np.array(case["values"], np.int64), case["top"]).tolist() == case["steps"]


def test_the_golden_values_tell_rounding_half_up_from_rounding_to_even():
    (halves,) = (case for case in GOLDEN if case["what"].startswith("halves"))
    place = np.sqrt(np.array(halves["values"]) / halves["top"]) * (STEPS - 1)
    assert (place % 1 == 0.5).all()
    to_even = np.round(place).astype(int)
    assert (np.array(halves["steps"]) - to_even == 1).sum() > 100


@given(st.lists(st.integers(0, MOST)), st.integers(1, MOST))
def test_a_step_is_nothing_for_nothing_and_grows_with_its_value(values, top):
    values.sort()
    steps = quantised(np.array(values, np.int64), top).tolist()
    assert steps == sorted(steps)
    for value, step in zip(values, steps, strict=True):
        assert (value == 0) == (step == 0)
        assert step == STEPS - 1 or value < top


def test_a_set_is_named_by_its_ids_in_their_order():
    cell = np.array([5, 2**60, 7], np.uint64)
    by_hand = hashlib.blake2b(struct.pack("<3Q", 5, 2**60, 7), digest_size=12).hexdigest()
    assert set_id(cell) == by_hand
    assert set_id(cell[::-1]) != by_hand
    assert set_id(np.array([5, 1, 2**60, 1, 7, 1], np.uint64)[::2]) == by_hand
    assert len(set_id(np.empty(0, np.uint64))) == 24


@pytest.mark.parametrize("value", [MOST + 1, -1])
def test_values_that_32_bits_do_not_hold_are_refused(value):
    column = np.array([1, value], np.int64)
    with pytest.raises(BadValue, match="do not fit"):
        cells_stream(np.array([1, 2], np.uint64), column, {})
    for exact in (True, False):
        with pytest.raises(BadValue, match="do not fit"):
            frames_stream([column], {}, 10, exact=exact)


@pytest.mark.parametrize("top", [0, -1])
def test_a_scale_that_ends_at_nothing_is_refused(top):
    with pytest.raises(BadValue, match="top: "):
        frames_stream([], {}, top, exact=False)


def test_a_set_without_heat_has_a_scale_that_ends_at_one():
    schema, batches = _read(frames_stream([np.zeros(3, np.int64)], {}, None, exact=False))
    assert _text(schema)["top"] == "1"
    assert batches == [{"v": [0, 0, 0]}]
