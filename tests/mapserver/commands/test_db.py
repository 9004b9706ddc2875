import os
import subprocess

import pytest
from typer.testing import CliRunner

from layers.core.cluster import Cluster
from mapserver.commands import db
from mapserver.commands.db import app


@pytest.fixture
def onemap(home, monkeypatch):
    monkeypatch.setenv("ONEMAP_HOME", str(home))
    monkeypatch.setenv("ONEMAP_CITY", "riverside")
    monkeypatch.delenv("ONEMAP_DB__URL", raising=False)
    return lambda *words: CliRunner().invoke(app, words)


def test_start_status_and_stop_tell_what_they_found(onemap, home):
    said = [onemap(word) for word in ("status", "start", "start", "status", "stop", "stop", "status")]
    assert [answer.exit_code for answer in said] == [3, 0, 0, 0, 0, 0, 3]
    first, started, again, status, stopped, nothing, last = (answer.output for answer in said)
    assert "not running" in first
    assert "no data yet" in first
    assert started == f"started: {home}/pg/data\n"
    assert again == f"already running: {home}/pg/data\n"
    assert "runs until `onemap db stop`" in status
    assert f"socket   {home}/pg/run" in status
    assert (stopped, nothing) == ("stopped\n", "not running\n")
    assert "PostgreSQL" in last


def test_url_is_of_the_city_that_is_asked_for(onemap, home):
    assert onemap("url").output == Cluster(home).url("onemap_riverside") + "\n"
    assert onemap("url", "--city", "hillside").output == Cluster(home).url("onemap_hillside") + "\n"


def test_psql_runs_on_the_city_s_database_and_hands_on_its_exit_status(onemap, home, capfd):
    with Cluster(home).use() as cluster:
        cluster.create_database("onemap_hillside")
        query = ["--city", "hillside", "-XAtc"]
        assert onemap("psql", *query, "select current_database() || ' ' || current_user").exit_code == 0
        assert capfd.readouterr().out == "onemap_hillside onemap\n"
        assert onemap("psql", *query, "select nonsense").exit_code == 1
        assert onemap("psql", "-d", "postgres", "-XAtc", "select current_database()").exit_code == 0
        assert capfd.readouterr().out == "postgres\n"
    assert not cluster.status().running


@pytest.mark.parametrize("word", ["start", "stop", "status"])
def test_where_another_database_is_named_there_is_no_cluster_to_command(onemap, home, monkeypatch, word):
    monkeypatch.setenv("ONEMAP_DB__URL", "postgresql://me:s3cret@db.example:5433/city")
    answer = onemap(word)
    assert answer.exit_code == 0
    assert answer.output == (
        "ONEMAP_DB__URL names the database city at db.example: no private cluster is run, nothing to do\n"
    )
    assert list(home.iterdir()) == []


def test_psql_on_a_named_database_keeps_its_password_off_the_command_line(onemap, home, monkeypatch):
    calls = []
    monkeypatch.setenv("ONEMAP_DB__URL", "postgresql://me:s3cret@db.example:5433/city")
    monkeypatch.setattr(db.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "call", lambda command, env: calls.append((command, env)) or 0)
    assert onemap("psql", "-c", "select 1").exit_code == 0
    [(command, env)] = calls
    assert command == ["/usr/bin/psql", "-c", "select 1"]
    assert (env["PGPASSWORD"], env["PGHOST"], env["PGPORT"]) == ("s3cret", "db.example", "5433")
    assert env["PATH"] == os.environ["PATH"]
    assert list(home.iterdir()) == []
