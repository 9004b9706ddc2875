"""Vector tiles over HTTP."""

import pytest

from layers.core.audience import Role
from tests.mapserver.conftest import bearer, token

TILE = "12/2161/1388"


@pytest.fixture
def room(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))


async def test_a_tile_of_areas_has_outlines_and_labels(client):
    answer = await client.get("/tiles/areas/9/270/173.mvt")
    assert answer.status_code == 200
    for name in (b"areas", b"area_labels", "区V1".encode(), b"Area V2"):
        assert name in answer.content


async def test_a_level_is_drawn_from_its_own_zoom(client):
    assert b"V1G1" not in (await client.get("/tiles/areas/9/270/173.mvt")).content
    tiles = [
        (await client.get(f"/tiles/areas/12/{x}/{y}.mvt")).content for x in (2161, 2162) for y in range(1385, 1391)
    ]
    assert any(b"V1G1" in tile for tile in tiles)


async def test_incidents_are_drawn_from_zoom_11_and_without_sensitive_ones(client, room):
    assert (await client.get("/tiles/incidents/10/540/346.mvt", headers=room)).status_code == 204
    tiles = [await client.get(f"/tiles/incidents/11/1080/{y}.mvt", headers=room) for y in range(690, 698)]
    drawn = b"".join(tile.content for tile in tiles)
    assert b"noise" in drawn
    assert b"domestic" not in drawn


async def test_a_tile_of_nothing_is_204_and_one_outside_the_quadtree_404(client):
    assert (await client.get("/tiles/areas/9/0/0.mvt")).status_code == 204
    assert (await client.get("/tiles/areas/9/512/0.mvt")).status_code == 404
    assert (await client.get("/tiles/nope/9/0/0.mvt")).status_code == 404


async def test_tilejson_names_the_source_layers_of_the_tile(client):
    found = (await client.get("/tiles/risk_areas.json")).json()
    assert found["tilejson"] == "3.0.0"
    assert [each["id"] for each in found["vector_layers"]] == ["risk_areas", "risk_area_labels", "summary"]
    assert found["tiles"][0].startswith("http://map.test/tiles/risk_areas/{z}/{x}/{y}.mvt?v=")
    heat = (await client.get("/heat/school.json")).json()
    assert heat["vector_layers"][0]["id"] == "heat"
