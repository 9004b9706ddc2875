"""A server with a home and a database of its own, and its clients."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from layers.core import events
from layers.core.db import connect
from layers.core.settings import DbSettings
from tests import toy
from tests.conftest import heated
from tests.mapserver.conftest import running

TILE = "/tiles/areas/9/270/173.mvt"
POINTS = "/tiles/incidents/11/1081/694.mvt"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def settings(toy_settings, tmp_path):
    return toy_settings.model_copy(update={"home": tmp_path / "home", "db": DbSettings(timeout_s=2)})


@pytest.fixture
async def app(settings, own_toy):
    heated(own_toy.url, settings.heat_folder(own_toy.url), toy.CITY)
    async with running(settings, own_toy.url) as made:
        yield made


@pytest.fixture
def asked(app, monkeypatch):
    """Statements that make tiles, as the database gets them."""
    found, row = [], app.state.db.row

    async def counted(audience, statement):
        if "ST_AsMVT" in statement.sql:
            found.append(statement)
        return await row(audience, statement)

    monkeypatch.setattr(app.state.db, "row", counted)
    return found


async def versioned(client, layer="areas", **headers):
    """Path of that layer's tile as its TileJSON has it."""
    template = (await client.get(f"/tiles/{layer}.json", headers=headers)).json()["tiles"][0]
    z, x, y = (9, 270, 173) if layer == "areas" else (11, 1081, 694)
    return template.removeprefix("http://map.test").format(z=z, x=x, y=y)


async def change(app, url, layer, statement):
    """Waits until the server has heard of it."""
    before = app.state.versions.line(layer).newest
    with connect(url) as connection:
        connection.execute(statement)
        events.begin(connection)
        events.bump(connection, layer, datetime.now(UTC))
    await until(lambda: asyncio.sleep(0, app.state.versions.line(layer).newest != before))


async def until(found, within_s=8.0):
    """The first true answer of an asynchronous question."""
    end = time.monotonic() + within_s
    while not (answer := await found()):
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.02)
    return answer
