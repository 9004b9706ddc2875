"""What every test may ask for."""

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from layers.catalog.city import City
from layers.core.cluster import Cluster
from layers.core.db import Database, connect
from layers.core.migrate import migrate
from layers.core.settings import LimitSettings, Settings
from layers.heat.follow.everything import everything
from layers.heat.store.writer import Writer
from tests import toy

# Machines are shared: a slow example is no failure.
settings.register_profile("onemap", deadline=None)
settings.load_profile("onemap")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a cluster of the test's own, which is stopped and removed at the end.

    Not pytest's tmp_path: where tests run as root, that is closed to the account that the database drops to.
    """
    folder = Path(tempfile.mkdtemp(prefix="onemap-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    cluster = Cluster(folder)
    cluster.stop()
    shutil.rmtree(cluster.place.socket, ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running cluster that all tests share; make a database of your own in it.

    It need not outlive a crash of the machine, and so it waits for no disk: a database of a test's own then takes a
    fifth of the time. Drills make clusters of their own, which keep what was acknowledged.
    """
    folder = Path(tempfile.mkdtemp(prefix="onemap-test-", dir="/tmp"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"alter system set {setting} = off".encode())
        connection.execute("select pg_reload_conf()")
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Toy:
    """The toy city in a database of its own, with the rows it was made from."""

    url: str
    rows: list[toy.Incident] = field(repr=False)

    def area_id(self, code: str) -> int:
        """Identity of the area of that code."""
        with connect(self.url) as connection:
            found = connection.execute("select area_id from onemap.area where code = %s", [code]).fetchone()
        assert found is not None
        return int(found["area_id"])


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """Name of a migrated, empty database; a clone of it takes a tenth of a migration."""
    cluster.create_database("template_onemap")
    with connect(cluster.url("template_onemap")) as connection:
        migrate(connection)
    return "template_onemap"


def _clone(cluster: Cluster, template: str) -> str:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy".encode())
    return name


def _drop(cluster: Cluster, name: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def empty_url(cluster: Cluster, template: str) -> Iterator[str]:
    """URL of a migrated, empty database for this test alone."""
    name = _clone(cluster, template)
    yield cluster.url(name)
    _drop(cluster, name)


@pytest.fixture(scope="module")
def shared_url(cluster: Cluster, template: str) -> Iterator[str]:
    """URL of a migrated database that the tests of one module share, each with rows of its own."""
    name = _clone(cluster, template)
    yield cluster.url(name)
    _drop(cluster, name)


@pytest.fixture(scope="session")
def toy_template(cluster: Cluster, template: str) -> str:
    """Name of a database that holds the toy city."""
    name = _clone(cluster, template)
    with connect(cluster.url(name)) as connection:
        toy.fill(connection, toy.incidents())
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        connection.execute("analyze")
    return name


@pytest.fixture(scope="session")
def shared_toy(cluster: Cluster, toy_template: str) -> Iterator[Toy]:
    """The toy city, for tests that only read."""
    name = _clone(cluster, toy_template)
    yield Toy(cluster.url(name), toy.incidents())
    _drop(cluster, name)


@pytest.fixture
def own_toy(cluster: Cluster, toy_template: str) -> Iterator[Toy]:
    """The toy city for this test alone, to write to."""
    name = _clone(cluster, toy_template)
    yield Toy(cluster.url(name), toy.incidents())
    _drop(cluster, name)


@pytest.fixture
async def toy_db(shared_toy: Toy) -> AsyncIterator[Database]:
    """The toy city as the server reads it."""
    async with Database(shared_toy.url, pool_size=2) as db:
        yield db


@pytest.fixture(scope="session")
def toy_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server of the toy city, which may be asked as fast as tests do."""
    plenty = LimitSettings(**dict.fromkeys(LimitSettings.model_fields, 1e6))
    cities = Path(__file__).parent / "cities"
    return Settings(home=tmp_path_factory.mktemp("home"), cities=cities, city="toy", limits=plenty)


def heated(url: str, folder: Path, city: City) -> None:
    """Bring the heat stores in `folder` to what the database at `url` has."""
    with Writer(folder, city.heat_layers) as writer, everything(url, writer.state) as source:
        writer.rebuild(source.partitions(), source.planes, source.state)
