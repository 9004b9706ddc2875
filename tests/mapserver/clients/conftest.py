"""The real server on this machine's loopback, for clients that people use."""

from dataclasses import dataclass

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import Settings
from tests import toy
from tests.conftest import _clone, _drop, heated
from tests.mapserver.conftest import token
from tests.mapserver.process import served


@dataclass(frozen=True)
class Site:
    """A server, the database behind it, and the token of a dispatcher."""

    url: str
    database: str
    token: str

    def count(self, condition: str, table: str = "incident") -> int:
        """How many rows SQL finds."""
        with connect(self.database) as connection:
            found = connection.execute(
                f"select count(*) as n from onemap.{table} where {condition}".encode()
            ).fetchone()
        assert found is not None
        return int(found["n"])


@pytest.fixture(scope="session")
def site(cluster, toy_template, toy_settings, tmp_path_factory):
    """The toy city, served for all tests of clients; they only read, or write what nobody counts."""
    name, folder = _clone(cluster, toy_template), tmp_path_factory.mktemp("site")
    url = cluster.url(name)
    settings = Settings(home=folder / "home", cities=toy_settings.cities, city="toy")
    heated(url, settings.heat_folder(url), toy.CITY)
    (folder / "index.html").write_text("<title>hub</title>")
    env = {
        "ONEMAP_HOME": str(settings.home),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": url,
        "ONEMAP_SCREENS": str(folder),
        "ONEMAP_LIMITS__TOKEN_BURST": "1000000",
        "ONEMAP_LIMITS__TOKEN_PER_S": "1000000",
        "ONEMAP_LIMITS__PUBLIC_BURST": "1000000",
        "ONEMAP_LIMITS__WRONG_TOKENS_BURST": "1000000",
    }
    with served("serve", env=env, log=folder / "log") as server:
        yield Site(server.url, url, token(settings, url, Role.DISPATCHER))
    _drop(cluster, name)
