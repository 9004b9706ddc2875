"""What live events tell of an incident is what its collection says of it, to each audience."""

import shutil

import pytest

from layers.core import events
from layers.core.audience import Audience, Role
from layers.core.db import connect
from mapserver.event import Event
from tests.mapserver.conftest import asking, bearer, running, token
from tests.workshop import Workshop, call


@pytest.fixture
def town(toy_settings, empty_url, tmp_path):
    folder = tmp_path / "toy"
    shutil.copytree(toy_settings.city_folder, folder)
    made = Workshop(folder, empty_url)
    made.load_tree()
    made.load_calls(call(1, state="open"), call(2, kind="domestic", at="2025-01-02T03:04:05.678"))
    return made


async def test_an_incident_is_told_as_its_collection_has_it(toy_settings, town):
    settings = toy_settings.model_copy(update={"cities": town.folder.parent})
    with connect(town.url) as connection:
        rows = connection.execute(events.since(0, 100).sql.encode(), {"seq": 0, "limit": 100}).fetchall()
    told = [Event.of(row) for row in rows if row["topic"] == "incident"]
    assert len(told) == 2
    areas = {row["code"]: row["area_id"] for row in town.rows("select code, area_id from onemap.area")}
    async with running(settings, town.url) as app, asking(app) as client:
        for role in Role:
            for scope in (None, areas["V1G2"], areas["V2"]):
                given = bearer(token(settings, town.url, role, scope))
                for event in told:
                    path = f"/collections/incidents/items/{event.payload['id']}?f=json"
                    answer = await client.get(path, headers=given)
                    audience = Audience(role, scope)
                    assert event.visible_to(audience) == (answer.status_code == 200), (role, scope)
                    if answer.status_code == 200:
                        item = answer.json()
                        del item["links"]
                        assert event._data(audience) == item
