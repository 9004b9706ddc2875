from pathlib import Path

import pytest

from layers.core import binaries
from layers.core.binaries import Binaries
from layers.core.errors import ClusterError, MissingBinaries


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(binaries, "_ROOT", tmp_path)
    return tmp_path


def install(root: Path, major: int, *, postgis: bool) -> None:
    programs, extensions = root / f"lib/postgresql/{major}/bin", root / f"share/postgresql/{major}/extension"
    programs.mkdir(parents=True)
    (programs / "postgres").touch()
    extensions.mkdir(parents=True)
    if postgis:
        (extensions / "postgis.control").touch()


def test_the_newest_major_with_postgis_is_taken_and_compared_as_a_number(root):
    install(root, 9, postgis=True)
    install(root, 15, postgis=True)
    install(root, 17, postgis=False)
    found = Binaries.find()
    assert (found.major, found.path("psql")) == (15, root / "lib/postgresql/15/bin/psql")


def test_data_keeps_the_major_that_made_it(root):
    install(root, 15, postgis=True)
    install(root, 17, postgis=True)
    assert Binaries.find(data_major=15).major == 15


def test_without_postgresql_the_metapackage_is_named(root):
    with pytest.raises(MissingBinaries, match=r"there is no PostgreSQL .*apt-get install postgresql-postgis "):
        Binaries.find()


def test_with_postgresql_alone_the_package_of_that_major_is_named(root):
    install(root, 15, postgis=False)
    with pytest.raises(MissingBinaries, match=r"15 has no PostGIS .*apt-get install postgresql-15-postgis-3 "):
        Binaries.find()


def test_a_client_without_a_server_does_not_count(root):
    (root / "lib/postgresql/17/bin").mkdir(parents=True)
    with pytest.raises(MissingBinaries, match="there is no PostgreSQL"):
        Binaries.find()


def test_data_of_a_major_that_is_gone_is_refused_with_its_package(root):
    install(root, 17, postgis=True)
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 15.*found: 17.*postgresql-15-postgis-3") as caught:
        Binaries.find(data_major=15)
    assert caught.value.context["package"] == "postgresql-15-postgis-3"
