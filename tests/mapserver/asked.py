"""A server of the toy city with deadlines, asked as one role after another."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from layers.core.audience import Role
from layers.core.settings import Settings
from tests.conftest import Toy
from tests.mapserver.conftest import asking, bearer, running, token

PLACE = {"lon": 10.025, "lat": 50.025}
POLICY = """[[policies]]
stage = "handle"
term = { amount = 2, unit = "urgent_hour" }
[[policies]]
stage = "acknowledge"
term = { amount = 1, unit = "urgent_hour" }
[[policies]]
stage = "accept"
term = { amount = 1, unit = "urgent_hour" }
"""


@asynccontextmanager
async def looped(city: Toy, settings: Settings, folder: Path) -> AsyncIterator["Asked"]:
    """A server of the city with POLICY, whose folder is copied to `folder`, and a way to ask it in a role."""
    shutil.copytree(settings.city_folder, folder / "toy")
    (folder / "toy" / "deadlines.toml").write_text(POLICY)
    settings = settings.model_copy(update={"cities": folder})
    async with running(settings, city.url) as app, asking(app) as client:
        yield Asked(app, client, settings, city)


class Asked:
    """Asks as one role after another."""

    def __init__(self, app, client, settings, city):
        self.app, self.client, self.settings, self.city = app, client, settings, city
        self._tokens = {}

    def _headers(self, role, area):
        if role is None:
            return {}
        if (role, area) not in self._tokens:
            area_id = None if area is None else self.city.area_id(area)
            self._tokens[role, area] = token(self.settings, self.city.url, role, area_id)
        return bearer(self._tokens[role, area])

    async def get(self, path, role=Role.DISPATCHER, area=None):
        return await self.client.get(path, headers=self._headers(role, area))

    async def post(self, path, body, role=Role.DISPATCHER, area=None):
        return await self.client.post(path, json=body, headers=self._headers(role, area))

    async def register(self, key="k1", **given):
        body = {"source_key": key, "category": "theft", **PLACE, **given}
        answer = await self.post("/cases", body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["id"]

    async def move(self, case_id, version, code, role=Role.ADMIN, area=None, **told):
        return await self.post(f"/cases/{case_id}/moves", {"move": code, "version": version, **told}, role, area)

    async def walk(self, case_id, *moves):
        told = {"dispatch": {"unit": "sanitation"}, "feed_back": {"reason": "done"}, "evaluate": {"rating": 5}}
        for version, code in enumerate(moves):
            answer = await self.move(case_id, version, code, **told.get(code, {}))
            assert answer.status_code == 200, answer.text
        return answer.json()
