from datetime import UTC, datetime

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.binary import HEADER, TRAILER, copy_stream, integers, points, rows, sql_type

COLUMNS = {
    "truth": (pa.bool_(), st.booleans()),
    "short": (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "middle": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "long": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "single": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "double": (pa.float64(), st.floats(allow_nan=False)),
    "instant": (pa.timestamp("us", "UTC"), st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC))),
    "local": (pa.timestamp("us"), st.datetimes()),
    "words": (pa.string(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    "bytes": (pa.binary(), st.binary()),
}
tables = st.lists(st.tuples(*(values | st.none() for _, values in COLUMNS.values())), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(tables)
def test_what_is_copied_is_what_the_database_reads(empty_url, found):
    columns = list(zip(*found, strict=True)) if found else [[] for _ in COLUMNS]
    table = pa.table(
        {name: pa.array(column, kind) for (name, (kind, _)), column in zip(COLUMNS.items(), columns, strict=True)}
    )
    with psycopg.connect(empty_url) as connection, connection.cursor(binary=True) as cursor:
        types = ", ".join(f"{name} {sql_type(kind)}" for name, (kind, _) in COLUMNS.items())
        cursor.execute(f"create temporary table copied (place serial, {types})")
        with cursor.copy(f"copy copied ({', '.join(COLUMNS)}) from stdin (format binary)") as copy:
            for chunk in copy_stream(table):
                copy.write(chunk)
        cursor.execute(f"select {', '.join(COLUMNS)} from copied order by place")
        assert cursor.fetchall() == found


def test_a_long_table_is_sent_in_pieces():
    header, *pieces, trailer = copy_stream(pa.table({"a": np.arange(70_000)}))
    assert (header, trailer) == (HEADER, TRAILER)
    assert [len(piece) // 14 for piece in pieces] == [32_768, 32_768, 4_464]


def test_points_are_ewkb_in_epsg_4326(empty_url):
    with psycopg.connect(empty_url) as connection:
        wkb = points(np.array([[114.5, -23.25]]))[0].as_py()
        found = connection.execute("select st_asewkt(%s::geometry)", [wkb]).fetchone()
    assert found == ("SRID=4326;POINT(114.5 -23.25)",)


@pytest.mark.parametrize(
    ("one", "other"),
    [(["ab", "c"], ["a", "bc"]), (["", "a"], ["a", ""]), ([None, "a"], ["", "a"]), (["a", None], ["a", ""])],
)
def test_rows_that_differ_have_different_bytes(one, other):
    made = rows([pa.array([a, b], pa.string()) for a, b in zip(one, other, strict=True)]).to_pylist()
    assert made[0] != made[1]


@pytest.mark.parametrize("count", [0, 1, 70_000])
def test_a_column_of_whole_numbers_is_read_back(empty_url, count):
    with psycopg.connect(empty_url) as connection, connection.cursor() as cursor:
        statement = (
            f"copy (select n * 1000000007 from generate_series(1, {count}::bigint) n) to stdout (format binary)"
        )
        with cursor.copy(statement) as copy:
            found = integers(b"".join(copy))
    np.testing.assert_array_equal(found, np.arange(1, count + 1) * 1_000_000_007)
