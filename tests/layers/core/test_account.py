import os
import pwd

import pytest

from layers.core import account
from layers.core.account import Account
from layers.core.errors import ClusterError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.fixture
def ours(home):
    return Account.of(home / "pg")


def test_a_program_sees_nothing_of_our_environment_or_working_folder(ours, monkeypatch):
    monkeypatch.setenv("PGDATA", "/elsewhere")
    assert ours.run("sh", "-c", "pwd; echo $PGDATA$LC_ALL; id -u").stdout.split() == [
        "/",
        "C.UTF-8",
        str(ours.uid),
    ]


def test_a_written_file_is_the_account_s_own_and_replaced_whole(ours, home):
    ours.write(home / "x", "a longer text")
    ours.write(home / "x", "一")
    assert (home / "x").read_text("utf-8") == "一"
    assert ((home / "x").stat().st_uid, (home / "x").stat().st_mode & 0o777) == (ours.uid, 0o600)


def test_a_planted_link_is_not_written_through(ours, home):
    (home / "precious").write_text("kept")
    (home / "x").symlink_to(home / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        ours.write(home / "x", "lost")
    assert (home / "precious").read_text() == "kept"


def test_reach_is_judged_by_the_part_of_the_path_that_exists(ours, home):
    assert ours.reaches(home / "not" / "yet")
    (home / "closed").mkdir()
    (home / "closed").chmod(0)
    assert not ours.reaches(home / "closed" / "not" / "yet")
    (home / "closed").chmod(0o700)


def test_an_owner_without_a_name_is_refused(home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    with pytest.raises(ClusterError, match="user id 4000000 has no name"):
        Account.of(home / "pg")


@as_root
def test_root_without_an_account_to_drop_to_says_which_to_make(home, monkeypatch):
    monkeypatch.setattr(account, "_CANDIDATES", ("nobody-of-that-name",))
    with pytest.raises(ClusterError, match="useradd --system onemap"):
        Account.of(home / "pg")


@as_root
def test_root_takes_the_first_account_that_exists(home, monkeypatch):
    monkeypatch.setattr(account, "_CANDIDATES", ("nobody-of-that-name", "daemon"))
    assert Account.of(home / "pg").uid == pwd.getpwnam("daemon").pw_uid
