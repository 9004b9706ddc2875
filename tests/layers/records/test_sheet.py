"""Columns as a file, a feed or a form gave them, read as what a field asks for."""

import pyarrow as pa
import pytest

from layers.records.sheet import Sheet


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        (" 7 ", 7),
        ("", None),
        ("5.0", None),
        ("x", None),
        ("+", None),
        ("9" * 19, None),
    ],
)
def test_a_whole_number_is_read_with_its_sign_and_what_is_none_is_noted(written, number):
    values, unreadable = Sheet(1, {"layer": pa.array([written])}).whole("layer")
    assert values.to_pylist() == [number]
    assert unreadable.tolist() == [number is None and written != ""]
