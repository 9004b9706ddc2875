"""OWSLib reads collections, their description and their items."""

import httpx
import pytest
from owslib.ogcapi.features import Features


@pytest.fixture(scope="module")
def service(site):
    return Features(f"{site.url}/", headers={"Authorization": f"Bearer {site.token}"})


def test_the_service_is_found_by_its_landing_page(service):
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in service.conformance()["conformsTo"]
    assert service.api()["openapi"].startswith("3.")
    assert set(service.feature_collections()) >= {"areas", "incidents"}


def test_items_are_paged_to_their_end(service, site):
    seen, page = [], service.collection_items("incidents", limit=700)
    seen += page["features"]
    while following := [link["href"] for link in page["links"] if link["rel"] == "next"]:
        page = httpx.get(following[0], headers=service.headers).json()
        seen += page["features"]
    assert len({each["id"] for each in seen}) == len(seen) == site.count("true")


def test_a_box_and_a_time_find_what_sql_does(service, site):
    page = service.collection_items(
        "incidents",
        bbox=[10.02, 50.01, 10.06, 50.04],
        datetime_="2025-02-01T00:00:00Z/2025-03-01T00:00:00Z",
        limit=10_000,
    )
    wanted = site.count(
        "geom && ST_MakeEnvelope(10.02, 50.01, 10.06, 50.04, 4326) "
        "and occurred_at between '2025-02-01T00:00:00Z' and '2025-03-01T00:00:00Z'"
    )
    assert len(page["features"]) == wanted > 0


def test_one_item_is_the_item_of_the_page(service):
    first = service.collection_items("incidents", limit=1)["features"][0]
    alone = service.collection_item("incidents", first["id"])
    assert (alone["id"], alone["properties"]) == (first["id"], first["properties"])


def test_a_filter_finds_what_sql_does(service, site):
    page = service.collection_items("incidents", filter="category = 'theft'", limit=10_000)
    assert len(page["features"]) == site.count("category = 'theft'") > 0
    assert set(service.collection_queryables("incidents")["properties"]) >= {"category", "occurred_at"}
