"""Tile sets over HTTP: OGC API Tiles."""

import pytest

from layers.core.audience import Role
from tests.mapserver.conftest import bearer, token

QUAD = "/collections/areas/tiles/WebMercatorQuad"
REL = "http://www.opengis.net/def/rel/ogc/1.0"


@pytest.fixture
def room(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))


def linked(document, rel):
    return next(link["href"] for link in document["links"] if link["rel"] == rel)


async def test_links_lead_from_the_landing_page_to_a_tile(client):
    landing = (await client.get("/", params={"f": "json"})).json()
    sets = (await client.get(linked(landing, f"{REL}/tilesets-vector"))).json()["tilesets"]
    assert {each["title"] for each in sets} == {"Areas", "Risk areas", "Roads", "Places"}
    areas = next(each for each in sets if each["title"] == "Areas")
    tileset = (await client.get(linked(areas, "self"))).json()
    scheme = (await client.get(linked(tileset, f"{REL}/tiling-scheme"))).json()
    assert scheme["uri"] == tileset["tileMatrixSetURI"]
    limits = next(each for each in tileset["tileMatrixSetLimits"] if each["tileMatrix"] == "9")
    template = linked(tileset, "item").replace("{tileMatrix}", "9")
    tile = template.replace("{tileRow}", str(limits["minTileRow"])).replace("{tileCol}", str(limits["minTileCol"]))
    answer = await client.get(tile)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    collection = (await client.get("/collections/areas", params={"f": "json"})).json()
    listed = (await client.get(linked(collection, f"{REL}/tilesets-vector"))).json()
    assert [linked(each, "self") for each in listed["tilesets"]] == [linked(areas, "self")]


async def test_both_paths_lead_to_the_same_tile(client, room):
    for layer, z, x, y in (("areas", 9, 270, 173), ("incidents", 12, 2161, 1388)):
        by_row = await client.get(f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}", headers=room)
        by_column = await client.get(f"/tiles/{layer}/{z}/{x}/{y}.mvt", headers=room)
        assert by_row.status_code == 200
        assert by_row.content == by_column.content
        assert by_row.headers["etag"] == by_column.headers["etag"]


async def test_the_limits_hold_every_tile_of_the_city_and_no_other(client):
    tileset = (await client.get(QUAD)).json()
    assert [each["tileMatrix"] for each in tileset["tileMatrixSetLimits"]] == [str(z) for z in range(19)]
    limits = next(each for each in tileset["tileMatrixSetLimits"] if each["tileMatrix"] == "12")
    rows = range(limits["minTileRow"] - 1, limits["maxTileRow"] + 2)
    columns = range(limits["minTileCol"] - 1, limits["maxTileCol"] + 2)
    for row in rows:
        for column in columns:
            inside = row in rows[1:-1] and column in columns[1:-1]
            status = (await client.get(f"{QUAD}/12/{row}/{column}")).status_code
            assert status == (200 if inside else 404), (row, column)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tileMatrixSets/WorldCRS84Quad", 404),
        ("/collections/areas/tiles/WorldCRS84Quad", 404),
        ("/collections/areas/tiles/WorldCRS84Quad/9/173/270", 404),
        (f"{QUAD}/99/0/0", 404),
        (f"{QUAD}/9/512/0", 404),
        (f"{QUAD}/9/-1/270", 404),
        (f"{QUAD}/nine/173/270", 400),
        (f"{QUAD}/9/173/270?f=png", 400),
        ("/collections/nope/tiles", 404),
        ("/collections/incidents/tiles", 403),
        ("/tileMatrixSets?f=xml", 400),
    ],
)
async def test_what_is_not_there_is_a_problem_that_says_so(client, path, status):
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_matrices_halve_from_zoom_to_zoom(client):
    listed = (await client.get("/tileMatrixSets")).json()["tileMatrixSets"]
    quad = (await client.get(linked(listed[0], "self"))).json()
    assert quad["id"] == "WebMercatorQuad"
    first, *rest = quad["tileMatrices"]
    assert first["cellSize"] * first["tileWidth"] == pytest.approx(2 * first["pointOfOrigin"][1])
    for z, matrix in enumerate(rest, 1):
        assert matrix["scaleDenominator"] * 2**z == pytest.approx(first["scaleDenominator"])
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2**z
