import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etl.readers import delimited
from etl.readers.base import BATCH_ROWS
from etl.readers.delimited import read_csv
from layers.core.errors import MissingColumn, UnreadableFile

VALUES = st.text(st.characters(codec="gb2312", exclude_characters="\0\r"), max_size=5)


def file(folder, content):
    path = folder / "f.csv"
    path.write_bytes(content)
    return path


def whole(path, columns, **options):
    return read_csv(path, columns, **options).whole()


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 64)


def test_every_value_is_text_of_only_the_columns_asked_for_and_empty_is_missing(tmp_path):
    raw = whole(file(tmp_path, b"a,secret,b\n007,x,\n1e5,y,true\n"), ["b", "a"])
    assert raw.table.to_pydict() == {"b": [None, "true"], "a": ["007", "1e5"]}
    assert raw.rows.tolist() == [1, 2]


def test_a_reading_knows_its_bytes_and_its_encoding(tmp_path):
    reading = read_csv(file(tmp_path, "a\n中\n".encode("gb18030")), ["a"])
    assert reading.told == {"encoding": "GB18030"}
    assert len(reading.sha256) == 64


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_same_text_reads_the_same_in_every_encoding(tmp_path, codec):
    raw = whole(file(tmp_path, '编号,b\n"x\ny",1\n中𠮷,2\n'.encode(codec)), ["编号", "b"])
    assert raw.table.to_pydict() == {"编号": ["x\ny", "中𠮷"], "b": ["1", "2"]}


def test_a_file_that_another_program_wrote_in_gb18030_is_read():
    reading = read_csv(Path(__file__).parent / "fixtures" / "calls_gb18030.csv", ["编号", "代码", "备注"])
    assert reading.told == {"encoding": "GB18030"}
    assert reading.whole().table.to_pydict() == {
        "编号": ["1", "2", None, "3"],
        "代码": ["441602", "0441602", None, "441603"],
        "备注": ["路灯不亮", "#N/A", None, "#DIV/0!"],
    }


def test_tabs_delimit_where_they_are_said_to(tmp_path):
    assert whole(file(tmp_path, b"a\tb\n1,5\tx\n"), ["a"], delimiter="\t").table["a"].to_pylist() == ["1,5"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_way_blank_ones_are_no_rows_and_the_last_may_stay_open(tmp_path, ending):
    raw = whole(file(tmp_path, ending.join([b"a,b", b"", b"1,x", b"", b"2,y"])), ["a"])
    assert (raw.table["a"].to_pylist(), raw.rows.tolist()) == (["1", "2"], [1, 2])


def test_a_line_of_another_width_is_a_broken_row_and_the_rows_after_it_keep_their_numbers(tmp_path):
    raw = whole(file(tmp_path, b'a,b\n1,x\n2\n3,x\n4,"x\n\nx",y\n5,x\n6\n'), ["a"])
    assert raw.table["a"].to_pylist() == ["1", "3", "5"]
    assert raw.rows.tolist() == [1, 3, 5]
    assert raw.broken == [
        (2, "1 values where 2 are needed"),
        (4, "3 values where 2 are needed; a quote in it spans 3 lines"),
        (6, "1 values where 2 are needed"),
    ]


def test_a_header_that_comes_again_is_a_broken_row(tmp_path):
    raw = whole(file(tmp_path, b"a,b\n1,x\na,b\na,x\n"), ["a", "b"])
    assert raw.rows.tolist() == [1, 3]
    assert raw.broken == [(2, "this is the header again")]


@pytest.mark.usefixtures("small_blocks")
@given(st.lists(st.booleans(), max_size=100))
def test_every_row_is_read_or_broken_with_its_number_wherever_blocks_end(tmp_path_factory, fits):
    lines = [f"{n},x" if good else f"{n}" for n, good in enumerate(fits, 1)]
    raw = whole(file(tmp_path_factory.mktemp("t"), "\n".join(["a,b", *lines]).encode()), ["a"])
    assert raw.table["a"].to_pylist() == [str(n) for n in raw.rows]
    assert raw.rows.tolist() == [n for n, good in enumerate(fits, 1) if good]
    assert [n for n, _ in raw.broken] == [n for n, good in enumerate(fits, 1) if not good]


def mostly_utf8(content):
    """Whether most of what is not ASCII in it could be UTF-8 by chance."""
    found = [sign for sign in content.decode("utf-8", "replace") if not sign.isascii()]
    return 2 * found.count("\N{REPLACEMENT CHARACTER}") < len(found)


@given(st.lists(st.tuples(VALUES, VALUES)), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_what_another_program_quotes_comes_back(tmp_path_factory, rows, codec):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("编号", "b"), *rows])
    content = text.getvalue().encode(codec)
    assume(codec != "gb18030" or not mostly_utf8(content))  # it would be taken for UTF-8 that is broken
    table = whole(file(tmp_path_factory.mktemp("t"), content), ["编号", "b"]).table
    assert list(zip(table["编号"].to_pylist(), table["b"].to_pylist(), strict=True)) == [
        (a or None, b or None) for a, b in rows
    ]


def test_a_long_file_comes_in_batches_of_bounded_size_that_say_how_far_they_are(tmp_path):
    lines = [f"{n}\n" if n % 40_000 == 0 else f"{n},x\n" for n in range(1, 2_000_001)]
    batches = list(read_csv(file(tmp_path, ("a,b\n" + "".join(lines)).encode()), ["a"]).batches)
    assert max(len(batch) for batch in batches) == BATCH_ROWS
    assert all(np.array_equal(batch.table["a"].to_numpy().astype(int), batch.rows) for batch in batches)
    assert [number for batch in batches for number, _ in batch.broken] == list(range(40_000, 2_000_001, 40_000))
    assert sum(len(batch) for batch in batches) == 2_000_000 - 50
    through = [batch.through for batch in batches]
    assert (through, through[-1]) == (sorted(through), 1)
    assert through[0] < 1


def test_a_header_alone_is_one_batch_without_rows(tmp_path):
    for content in (b"a,b", b"a,b\n\n"):
        (batch,) = read_csv(file(tmp_path, content), ["b"]).batches
        assert batch.table.to_pydict() == {"b": []}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no header line"),
        (b"\n\n", "there is no header line"),
        (b"a,b,a\n1,2,3\n", "column 'a' stands 2 times"),
        (b"1,\xff\n", "line 1 is not UTF-8"),
        (b'a,b\n1,x\n2,"x\n3,x\n', "row 2: a quote is never closed, as if the file were truncated"),
        (b'a,b\n1,x\n2,x,"x\n3,x', "row 2: a quote is never closed"),
        (b"PK\x03\x04\x14\x00\x06\x00", "this is no text"),
    ],
)
def test_csv_that_cannot_be_read_is_named(tmp_path, content, said):
    with pytest.raises(UnreadableFile, match=said) as caught:
        whole(file(tmp_path, content), ["a", "b"])
    assert str(caught.value).startswith(f"{tmp_path}/f.csv: ")


@pytest.mark.usefixtures("small_blocks")
def test_a_quote_that_swallows_more_than_a_block_is_named_with_the_row_before_it(tmp_path):
    with pytest.raises(UnreadableFile, match=r"after row \d: a line is longer than .* never closed"):
        whole(file(tmp_path, b"a,b\n" + b"1,x\n" * 5 + b'2,"x\n' + b"3,x\n" * 50), ["a"])


def test_a_file_whose_every_line_is_broken_is_broken_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_MOST_BROKEN", 3)
    assert whole(file(tmp_path, b"a,b\n1;2\n1;2\n"), ["a"]).broken[1] == (2, "1 values where 2 are needed")
    with pytest.raises(UnreadableFile, match="Expected 2 columns, got 1"):
        whole(file(tmp_path, b"a,b\n1;2\n1;2\n1;2\n"), ["a"])


def test_csv_without_a_column_names_it(tmp_path):
    with pytest.raises(MissingColumn, match="no column 'lat'; it has a, b"):
        read_csv(file(tmp_path, b"a,b\n1,2\n"), ["a", "lat"])
