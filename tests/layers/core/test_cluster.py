import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from layers.core import binaries
from layers.core import cluster as module
from layers.core.binaries import Binaries
from layers.core.cluster import Cluster
from layers.core.errors import ClusterError, MissingBinaries

START = "import sys; from pathlib import Path; from layers.core.cluster import Cluster; print(Cluster(Path(sys.argv[1])).start())"
USE = """
import sys; from pathlib import Path; from layers.core.cluster import Cluster
with Cluster(Path(sys.argv[1])).use(): print("in", flush=True); sys.stdin.read()
"""
COME_AND_GO = """
import sys; from pathlib import Path; import psycopg; from layers.core.cluster import Cluster
for _ in range(5):
    with Cluster(Path(sys.argv[1])).use() as cluster, psycopg.connect(cluster.url("postgres")) as connection:
        connection.execute("select 1")
"""


def command(program: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@contextmanager
def another_user(home: Path):
    with command(USE, home) as user:
        assert user.stdout.readline() == "in\n"
        yield user


def value(cluster: Cluster, query: str, database: str = "postgres"):
    with psycopg.connect(cluster.url(database)) as connection:
        return connection.execute(query).fetchone()[0]


def until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(cluster: Cluster) -> int:
    pid = cluster.status().pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not cluster.status().running)
    return pid


@pytest.fixture(scope="module")
def made() -> Iterator[Cluster]:
    """A cluster that was made and stopped; a copy of its data is quicker than initdb."""
    folder = Path(tempfile.mkdtemp(prefix="onemap-test-", dir="/tmp"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    with cluster.use():
        pass
    yield cluster
    shutil.rmtree(folder)


@pytest.fixture
def own(home, made) -> Cluster:
    """A running cluster of the test's own."""
    cluster = Cluster(home)
    cluster.place.make()
    assert cluster.place.account.run("cp", "-a", made.place.data, cluster.place.data).returncode == 0
    cluster.start()
    return cluster


def test_an_empty_folder_becomes_a_postgis_that_answers(home):
    cluster = Cluster(home)
    assert cluster.start()
    assert cluster.create_database("onemap_here")
    with psycopg.connect(cluster.url("onemap_here"), autocommit=True) as connection:
        connection.execute("create extension postgis")
        assert connection.execute("select st_area(st_makeenvelope(0, 0, 2, 3))").fetchone() == (6,)


def test_the_cluster_is_durable_local_and_utf8(home):
    cluster = Cluster(home)  # the one that tests share waits for no disk
    cluster.start()
    expected = {
        "listen_addresses": "", "data_checksums": "on", "fsync": "on", "full_page_writes": "on",
        "synchronous_commit": "on", "server_encoding": "UTF8", "TimeZone": "UTC",
    }  # fmt: skip
    assert {name: value(cluster, f"select current_setting('{name}')") for name in expected} == expected


def test_we_are_its_superuser_onemap_and_it_lets_in_no_other_role(cluster):
    assert (
        value(cluster, "select current_user || ' ' || rolsuper from pg_roles where rolname = current_user")
        == "onemap true"
    )
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("create role stranger login")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(cluster.url("postgres").replace("onemap@", "stranger@"))


def test_the_address_does_not_follow_the_environment(cluster, monkeypatch):
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATABASE", "nowhere")
    assert value(cluster, "select 1") == 1


def test_a_second_start_finds_the_first(cluster):
    before = cluster.status()
    assert before.running
    assert (Cluster(cluster.place.folder.parent).start(), cluster.status()) == (False, before)


def test_commands_that_start_at_once_share_one_server(home):
    commands = [command(START, home) for _ in range(4)]
    said = [started.communicate()[0].strip() for started in commands]
    assert sorted(said) == ["False", "False", "False", "True"]
    parents = {Path(f"/proc/{pid}/stat").read_text().split()[3] for pid in Cluster(home).place.processes()}
    assert str(Cluster(home).status().pid) in parents
    assert len(parents) == 2  # the server's own parent, and the server as the parent of all others


def test_the_server_outlives_a_killed_command_and_the_next_one_finds_it(home):
    with another_user(home) as user:
        pid = Cluster(home).status().pid
        user.kill()
    assert Cluster(home).start() is False
    assert Cluster(home).status().pid == pid


def test_a_command_killed_while_it_makes_the_cluster_leaves_nothing_half_made(home):
    with command(START, home) as starter:
        until((home / "pg" / "data.tmp" / "base").exists)
        starter.kill()
    cluster = Cluster(home)
    assert not cluster.status().running
    cluster.start()
    assert value(cluster, "select 1") == 1


def test_committed_rows_outlive_a_killed_server(own):
    with psycopg.connect(own.url("postgres"), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
        kill(own)
    assert own.start()
    assert value(own, "select count(*) from kept") == 1000


def test_a_busy_backend_that_outlives_its_server_is_ended(own):
    with psycopg.connect(own.url("postgres")) as connection, ThreadPoolExecutor() as threads:
        backend = connection.info.backend_pid
        query = threads.submit(connection.execute, "select count(*) from generate_series(1, 1000000000)")
        until(lambda: value(own, f"select state from pg_stat_activity where pid = {backend}") == "active")
        kill(own)
        assert backend in own.place.processes()
        with own.place.lock_file("server.lock") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the orphan still holds what it inherited
        assert own.start()
        assert backend not in own.place.processes()
        assert isinstance(query.exception(10), psycopg.OperationalError)


@pytest.mark.parametrize("alive", [True, False], ids=["a stranger", "a zombie"])
def test_a_pid_file_that_names_something_else_does_not_keep_it_from_starting(own, alive):
    killed = kill(own)
    until(lambda: not own.place.processes())
    account = own.place.account
    as_account = {} if os.geteuid() else {"user": account.uid, "group": account.gid, "extra_groups": []}
    with subprocess.Popen(["sleep", "60" if alive else "0"], cwd="/", **as_account) as other:
        until(lambda: alive or ") Z " in Path(f"/proc/{other.pid}/stat").read_text())
        for name in (own.place.data / "postmaster.pid", own.place.socket / ".s.PGSQL.5432.lock"):
            name.write_text(name.read_text().replace(str(killed), str(other.pid)))
        assert not own.status().running
        assert own.start()
        assert value(own, "select 1") == 1
        assert other.poll() == (None if alive else 0)
        other.kill()


def test_a_server_started_by_hand_is_shared_too(own):
    own.stop()
    place = own.place
    by_hand = place.account.run(
        Binaries.find().path("pg_ctl"), "start", "-w", "-s", "-D", place.data, "-l", place.log / "start.log"
    )
    assert by_hand.returncode == 0
    assert own.start() is False
    own.stop()
    assert not place.processes()


def test_a_cluster_that_a_server_elsewhere_holds_is_left_alone(own, monkeypatch):
    own.stop()
    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)
    pid_file = own.place.data / "postmaster.pid"
    pid_file.write_text("1\n")
    with own.place.lock_file("server.lock") as held_by_a_container:
        fcntl.flock(held_by_a_container, fcntl.LOCK_EX)
        with pytest.raises(ClusterError, match="is held, but refuses"):
            own.start()
    assert pid_file.read_text() == "1\n"


def test_a_server_whose_folder_was_removed_makes_room_for_a_new_one(home):
    name = home / ("n" * 100)  # its socket lies elsewhere and would still answer
    cluster = Cluster(name)
    cluster.start()
    old = cluster.status().pid
    shutil.rmtree(name)
    try:
        assert Cluster(name).start()
        assert old not in cluster.place.processes()
        assert value(cluster, "select 1") == 1
    finally:
        cluster.stop()
        shutil.rmtree(cluster.place.socket)


def test_the_last_user_out_stops_it(home):
    with another_user(home) as other:
        with Cluster(home).use() as cluster:
            assert value(cluster, "select 1") == 1
        assert cluster.status().running
        other.communicate()
    assert not cluster.status().running


def test_users_who_come_and_go_at_once_never_find_it_gone(home):
    users = [command(COME_AND_GO, home) for _ in range(3)]
    for user in users:
        user.communicate()
    assert [user.returncode for user in users] == [0, 0, 0]
    assert not Cluster(home).place.processes()


def test_a_killed_user_does_not_count(home):
    with Cluster(home).use() as cluster:
        with another_user(home) as other:
            other.kill()
        assert cluster.status().running
    assert not cluster.status().running


def test_a_started_cluster_stays_when_the_last_user_leaves_and_ends_with_stop(home):
    with Cluster(home).use() as cluster:
        assert cluster.start() is False
        assert cluster.status().pinned
    assert cluster.status().running
    cluster.stop()
    assert (cluster.status().running, cluster.status().pinned) == (False, False)
    with cluster.use():
        assert cluster.status().running
    assert not cluster.status().running


def test_to_stop_what_was_never_made_makes_nothing(home):
    Cluster(home / "var").stop()
    assert not Cluster(home / "var").status().running
    assert list(home.iterdir()) == []


def test_a_database_is_made_once_even_by_many_at_once(cluster):
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: cluster.create_database("onemap_many"), range(4)))
    assert sorted(made) == [False, False, False, True]
    assert cluster.create_database("onemap_many") is False
    assert (
        value(cluster, "select datcollate || datctype from pg_database where datname = 'onemap_many'")
        == "C.UTF-8C.UTF-8"
    )
    assert value(cluster, "show server_encoding", "onemap_many") == "UTF8"


def test_a_name_is_only_a_name(cluster):
    odd = 'x"; drop role stranger; --/%é'
    assert cluster.create_database(odd)
    assert value(cluster, "select current_database()", odd) == odd


def test_a_database_cannot_be_made_where_nothing_runs(home):
    with pytest.raises(ClusterError, match="database onemap_x cannot be made"):
        Cluster(home).create_database("onemap_x")


def test_missing_programs_are_named_by_package(home, monkeypatch):
    monkeypatch.setattr(binaries, "_ROOT", home / "empty")
    with pytest.raises(MissingBinaries, match="apt-get install postgresql-postgis"):
        Cluster(home).start()
    assert not (home / "pg" / "data").exists()


def test_data_of_another_major_is_refused_and_untouched(home):
    cluster = Cluster(home)
    cluster.place.make()
    cluster.place.data.mkdir()
    (cluster.place.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 12.*postgresql-12-postgis-3"):
        cluster.start()
    assert [path.name for path in cluster.place.data.iterdir()] == ["PG_VERSION"]


def test_a_server_that_cannot_start_says_why(own):
    own.stop()
    with (own.place.data / "postgresql.auto.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(
        ClusterError, match=r'did not start(.|\n)*unrecognized configuration parameter "no_such_setting"'
    ):
        own.start()
