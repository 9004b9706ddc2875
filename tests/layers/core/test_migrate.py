"""Bringing a database to this version."""

import threading

import pytest

from layers.core.db import connect
from layers.core.migrate import MigrationError, Step, migrate, steps


def test_a_second_run_applies_nothing(empty_url):
    with connect(empty_url) as connection:
        assert migrate(connection) == []


def test_a_changed_step_is_refused_by_its_name(empty_url):
    first, *rest = steps()
    changed = [Step(first.number, first.name, first.sql + "\n-- changed"), *rest]
    with connect(empty_url) as connection, pytest.raises(MigrationError, match=r"0001_first.sql was changed"):
        migrate(connection, changed)


def test_a_database_newer_than_this_version_is_refused(empty_url):
    future = [*steps(), Step(9999, "9999_future.sql", "select 1")]
    with connect(empty_url) as connection:
        assert migrate(connection, future) == ["9999_future.sql"]
    with connect(empty_url) as connection, pytest.raises(MigrationError, match="newer than this version"):
        migrate(connection)


def test_a_failing_step_leaves_nothing_of_itself_or_of_the_steps_before_it(empty_url):
    good = Step(9998, "9998_good.sql", "create table onemap.good (a int)")
    bad = Step(9999, "9999_bad.sql", "create table onemap.bad (a int); select 1/0")
    with connect(empty_url) as connection, pytest.raises(Exception, match="division by zero"):
        migrate(connection, [*steps(), good, bad])
    with connect(empty_url) as connection:
        found = connection.execute("select to_regclass('onemap.good') as good, to_regclass('onemap.bad') as bad")
        assert found.fetchone() == {"good": None, "bad": None}


def test_two_processes_that_migrate_at_once_apply_each_step_once(empty_url):
    slow = Step(9999, "9999_slow.sql", "create table onemap.slow (a int); select pg_sleep(0.3)")
    applied: list[str] = []

    def run() -> None:
        with connect(empty_url) as connection:
            applied.extend(migrate(connection, [*steps(), slow]))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied == ["9999_slow.sql"]


def test_the_flag_that_keeps_the_spatial_index_is_set_again_at_every_start(empty_url):
    flag = "select proleakproof from pg_proc where oid = 'geometry_overlaps(geometry, geometry)'::regprocedure"
    with connect(empty_url) as connection:
        connection.execute("alter function geometry_overlaps(geometry, geometry) not leakproof")
    with connect(empty_url) as connection:
        migrate(connection)
        assert connection.execute(flag).fetchone()["proleakproof"]
