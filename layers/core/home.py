"""From settings to a database that answers: the private cluster, or the one that the operator names."""

from collections.abc import Iterator
from contextlib import contextmanager

from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.core.settings import Settings


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """URL of the city's database, started, made and migrated; the private cluster is held while in use."""
    if settings.db.url is not None:
        _bring_up_to_date(settings.db.url)
        yield settings.db.url
        return
    with Cluster(settings.home).use() as cluster:
        cluster.create_database(settings.database)
        url = cluster.url(settings.database)
        _bring_up_to_date(url)
        yield url


def _bring_up_to_date(url: str) -> None:
    with connect(url) as connection:
        migrate(connection)
