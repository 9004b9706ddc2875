from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.keys import digests, source_keys
from etl.readers.base import RawFrame

rows = st.tuples(st.sampled_from(["a", "b", ""]), st.integers(0, 2) | st.none(), st.sampled_from([0.5, 1.5, -0.0]))
files = st.lists(rows, max_size=30)


def raw(table, shapes=None):
    return RawFrame(table, np.arange(1, len(table) + 1), shapes=shapes)


def table(rows, number=None):
    a, b, c = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {"a": pa.array(a, pa.string()), "b": pa.array(b, number or pa.int64()), "c": pa.array(c, pa.float64())}
    )


def keys(table, key=(), shapes=None):
    source = SimpleNamespace(key=list(key), taken=sorted(table.column_names))
    return source_keys(raw(table, shapes), source).to_pylist()


@given(files, st.randoms())
def test_keys_by_content_do_not_depend_on_the_order_of_rows(rows, random):
    shuffled = rows[:]
    random.shuffle(shuffled)
    assert sorted(keys(table(rows))) == sorted(keys(table(shuffled)))


@given(files)
def test_keys_by_content_are_equal_where_rows_are(rows):
    found = keys(table(rows))
    assert len({*zip(found, map(repr, rows), strict=True)}) == len({*found}) == len({*map(repr, rows)})


@given(files)
def test_keys_by_content_do_not_depend_on_how_a_file_stores_its_values(rows):
    narrow = table(rows, pa.int8())
    narrow = narrow.set_column(0, "a", narrow["a"].dictionary_encode())
    assert keys(narrow.select(["c", "b", "a"])) == keys(table(rows))


@given(files, files)
def test_more_rows_of_other_content_change_no_key(rows, others):
    before = keys(table(rows))
    after = keys(table(rows + [other for other in others if other not in rows]))
    assert after[: len(rows)] == before


def test_geometry_is_content():
    two = pa.table({"a": ["x", "x"]})
    found = keys(two, shapes=np.array([shapely.Point(1, 2), shapely.Point(1, 3)]))
    assert found[0] != found[1]


def test_a_key_column_is_the_key_as_trimmed_text():
    assert keys(pa.table({"id": [" 7", "8"]}), ["id"]) == ["7", "8"]
    assert keys(pa.table({"id": pa.array([7, None], pa.int32())}), ["id"]) == ["7", None]


def test_several_key_columns_cannot_run_into_one_another():
    found = keys(pa.table({"a": ["x|y", "x", "x\\"], "b": ["z", "y|z", "|y"]}), ["a", "b"])
    assert found == ["x\\|y|z", "x|y\\|z", "x\\\\|\\|y"]


def test_a_key_with_a_missing_part_is_missing():
    assert keys(pa.table({"a": ["x", "x"], "b": ["y", None]}), ["a", "b"]) == ["x|y", None]


def test_digests_are_a_published_format():
    # BLAKE2b-128 of: int32 length, value; a missing value is the length -1. Changing it doubles every keyless source.
    found = digests([pa.array(["Köln"]), pa.array([7]), pa.array([None], pa.string())])
    assert found.to_pylist() == [bytes.fromhex("dbf2e71a9453bd109fc6fc823b78a5c0")]
