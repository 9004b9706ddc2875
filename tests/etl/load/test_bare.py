import pytest

from etl.load.bare import bare
from layers.core.db import connect

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


def test_what_breaks_meanwhile_leaves_the_table_as_it_was(town):
    with connect(town.url) as connection:
        before = connection.execute(BUILT).fetchall()
        with pytest.raises(RuntimeError), connection.transaction(), bare(connection):
            raise RuntimeError("cut off")
        assert connection.execute(BUILT).fetchall() == before
