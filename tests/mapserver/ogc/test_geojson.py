"""OGC API Features 1.0, GeoJSON: pages and features are RFC 7946."""

import pytest
import shapely.geometry

CLASSES = ("ogcapi-features-1/1.0/conf/geojson",)

GEOJSON = "application/geo+json"


@pytest.mark.parametrize("layer", ["areas", "risk_areas", "incidents"])
async def test_geojson_definition_and_content(api, layer):
    answer = await api.get(f"/collections/{layer}/items?limit=20")
    assert answer.headers["content-type"] == GEOJSON
    body = answer.json()
    assert (body["type"], "links" in body) == ("FeatureCollection", True)
    for feature in body["features"]:
        assert feature["type"] == "Feature"
        assert {"id", "geometry", "properties"} <= set(feature)
        assert shapely.geometry.shape(feature["geometry"]).is_valid
    one = await api.get(f"/collections/{layer}/items/{body['features'][0]['id']}")
    assert (one.headers["content-type"], one.json()["type"]) == (GEOJSON, "Feature")


async def test_polygons_turn_as_rfc_7946_says(api):
    for feature in (await api.get("/collections/areas/items")).json()["features"]:
        for polygon in shapely.geometry.shape(feature["geometry"]).geoms:
            assert polygon.exterior.is_ccw


async def test_geojson_is_linked_to_from_its_collection(api):
    collection = (await api.get("/collections/areas")).json()
    assert GEOJSON in {link["type"] for link in collection["links"] if link["rel"] == "items"}
