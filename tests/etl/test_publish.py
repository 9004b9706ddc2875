"""The public's product follows what no load brings: new rules and new words."""

import psycopg
import pytest

from etl import pipeline, vocabulary
from etl.publish import publish
from layers.core.db import connect
from tests.workshop import NOW, call

SHOWN = "select sum(total) as shown from onemap.released_bin where layer = 'all'"


@pytest.fixture
def full(town):
    """A town of which the public sees something."""
    town.load_tree()
    town.load_calls(*(call(number, kind="noise" if number % 3 else "theft") for number in range(60)))
    assert town.rows(SHOWN)[0]["shown"] == 60
    return town


def test_what_waits_is_published_and_told_of_once(full):
    with connect(full.url) as connection:
        assert not publish(connection, full.city, NOW)
        connection.execute("insert into onemap.stale_day select distinct occurred_at::date from onemap.incident")
        connection.execute("delete from onemap.released_bin")
        assert publish(connection, full.city, NOW)
        assert not publish(connection, full.city, NOW)
    assert full.rows(SHOWN)[0]["shown"] == 60
    assert full.rows("select version from onemap.layer_version where layer = 'released'") == [{"version": 2}]


def test_a_category_that_becomes_sensitive_leaves_the_product(full):
    path = full.folder / "categories.toml"
    words = path.read_text("utf-8").split("[[categories]]")
    path.write_text("[[categories]]".join(
        part + "sensitive = true\n" if '"theft"' in part and "sensitive" not in part else part for part in words
    ), "utf-8")  # fmt: skip
    with connect(full.url) as connection:
        vocabulary.write(connection, full.city)
        assert publish(connection, full.city, NOW)
    assert full.rows(SHOWN)[0]["shown"] == 40


def test_while_incidents_are_loaded_nothing_is_published(full):
    with connect(full.url) as connection, psycopg.connect(full.url) as loading:
        connection.execute("insert into onemap.stale_day values ('2025-01-02')")
        connection.commit()
        pipeline.lock(loading, "incidents")
        assert not publish(connection, full.city, NOW)
        loading.close()
        assert publish(connection, full.city, NOW)
