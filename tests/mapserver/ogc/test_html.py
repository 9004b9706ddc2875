"""OGC API Common 1 and Features 1, HTML: every document is also a page that leads on."""

import re

import pytest

CLASSES = ("ogcapi-common-1/1.0/conf/html", "ogcapi-features-1/1.0/conf/html")


@pytest.mark.parametrize(
    "path",
    ["/conformance", "/collections", "/collections/areas", "/collections/areas/items", "/collections/areas/items/1",
     "/collections/areas/queryables", "/collections/areas/tiles"],
)  # fmt: skip
async def test_html_definition_and_content(api, path):
    for query, accept in (("", "text/html"), ("?f=html", "*/*")):
        answer = await api.get(path + query, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
        assert answer.text.lstrip().lower().startswith("<!doctype html>")


async def test_html_is_linked_from_what_it_shows(api):
    for path in (
        "/",
        "/collections",
        "/collections/areas",
        "/collections/areas/items",
        "/collections/areas/items/1",
    ):
        body = (await api.get(path)).json()
        assert "text/html" in {link["type"] for link in body["links"] if link["rel"] == "alternate"}, path


async def test_pages_lead_to_their_features(api):
    page = (await api.get("/collections/areas/items?f=html")).text
    found = set(re.findall(r'href="(?:http://map\.test)?(/collections/areas/items/\d+)', page))
    assert len(found) == 7
