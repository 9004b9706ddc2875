import gc

import psycopg
import pytest

from layers.core.db import connect
from layers.heat.follow.moment import join, one_moment, share

COUNT = "select count(*) as n from onemap.incident"


def test_who_joins_a_moment_sees_what_was_there_then(own_toy):
    with connect(own_toy.url) as first, one_moment(first):
        moment = share(first)
        with connect(own_toy.url) as other:
            other.execute("delete from onemap.incident")
        with join(own_toy.url, moment) as joined:
            assert joined.execute(COUNT).fetchone() == first.execute(COUNT).fetchone() == {"n": len(own_toy.rows)}


def test_a_moment_that_is_over_cannot_be_joined_and_leaves_no_connection_behind(shared_toy):
    with pytest.raises(psycopg.Error):
        join(shared_toy.url, "00000003-0000001B-1")
    gc.collect()  # a connection that is left open warns now, and a warning fails the test
    with connect(shared_toy.url) as connection:
        found = connection.execute(
            "select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"
        )
        assert found.fetchall() == []
