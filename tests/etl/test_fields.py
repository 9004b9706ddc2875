import numpy as np
import pyarrow as pa
import pytest

from etl.fields import sheet
from etl.readers.base import RawFrame
from layers.records.sheet import plain
from tests.workshop import INCIDENTS

COLUMNS = INCIDENTS["columns"]


@pytest.fixture
def fields(shop):
    def made(changes=None, **columns):
        table = pa.table(columns)
        changes = {"columns": COLUMNS, "attributes": {}} | (changes or {})
        there = {field: name for field, name in changes["columns"].items() if name in columns}
        source = shop.source(INCIDENTS, **changes).model_copy(update={"columns": there})
        return sheet(RawFrame(table, np.arange(1, len(table) + 1)), source)

    return made


def test_text_is_trimmed_and_empty_text_is_missing(fields):
    assert fields(kind=[" noise ", "", " \u3000", None]).text("category").to_pylist() == [
        "noise",
        None,
        None,
        None,
    ]


def test_source_values_become_codes_and_others_stay(fields):
    coded = fields({"values": {"category": {"Lärm": "noise", "7": "theft"}}}, kind=["Lärm", "theft", None])
    assert coded.text("category").to_pylist() == ["noise", "theft", None]
    numbered = fields({"values": {"category": {"Lärm": "noise", "7": "theft"}}}, kind=[7, 8])
    assert numbered.text("category").to_pylist() == ["theft", "8"]


def test_a_constant_fills_every_row_and_a_field_that_is_not_declared_is_missing(fields):
    made = fields(kind=["a", "b"])
    assert made.text("origin").to_pylist() == ["citizen", "citizen"]
    assert made.text("recorded_at").to_pylist() == [None, None]


def test_numbers_are_read_from_text_and_from_numbers(fields):
    values, unreadable = fields(lon=["1.5", "-2e1", "+.5", " 7 ", "", "1,5", "nan", "0x1", "１"]).number("lon")
    np.testing.assert_array_equal(values[:5], [1.5, -20, 0.5, 7, np.nan])
    assert unreadable.tolist() == [False] * 5 + [True] * 4
    values, unreadable = fields(lon=pa.array([1, None], pa.int32())).number("lon")
    np.testing.assert_array_equal(values, [1, np.nan])
    assert not unreadable.any()


def test_truth_is_read_from_words_and_numbers(fields):
    changes = {"columns": INCIDENTS["columns"] | {"closed_at": "b"}}
    values, unreadable = fields(changes, b=["true", "False", "1", "0", None, "yes"]).truth("closed_at")
    assert values.tolist() == [True, False, True, False, False, False]
    assert unreadable.tolist() == [False] * 5 + [True]
    values, unreadable = fields(changes, b=[True, False]).truth("closed_at")
    assert values.tolist() == [True, False]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1], pa.uint8()), pa.int64()),
        (pa.array([1.0], pa.float32()), pa.float64()),
        (pa.array([1], pa.timestamp("ns")), pa.timestamp("us")),
        (pa.array([1], pa.timestamp("s", "Asia/Shanghai")), pa.timestamp("us", "UTC")),
        (pa.array([1], pa.date32()), pa.timestamp("us")),
        (pa.array(["x"]).dictionary_encode(), pa.string()),
        (pa.array(["x"], pa.large_string()), pa.string()),
        (pa.array([2**64 - 1], pa.uint64()), pa.string()),
        (pa.array([None]), pa.string()),
    ],
)
def test_a_plain_column_is_of_the_widest_type_of_its_kind(column, kind):
    assert plain(column).type == kind
