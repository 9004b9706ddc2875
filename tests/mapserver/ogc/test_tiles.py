"""OGC API Tiles 1.0: tile sets of collections, and their tiles as MVT."""

import pytest

from tests.mapserver.ogc.conftest import links
from tests.tiles import read_tile

CLASSES = (
    "ogcapi-tiles-1/1.0/conf/core",
    "ogcapi-tiles-1/1.0/conf/tileset",
    "ogcapi-tiles-1/1.0/conf/tilesets-list",
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "ogcapi-tiles-1/1.0/conf/mvt",
    "ogcapi-tiles-1/1.0/conf/oas30",
)

REL = "http://www.opengis.net/def/rel/ogc/1.0"
QUAD = "WebMercatorQuad"
URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
MVT = "application/vnd.mapbox-vector-tile"


async def got(api, url):
    answer = await api.get(url.removeprefix("http://map.test"))
    assert answer.status_code == 200, (url, answer.text)
    return answer.json()


async def tileset(api, layer="areas"):
    return await got(api, f"/collections/{layer}/tiles/{QUAD}")


async def test_core_conformance_success(api):
    assert f"http://www.opengis.net/spec/{CLASSES[0]}" in (await got(api, "/conformance"))["conformsTo"]


async def test_geodata_tilesets_desc_links(api):
    for collection in (await got(api, "/collections"))["collections"]:
        (link,) = links(collection, f"{REL}/tilesets-vector")
        body = await got(api, link["href"])
        assert body["tilesets"]


async def test_tilesets_list_tileset_links(api):
    for collection in (await got(api, "/collections"))["collections"]:
        for entry in (await got(api, f"/collections/{collection['id']}/tiles"))["tilesets"]:
            assert (entry["dataType"], entry["tileMatrixSetURI"], bool(entry["crs"])) == ("vector", URI, True)
            (own,) = links(entry, "self")
            assert (await got(api, own["href"]))["tileMatrixSetURI"] == URI
            (scheme,) = links(entry, f"{REL}/tiling-scheme")
            assert (await got(api, scheme["href"]))["id"] == QUAD


async def test_tileset_description(api):
    body = await tileset(api)
    assert {"dataType", "crs", "tileMatrixSetURI", "links", "tileMatrixSetLimits", "layers"} <= set(body)
    (item,) = links(body, "item")
    assert (item["templated"], item["type"]) == (True, MVT)
    order = [item["href"].index(part) for part in ("{tileMatrix}", "{tileRow}", "{tileCol}")]
    assert order == sorted(order)
    matrices = {each["id"]: each for each in (await got(api, f"/tileMatrixSets/{QUAD}"))["tileMatrices"]}
    for limits in body["tileMatrixSetLimits"]:
        of = matrices[limits["tileMatrix"]]
        assert 0 <= limits["minTileRow"] <= limits["maxTileRow"] < of["matrixHeight"]
        assert 0 <= limits["minTileCol"] <= limits["maxTileCol"] < of["matrixWidth"]


async def test_the_tile_matrix_set_is_the_one_of_the_standard(api):
    body = await got(api, f"/tileMatrixSets/{QUAD}")
    assert (body["uri"], body["tileMatrices"][0]["id"]) == (URI, "0")
    first = body["tileMatrices"][0]
    assert (first["cellSize"], first["scaleDenominator"]) == pytest.approx((156543.03392804097, 559082264.0287178))
    assert first["pointOfOrigin"] == pytest.approx([-20037508.342789244, 20037508.342789244])


@pytest.mark.parametrize("layer", ["areas", "risk_areas", "incidents"])
async def test_core_tc_success_all_tiles_inside_the_limits(api, layer):
    body, drawn = await tileset(api, layer), 0
    (item,) = links(body, "item")
    for limits in body["tileMatrixSetLimits"][:4]:
        for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
            for column in range(limits["minTileCol"], limits["maxTileCol"] + 1):
                path = (
                    item["href"]
                    .removeprefix("http://map.test")
                    .format(tileMatrix=limits["tileMatrix"], tileRow=row, tileCol=column)
                )
                answer = await api.get(path)
                assert answer.status_code in {200, 204}, path
                if answer.status_code == 200:
                    assert answer.headers["content-type"] == MVT
                    drawn += 1
    assert drawn > 0


async def test_core_tc_error_outside_the_limits(api):
    limits = (await tileset(api))["tileMatrixSetLimits"][-1]
    z, row, column = limits["tileMatrix"], limits["maxTileRow"] + 1, limits["minTileCol"]
    for at in (
        f"{z}/{row}/{column}",
        f"{z}/{limits['minTileRow']}/{limits['maxTileCol'] + 1}",
        "99/0/0",
        "0/1/0",
        "0/0/-1",
    ):
        answer = await api.get(f"/collections/areas/tiles/{QUAD}/{at}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), at
    assert (await api.get("/collections/areas/tiles/nope/0/0/0")).status_code == 404
    assert (await api.get(f"/collections/nope/tiles/{QUAD}/0/0/0")).status_code == 404


async def test_core_tc_tile_matrix_row_and_column_definition(api):
    document = await got(api, "/api?f=oas30")
    (path,) = [each for each in document["paths"] if each.startswith("/collections/") and each.count("{") == 5]
    given = {
        each["name"]: each for each in document["paths"][path]["get"]["parameters"] if each.get("in") == "path"
    }
    for name in [part.strip("{}") for part in path.rsplit("/", 3)[1:]]:
        assert given[name]["required"]
        assert given[name]["schema"]["type"] in {"integer", "string"}


async def test_row_comes_before_column(api):
    ogc = await api.get(f"/collections/areas/tiles/{QUAD}/9/173/270")
    assert (ogc.status_code, ogc.content) == (200, (await api.get("/tiles/areas/9/270/173.mvt")).content)


async def test_mvt_content(api):
    body = (await api.get(f"/collections/areas/tiles/{QUAD}/9/173/270")).content
    names, features = read_tile(body)
    assert (names[0], len(features) > 0) == ("areas", True)


async def test_oas30_completeness_and_operation_ids(api):
    document = await got(api, "/api?f=oas30")
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    for suffix in ("getTileSetsList", "getTileSet", "getTile"):
        assert any(name.endswith(f".collection.vector.{suffix}") for name in names), suffix
    for name in ("getTileMatrixSetsList", "getTileMatrixSet"):
        assert name in names
