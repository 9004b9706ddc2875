from hypothesis import given
from hypothesis import strategies as st

from etl.readers.push import read_push

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


def test_values_are_text_as_json_wrote_them():
    reading = read_push([{"a": "x", "b": 5, "c": 5.5}, {"a": None, "b": True, "c": 1}], ["a", "b", "c"], "00")
    (raw,) = reading.batches
    assert raw.table.to_pydict() == {"a": ["x", None], "b": ["5", "true"], "c": ["5.5", "1"]}
    assert (raw.rows.tolist(), reading.sha256) == ([1, 2], "00")


@given(PLAIN, st.lists(PLAIN))
def test_a_value_is_the_same_text_whatever_comes_with_it(value, others):
    (alone,) = read_push([{"a": value}], ["a"], "").batches
    (among,) = read_push([{"a": value}, *({"a": other} for other in others)], ["a"], "").batches
    assert among.table.column("a")[0] == alone.table.column("a")[0]
