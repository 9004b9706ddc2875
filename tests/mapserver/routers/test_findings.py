"""The findings layer over HTTP."""

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import asking, bearer, running, token


@pytest.fixture
async def found(toy_settings, own_toy):
    """A client of a city where one load found a gap."""
    with connect(own_toy.url) as connection:
        connection.execute(
            """insert into onemap.finding (run_id, at, kind, changed, subject, message, amount, unit, place)
            select min(run_id), now(), 'gap', false, 'V1', 'nothing below V1 covers 40 m2', 40, 'm2',
              st_makeenvelope(10.01, 50.01, 10.02, 50.02, 4326) from onemap.run"""
        )
    async with running(toy_settings, own_toy.url) as app, asking(app) as client:
        yield client


async def test_an_analyst_lists_a_finding_and_sees_it_on_the_map(found, toy_settings, own_toy):
    analyst = bearer(token(toy_settings, own_toy.url, Role.ANALYST))
    (feature,) = (await found.get("/collections/findings/items", headers=analyst)).json()["features"]
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["message"] == "nothing below V1 covers 40 m2"
    assert b"nothing below V1" in (await found.get("/tiles/findings/9/270/173.mvt", headers=analyst)).content
    sheet = await found.get("/collections/findings/items?f=csv", headers=analyst)
    assert sheet.text.splitlines()[0].startswith("id,at,kind,changed,message,subject,row_number")


@pytest.mark.parametrize("path", ["/collections/findings/items", "/tiles/findings/9/270/173.mvt"])
async def test_whoever_is_less_is_refused(found, toy_settings, own_toy, path):
    room = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    assert (await found.get(path)).status_code == 403
    assert (await found.get(path, headers=room)).status_code == 403
