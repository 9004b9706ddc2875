"""OGC API Common 1 and 2: the landing page, the declaration, collections, and JSON everywhere."""

import pytest

from mapserver.conformance import CONFORMANCE
from tests.mapserver.ogc.conftest import links

CLASSES = (
    "ogcapi-common-1/1.0/conf/core",
    "ogcapi-common-1/1.0/conf/landing-page",
    "ogcapi-common-1/1.0/conf/json",
    "ogcapi-common-2/1.0/conf/collections",
)


async def test_landing_page_links_to_definition_declaration_and_data(api):
    landing = (await api.get("/")).json()
    assert {"title", "description", "links"} <= set(landing)
    for rel in ("service-desc", "conformance", "data"):
        assert links(landing, rel), rel


async def test_the_declaration_is_what_the_module_says(api):
    assert (await api.get("/conformance")).json() == {"conformsTo": list(CONFORMANCE)}


@pytest.mark.parametrize("path", ["/", "/conformance", "/collections", "/collections/areas"])
async def test_json_is_the_answer_to_those_who_ask_for_it_and_to_those_who_do_not(api, path):
    for accept in ("application/json", "*/*", ""):
        answer = await api.get(path, headers={"Accept": accept})
        assert (answer.headers["content-type"], answer.status_code) == ("application/json", 200)


async def test_collections_have_what_each_has_alone(api):
    body = (await api.get("/collections")).json()
    assert links(body, "self")
    assert len({each["id"] for each in body["collections"]}) == len(body["collections"]) > 0
    for collection in body["collections"]:
        (own,) = links(collection, "self")
        assert (await api.get(own["href"].removeprefix("http://map.test"))).json() == collection
        assert {"id", "links", "extent", "crs"} <= set(collection)
