"""The declared vocabulary against a migrated database."""

import pytest
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from layers.core.db import connect
from layers.schema import books, casebook, measurebook, pushbook, tables  # noqa: F401 - each declares tables


@pytest.fixture(scope="module")
def inspector(cluster, template):
    url = cluster.url(template).replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, poolclass=NullPool)  # a template with a session on it cannot be cloned
    yield inspect(engine)
    engine.dispose()


def _declared(table):
    dialect = PGDialect_psycopg()
    return {
        column.name: (column.type.compile(dialect).lower().replace(" ", ""), column.nullable)
        for column in table.columns
    }


def _found(inspector, table):
    dialect = PGDialect_psycopg()
    return {
        column["name"]: (column["type"].compile(dialect).lower().replace(" ", ""), column["nullable"])
        for column in inspector.get_columns(table.name, schema="onemap")
    }


REAL = [table for table in casebook.metadata.tables.values() if not table.info.get("view")]


@pytest.mark.parametrize("table", REAL, ids=lambda table: table.name)
def test_a_table_is_what_the_migrations_make_it(inspector, table):
    assert _declared(table) == _found(inspector, table)


@pytest.mark.parametrize("table", REAL, ids=lambda table: table.name)
def test_a_primary_key_is_what_the_migrations_make_it(inspector, table):
    key = [column.name for column in table.primary_key.columns]
    assert key == inspector.get_pk_constraint(table.name, schema="onemap")["constrained_columns"]


def test_no_table_is_missing_from_the_vocabulary(inspector):
    found = set(inspector.get_table_names(schema="onemap"))
    assert found - {"migration"} == {table.name for table in REAL}


def test_the_view_of_open_items_has_the_declared_columns(inspector):
    found = {column["name"] for column in inspector.get_columns("open_item", schema="onemap")}
    assert found == {column.name for column in tables.open_item.columns}


def test_an_area_cannot_have_two_versions_at_one_time(own_toy):
    with connect(own_toy.url) as connection, pytest.raises(Exception, match="area_version_once"):
        connection.execute(
            "insert into onemap.area_version (area_id, valid, geom, run_id) "
            "select area_id, '[2025-01-01, 2025-02-01)', geom, run_id from onemap.area_version limit 1"
        )


def test_a_changed_incident_leaves_its_earlier_version_with_the_time_it_was_known(own_toy):
    with connect(own_toy.url) as connection:
        before = connection.execute("select * from onemap.incident where source_key = 'k0'").fetchone()
    with connect(own_toy.url) as connection:
        connection.execute(
            "update onemap.incident set category = 'theft', known_from = now() where source_key = 'k0'"
        )
    with connect(own_toy.url) as connection:
        kept = connection.execute(
            "select *, lower(known) as since, upper(known) as until from onemap.incident_history"
        ).fetchall()
        after = connection.execute("select * from onemap.incident where source_key = 'k0'").fetchone()
    assert [(row["incident_id"], row["category"], row["since"]) for row in kept] == [
        (before["incident_id"], before["category"], before["known_from"])
    ]
    assert kept[0]["until"] == after["known_from"]


def test_a_removed_incident_stays_in_the_history(own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("delete from onemap.incident where source_key in ('k1', 'k2')")
        kept = connection.execute("select source_key from onemap.incident_history order by 1").fetchall()
    assert [row["source_key"] for row in kept] == ["k1", "k2"]
