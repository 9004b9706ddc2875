import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.readers.tabular import read_csv, read_parquet
from layers.core.errors import MissingColumn, UnreadableFile


def csv(folder, content):
    path = folder / "f.csv"
    path.write_bytes(content)
    return path


def test_csv_is_text_with_only_the_columns_asked_for_and_empty_is_missing(tmp_path):
    raw = read_csv(csv(tmp_path, b"a,secret,b\n007,x,\n1e5,y,true\n"), ["b", "a"])
    assert raw.table.to_pydict() == {"b": [None, "true"], "a": ["007", "1e5"]}
    assert raw.rows.tolist() == [1, 2]
    assert len(raw.sha256) == 64


def test_csv_may_begin_with_a_byte_order_mark_and_hold_quoted_newlines(tmp_path):
    raw = read_csv(csv(tmp_path, '\ufeffa,b\n"x\ny",1\n中,2\n'.encode()), ["a", "b"])
    assert raw.table["a"].to_pylist() == ["x\ny", "中"]


def test_a_line_of_another_width_is_a_broken_row_and_the_rows_after_it_keep_their_numbers(tmp_path):
    raw = read_csv(csv(tmp_path, b"a,b\n1,x\n2\n3,x\n4,x,y\n5,x\n"), ["a"])
    assert raw.table["a"].to_pylist() == ["1", "3", "5"]
    assert raw.rows.tolist() == [1, 3, 5]
    assert raw.broken == [(2, "1 values where 2 are needed"), (4, "3 values where 2 are needed")]


def test_row_numbers_hold_across_the_blocks_of_a_long_file(tmp_path):
    lines = [f"{n}\n" if n % 40_000 == 0 else f"{n},x\n" for n in range(1, 200_001)]
    raw = read_csv(csv(tmp_path, ("a,b\n" + "".join(lines)).encode()), ["a"])
    assert [number for number, _ in raw.broken] == [40_000, 80_000, 120_000, 160_000, 200_000]
    assert np.array_equal(raw.table["a"].to_numpy().astype(int), raw.rows)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,é\n".encode("latin-1"), "not CSV in UTF-8"),
        (b"", "Empty CSV"),
        (b"a,b,a\n1,2,3\n", "stands 2 times"),
    ],
)
def test_csv_that_cannot_be_read_is_named(tmp_path, content, said):
    with pytest.raises(UnreadableFile, match=said) as caught:
        read_csv(csv(tmp_path, content), ["a", "b"])
    assert "f.csv" in str(caught.value)


def test_csv_without_a_column_names_it(tmp_path):
    with pytest.raises(MissingColumn, match="no column 'lat'; it has a, b"):
        read_csv(csv(tmp_path, b"a,b\n1,2\n"), ["a", "lat"])


def test_parquet_keeps_its_types(tmp_path):
    table = pa.table({"a": pa.array([1, None], pa.int16()), "b": ["x", "y"], "c": [1.5, 2.5]})
    pq.write_table(table, tmp_path / "f.parquet")
    raw = read_parquet(tmp_path / "f.parquet", ["c", "a"])
    assert raw.table.to_pydict() == {"c": [1.5, 2.5], "a": [1, None]}
    assert raw.table.schema.field("a").type == pa.int16()


def test_a_truncated_parquet_is_named(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableFile, match=r"f\.parquet: this Parquet cannot be read"):
        read_parquet(path, ["a"])


def test_a_parquet_column_of_lists_is_refused(tmp_path):
    pq.write_table(pa.table({"a": [[1], [2]]}), tmp_path / "f.parquet")
    with pytest.raises(UnreadableFile, match="column 'a' holds list"):
        read_parquet(tmp_path / "f.parquet", ["a"])


def test_parquet_text_that_is_no_utf8_is_refused(tmp_path):
    wild = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"a": wild}), tmp_path / "f.parquet")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_parquet(tmp_path / "f.parquet", ["a"])
