import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from layers.core import place
from layers.core.account import Account
from layers.core.cluster import Cluster
from layers.core.errors import ClusterError
from layers.core.place import Place

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.mark.parametrize("name", ["n" * 100, "two words", "一张图"])
def test_a_path_that_no_socket_can_have_gets_a_short_private_one(home, name):
    cluster = Cluster(home / name)
    cluster.start()
    try:
        folder = cluster.place.socket
        assert str(folder).startswith("/tmp/onemap-")
        assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, cluster.place.account.uid)
        with psycopg.connect(cluster.url("postgres")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def test_a_short_socket_folder_that_somebody_else_made_is_refused(home):
    there = Place(home / ("n" * 100))
    there.socket.mkdir(mode=0o755)
    try:
        with pytest.raises(ClusterError, match=f"{there.socket} is not a private folder"):
            there.make()
    finally:
        there.socket.rmdir()


def test_the_same_place_is_found_whatever_tmpdir_says(home, monkeypatch):
    before = Place(home / ("n" * 100)).socket
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert Place(home / ("n" * 100)).socket == before


def test_looking_makes_nothing(home):
    Place(home / "var")
    assert list(home.iterdir()) == []


def test_a_folder_of_somebody_else_is_refused_by_name(home, monkeypatch):
    Place(home).make()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(ClusterError, match=r"pg belongs to \w+: run as \w+ or root, or set ONEMAP_HOME"):
        Place(home)


def test_a_home_that_we_cannot_reach_is_refused(home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(Account, "reaches", lambda *_: False)
    with pytest.raises(ClusterError, match=f"cannot reach {home}: set ONEMAP_HOME"):
        Place(home)


@as_root
def test_root_drops_to_an_account_without_rights(cluster):
    process = Path(f"/proc/{cluster.status().pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in process.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {str(cluster.place.account.uid)} != {"0"}
    assert facts["Groups"].split() in ([], [str(cluster.place.account.gid)])
    assert (int(facts["CapEff"], 16), facts["NoNewPrivs"]) == (0, "1")


@as_root
def test_root_keeps_the_account_that_owns_the_data(home):
    (home / "pg").mkdir()
    os.chown(home / "pg", 1, 1)
    assert Place(home).account.uid == 1


@as_root
def test_under_a_closed_home_the_data_lives_in_the_system_folder_and_a_link_says_so(home, monkeypatch, caplog):
    monkeypatch.setattr(place, "_SYSTEM_FOLDER", home / "system")
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "clone" / "var")
    try:
        cluster.start()
        link = closed / "clone" / "var" / "pg"
        assert link.resolve() == cluster.place.folder == next((home / "system").glob("clone-*"))
        assert f"the database lives in {cluster.place.folder}" in caplog.text
        with psycopg.connect(cluster.url("postgres")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        caplog.clear()
        assert Cluster(closed / "clone" / "var").start() is False
        link.unlink()
        assert Cluster(closed / "clone" / "var").status().running
    finally:
        cluster.stop()
    assert caplog.text.count("lives in") == 1  # said again only because the link was gone


@as_root
def test_a_strict_umask_of_root_does_not_close_the_folder_to_the_database(home):
    before = os.umask(0o077)
    try:
        assert Cluster(home / "new" / "var").start()
    finally:
        os.umask(before)
        Cluster(home / "new" / "var").stop()
