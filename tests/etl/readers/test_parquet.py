import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.readers.base import BATCH_ROWS
from etl.readers.parquet import read_parquet
from layers.core.errors import MissingColumn, UnreadableFile


def file(folder, columns, **options):
    path = folder / "f.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_columns_asked_for_come_with_their_types(tmp_path):
    day = dt.datetime(2025, 1, 2, tzinfo=dt.UTC)
    path = file(
        tmp_path, {"a": pa.array([1, None], pa.int16()), "b": ["x", "y"], "c": [1.5, 2.5], "d": [day, None]}
    )
    raw = read_parquet(path, ["c", "a", "d"]).whole()
    assert raw.table.to_pydict() == {"c": [1.5, 2.5], "a": [1, None], "d": [day, None]}
    assert raw.table.schema.field("a").type == pa.int16()


def test_no_column_enters_whose_name_only_begins_like_one_asked_for(tmp_path):
    path = file(tmp_path, {"a": [1], "a.phone": ["138"]})
    assert read_parquet(path, ["a"]).whole().table.column_names == ["a"]


def test_one_long_row_group_comes_in_batches_that_say_how_far_they_are(tmp_path):
    count = 2 * BATCH_ROWS + 1
    path = file(tmp_path, {"a": np.arange(1, count + 1)}, row_group_size=count)
    batches = list(read_parquet(path, ["a"]).batches)
    assert [len(batch) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]
    assert all(np.array_equal(batch.table["a"].to_numpy(), batch.rows) for batch in batches)
    assert batches[-1].through == 1
    assert batches[0].through < 0.5


def test_dictionaries_come_as_their_values(tmp_path):
    words = pa.array(["x", None, "x"]).dictionary_encode()
    raw = read_parquet(file(tmp_path, {"a": words}), ["a"]).whole()
    assert raw.table["a"].type == pa.string()
    assert raw.table["a"].to_pylist() == ["x", None, "x"]


def test_a_file_without_rows_is_one_batch_without_rows(tmp_path):
    (batch,) = read_parquet(file(tmp_path, {"a": pa.array([], pa.int64())}), ["a"]).batches
    assert (len(batch), batch.table.column_names) == (0, ["a"])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "cannot be read"), (b"a,b\n1,2\n", "cannot be read"), (b"PAR1" * 20, "cannot be read")],
)
def test_what_is_no_parquet_is_named(tmp_path, content, said):
    (tmp_path / "f.parquet").write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"f\.parquet: this Parquet {said}"):
        read_parquet(tmp_path / "f.parquet", ["a"])


def test_a_truncated_parquet_is_named(tmp_path):
    path = file(tmp_path, {"a": list(range(1000))})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableFile, match=r"f\.parquet: this Parquet cannot be read"):
        read_parquet(path, ["a"])


def test_a_page_that_is_damaged_is_named_with_the_row_before_it(tmp_path):
    count = 2 * BATCH_ROWS
    path = file(tmp_path, {"a": np.arange(count)}, row_group_size=BATCH_ROWS, use_dictionary=False)
    second = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[second : second + 5000] = bytes(5000)
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"cannot be read after row {BATCH_ROWS}: "):
        read_parquet(path, ["a"]).whole()


@pytest.mark.parametrize("column", [[[1], [2]], [{"x": 1}, {"x": 2}]])
def test_a_nested_column_is_refused_by_name(tmp_path, column):
    path = file(tmp_path, {"a": column, "b": [1, 2]})
    with pytest.raises(UnreadableFile, match=r"column 'a' holds (list|struct)") as caught:
        read_parquet(path, ["a"])
    assert caught.value.context["column"] == "a"
    assert len(read_parquet(path, ["b"]).whole()) == 2


@pytest.mark.parametrize("stored", [lambda column: column, lambda column: column.dictionary_encode()])
def test_text_that_is_no_utf8_is_refused(tmp_path, stored):
    wild = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(UnreadableFile, match=r"cannot be read.*UTF"):
        read_parquet(file(tmp_path, {"a": stored(wild)}), ["a"]).whole()


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(MissingColumn, match="no column 'lat'; it has a"):
        read_parquet(file(tmp_path, {"a": [1]}), ["lat"])
