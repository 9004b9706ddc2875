"""OGC API Features 8 (draft): sortables, and pages in an order."""

import pytest

CLASSES = (
    "ogcapi-features-8/1.0/conf/sortables",
    "ogcapi-features-8/1.0/conf/sorting",
    "ogcapi-features-8/1.0/conf/features-sorting",
)

ITEMS = "/collections/incidents/items"
SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"


async def test_sortables_are_linked_from_the_collection_and_each_sorts(api):
    collection = (await api.get("/collections/incidents")).json()
    (link,) = [each for each in collection["links"] if each["rel"] == SORTABLES]
    schema = (await api.get(link["href"].removeprefix("http://map.test"))).json()
    assert {"occurred_at", "severity"} <= set(schema["properties"])
    for name in schema["properties"]:
        assert (await api.get(ITEMS, params={"sortby": name, "limit": 1})).status_code == 200, name


@pytest.mark.parametrize(("sortby", "key", "falls"), [
    ("occurred_at", lambda row: row["occurred_at"], False),
    ("+occurred_at", lambda row: row["occurred_at"], False),
    ("-occurred_at", lambda row: row["occurred_at"], True),
    ("category,-occurred_at", lambda row: row["category"], False),
])  # fmt: skip
async def test_pages_in_an_order_are_in_that_order_throughout(api, shared_toy, sortby, key, falls):
    seen, url, query = [], ITEMS, {"sortby": sortby, "limit": 600}
    while url:
        page = (await api.get(url, params=query)).json()
        seen += page["features"]
        url = next(
            (link["href"].removeprefix("http://map.test") for link in page["links"] if link["rel"] == "next"), None
        )
        query = None
    keys = [key(feature["properties"]) for feature in seen]
    assert keys == sorted(keys, reverse=falls)
    assert len({feature["id"] for feature in seen}) == len(seen) == len(shared_toy.rows)


@pytest.mark.parametrize(
    "sortby", ["nothing", "-", "", "category,category", "geometry", "occurred_at;drop table x"]
)
async def test_a_name_that_does_not_sort_is_400(api, sortby):
    answer = await api.get(ITEMS, params={"sortby": sortby})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "sortby")
