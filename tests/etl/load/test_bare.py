import pytest

from etl.load.bare import bare
from layers.core.db import connect
from tests.workshop import call

BUILT = """select indexname, indexdef from pg_indexes
where schemaname = 'onemap' and tablename = 'incident' order by indexname"""


def test_an_empty_table_is_bare_of_all_but_its_identity_and_dressed_and_counted_afterwards(town):
    with connect(town.url) as connection:
        before = connection.execute(BUILT).fetchall()
        with bare(connection):
            assert [row["indexname"] for row in connection.execute(BUILT)] == ["incident_pkey"]
        assert connection.execute(BUILT).fetchall() == before
        counted = "select reltuples from pg_class where oid = 'onemap.incident'::regclass"
        assert connection.execute(counted).fetchone() == {"reltuples": 0}  # -1 where nobody looked


def test_the_heat_stores_hear_once_of_a_table_that_was_filled_and_of_each_row_afterwards(town):
    town.load_tree()
    town.load_calls(call(1), call(2))
    assert town.rows("select sign from onemap.heat_delta") == [{"sign": 0}]
    town.load_calls(call(3))
    assert [row["sign"] for row in town.rows("select sign from onemap.heat_delta order by seq")] == [0, 1]


def test_a_try_that_comes_to_nothing_leaves_nothing_for_the_heat_stores(town):
    with connect(town.url) as connection:
        with pytest.raises(RuntimeError), connection.transaction(), bare(connection):
            raise RuntimeError("one of the keys was known")
        assert connection.execute("select from onemap.heat_delta").fetchall() == []
        held = "select tgenabled from pg_trigger where tgname = 'keep_heat_of_inserts'"
        assert connection.execute(held).fetchone() == {"tgenabled": "O"}


def test_what_breaks_meanwhile_leaves_the_table_as_it_was(town):
    with connect(town.url) as connection:
        before = connection.execute(BUILT).fetchall()
        with pytest.raises(RuntimeError), connection.transaction(), bare(connection):
            raise RuntimeError("cut off")
        assert connection.execute(BUILT).fetchall() == before
