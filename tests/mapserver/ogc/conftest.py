"""One running server of the toy city for each module here, asked by a dispatcher, who reads every collection.

The tests follow the abstract tests of the standards and the OGC's own executable suites, and are named by them; that
is no certificate.
"""

import pytest

from layers.core.audience import Role
from tests import toy
from tests.conftest import heated
from tests.mapserver.conftest import asking, bearer, running, token


@pytest.fixture(scope="module")
async def api(toy_settings, shared_toy):
    """A client that may read everything."""
    heated(shared_toy.url, toy_settings.heat_folder(shared_toy.url), toy.CITY)
    async with running(toy_settings, shared_toy.url) as app, asking(app) as client:
        client.headers.update(bearer(token(toy_settings, shared_toy.url, Role.DISPATCHER)))
        client.headers["accept"] = "application/json"
        yield client


def links(body, rel):
    """The links of a document that have this relation."""
    return [link for link in body["links"] if link["rel"] == rel]


def boxes(features):
    """West, south, east, north of each feature."""
    return [_box(feature["geometry"]["coordinates"]) for feature in features]


def _box(coordinates):
    if isinstance(coordinates[0], int | float):
        return (coordinates[0], coordinates[1], coordinates[0], coordinates[1])
    west, south, east, north = zip(*map(_box, coordinates), strict=True)
    return (min(west), min(south), max(east), max(north))
