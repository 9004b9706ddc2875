"""Nothing of a single sensitive case comes out: what the public, the room and planners ask is answered as without it."""

import re
from itertools import product

import pytest

from layers.core.audience import Role
from layers.geo import tiles
from tests.mapserver.asked import PLACE, looped

WAY = ("accept", "triage", "dispatch", "handle")
READERS = [(None, None), (Role.ROOM, None), (Role.ROOM, "V1"), (Role.PLANNER, None)]
SKIPPED = {"/live", "/enter", "/metrics", "/healthz", "/readyz", "/docs", "/api"}
ASKED = {
    "layer_id": ("cases", "incidents"), "layer": ("all",), "alert_id": ("1",), "measure_id": ("1",), "job_id": ("1",),
    "form": ("json", "xml"), "service_code": ("domestic",), "tms": ("WebMercatorQuad",), "z": ("14",),
    "x": ("8648",), "column": ("8648",), "y": ("5554",), "row": ("5554",), "steps": ("2",), "token": ("x",),
    "lon": (str(PLACE["lon"]),), "lat": (str(PLACE["lat"]),), "from": ("2024-12-01T00:00:00Z",),
    "to": ("2099-01-01T00:00:00Z",),
}  # fmt: skip
_NOW = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
_VERSION = re.compile(r"v=[0-9a-f]+|\"version\": ?\"?[\d.]+\"?")


@pytest.fixture
async def loop(own_toy, toy_settings, tmp_path):
    async with looped(own_toy, toy_settings, tmp_path) as asked:
        yield asked


def questions(document, secret):
    """Every GET that there is, about the secret case wherever a number is asked for."""
    known = ASKED | dict.fromkeys(("case_id", "feature_id", "service_request_id"), (str(secret),))
    for path, operations in document["paths"].items():
        if "get" not in operations or path in SKIPPED:
            continue
        inside = re.findall(r"{(\w+)}", path)
        beside = [each.get("name") for each in operations["get"].get("parameters", [])]
        beside = [
            name for name in beside if name in ("from", "to", "lon", "lat", "steps") and path != "/ledger/rows"
        ]
        for values in product(*(known[name] for name in inside)):
            query = "&".join(f"{name}={known[name][0]}" for name in beside)
            yield path.format(**dict(zip(inside, values, strict=True))) + (query and f"?{query}")


async def answers(loop, secret):
    found = {}
    for path in questions(loop.app.openapi(), secret):
        for role, area in READERS:
            answer = await loop.get(path, role, area)
            body = answer.content.decode("latin-1")
            found[path, role, area] = answer.status_code, _VERSION.sub("v", _NOW.sub("now", body))
    return found


async def test_whatever_is_asked_is_answered_as_if_there_were_no_sensitive_case(loop):
    box = tiles.Tile.at(14, 8648, 5554).bbox
    assert box.west < PLACE["lon"] < box.east
    assert box.south < PLACE["lat"] < box.north
    plain = await loop.register("plain")
    await loop.walk(plain, *WAY[:3])
    before = await answers(loop, plain + 1)
    assert len(before) > 4 * 60
    secret = await loop.register("secret", category="domestic", report="a secret quarrel")
    assert secret == plain + 1
    await loop.walk(secret, *WAY[:4])
    for step in ("moved", "merged"):
        if step == "merged":
            assert (await loop.post(f"/cases/{secret}/merge", {"into": plain})).status_code == 200
        await loop.app.state.versions.refresh()
        after = await answers(loop, secret)
        assert {asked: after[asked] for asked in before if after[asked] != before[asked]} == {}, step
    await loop.post(f"/cases/{secret}/split", {})
    # The same for one who may read it, so that the questions are those that would tell.
    seen = [path for path in questions(loop.app.openapi(), secret) if (await loop.get(path)).status_code == 200]
    assert {
        f"/cases/{secret}",
        f"/collections/cases/items/{secret}",
        f"/open311/v2/requests/{secret}.json",
    } <= set(seen)
