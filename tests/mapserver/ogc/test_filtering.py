"""OGC API Features 3 and CQL2: queryables, and filters that find what SQL does."""

import json
from urllib.parse import quote

import pytest

from layers.core.db import connect

CLASSES = (
    "ogcapi-features-3/1.0/conf/queryables",
    "ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "ogcapi-features-3/1.0/conf/filter",
    "ogcapi-features-3/1.0/conf/features-filter",
    "cql2/1.0/conf/cql2-text",
    "cql2/1.0/conf/cql2-json",
    "cql2/1.0/conf/basic-cql2",
    "cql2/1.0/conf/advanced-comparison-operators",
    "cql2/1.0/conf/case-insensitive-comparison",
    "cql2/1.0/conf/basic-spatial-functions",
    "cql2/1.0/conf/basic-spatial-functions-plus",
    "cql2/1.0/conf/spatial-functions",
    "cql2/1.0/conf/temporal-functions",
)

ITEMS = "/collections/incidents/items"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
BOX = "ST_MakeEnvelope(10.02, 50.01, 10.06, 50.04, 4326)"
TRIANGLE = "POLYGON((10.02 50.01, 10.06 50.01, 10.04 50.05, 10.02 50.01))"
SHAPE = f"ST_GeomFromText('{TRIANGLE}', 4326)"
AT, LATER = "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"

# the class that says it, in CQL2, in SQL
SAID = [
    ("basic-cql2", "category = 'theft'", "category = 'theft'"),
    ("basic-cql2", "category <> 'theft' AND severity >= 2", "category <> 'theft' and severity >= 2"),
    ("basic-cql2", "NOT (origin = 'patrol' OR category = 'noise')", "not (origin = 'patrol' or category = 'noise')"),
    ("basic-cql2", "due_at IS NULL", "due_at is null"),
    ("basic-cql2", "due_at IS NOT NULL AND severity < 3", "due_at is not null and severity < 3"),
    ("basic-cql2", f"occurred_at > TIMESTAMP('{AT}')", f"occurred_at > '{AT}'"),
    ("basic-cql2", "occurred_at < DATE('2025-02-01')", f"occurred_at < '{AT}'"),
    ("advanced-comparison-operators", "category LIKE 'th%'", "category like 'th%%'"),
    ("advanced-comparison-operators", "category NOT LIKE '_oise'", "category not like '_oise'"),
    ("advanced-comparison-operators", "severity BETWEEN 2 AND 3", "severity between 2 and 3"),
    ("advanced-comparison-operators", "category IN ('noise', 'domestic')", "category in ('noise', 'domestic')"),
    ("advanced-comparison-operators", "severity NOT IN (1, 2)", "severity not in (1, 2)"),
    ("case-insensitive-comparison", "CASEI(category) = CASEI('ThEfT')", "category = 'theft'"),
    ("case-insensitive-comparison", "CASEI(category) LIKE CASEI('TH%')", "category like 'th%%'"),
    ("basic-spatial-functions", "S_INTERSECTS(geometry, BBOX(10.02, 50.01, 10.06, 50.04))", f"ST_Intersects(geom, {BOX})"),
    ("basic-spatial-functions-plus", f"S_INTERSECTS(geometry, {TRIANGLE})", f"ST_Intersects(geom, {SHAPE})"),
    ("spatial-functions", f"S_WITHIN(geometry, {TRIANGLE})", f"ST_Within(geom, {SHAPE})"),
    ("spatial-functions", f"S_DISJOINT(geometry, {TRIANGLE})", f"not ST_Intersects(geom, {SHAPE})"),
    ("temporal-functions", f"T_AFTER(occurred_at, TIMESTAMP('{LATER}'))", f"occurred_at > '{LATER}'"),
    ("temporal-functions", f"T_AFTER(occurred_at, INTERVAL('{AT}', '{LATER}'))", f"occurred_at > '{LATER}'"),
    ("temporal-functions", f"T_BEFORE(occurred_at, INTERVAL('{AT}', '{LATER}'))", f"occurred_at < '{AT}'"),
    ("temporal-functions", f"T_DURING(occurred_at, INTERVAL('{AT}', '{LATER}'))", f"occurred_at > '{AT}' and occurred_at < '{LATER}'"),
    ("temporal-functions", f"T_INTERSECTS(occurred_at, INTERVAL('..', '{AT}'))", f"occurred_at <= '{AT}'"),
]  # fmt: skip


def sql_ids(url, condition):
    with connect(url) as connection:
        rows = connection.execute(
            f"select incident_id as id from onemap.incident where {condition.replace('%%', '%')}".encode()
        )
        return {row["id"] for row in rows.fetchall()}


async def ids(api, **query):
    answer = await api.get(
        ITEMS, params={key.replace("_", "-"): value for key, value in query.items()} | {"limit": 10_000}
    )
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


@pytest.mark.parametrize(("name", "said", "sql"), SAID, ids=[said for _, said, _ in SAID])
async def test_an_expression_finds_what_sql_does(api, shared_toy, name, said, sql):
    assert f"cql2/1.0/conf/{name}" in CLASSES
    assert await ids(api, filter=said) == sql_ids(shared_toy.url, sql) != set()


async def test_cql2_json_says_the_same_as_cql2_text(api):
    tree = {"op": "and", "args": [
        {"op": "like", "args": [{"property": "category"}, "th%"]},
        {"op": "t_after", "args": [{"property": "occurred_at"}, {"timestamp": AT}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [10.02, 50.01, 10.06, 50.04]}]},
    ]}  # fmt: skip
    text = f"category LIKE 'th%' AND T_AFTER(occurred_at, TIMESTAMP('{AT}')) AND S_INTERSECTS(geometry, BBOX(10.02,50.01,10.06,50.04))"
    found = await ids(api, filter=json.dumps(tree), filter_lang="cql2-json")
    assert found == await ids(api, filter=text) == await ids(api, filter=text, filter_lang="cql2-text") != set()


async def test_queryables_are_linked_from_the_collection_and_are_a_json_schema(api):
    collection = (await api.get("/collections/incidents")).json()
    (link,) = [each for each in collection["links"] if each["rel"] == QUERYABLES]
    answer = await api.get(
        link["href"].removeprefix("http://map.test"), headers={"Accept": "application/schema+json"}
    )
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$schema"].startswith("https://json-schema.org/draft/20")
    assert (schema["type"], schema["$id"]) == ("object", link["href"].partition("?")[0])
    assert schema["properties"]["geometry"]["format"].startswith("geometry-")
    assert {"category", "occurred_at", "severity"} <= set(schema["properties"])


async def test_every_queryable_can_be_filtered_by_and_asked_by_its_name(api, shared_toy):
    schema = (await api.get("/collections/incidents/queryables")).json()
    for name in set(schema["properties"]) - {"geometry"}:
        assert (await api.get(ITEMS, params={"filter": f"{name} IS NULL", "limit": 1})).status_code == 200, name
    assert await ids(api, category="theft", origin="patrol") == sql_ids(
        shared_toy.url, "category = 'theft' and origin = 'patrol'"
    )


async def test_filter_crs_is_of_the_geometries_of_the_filter(api, shared_toy):
    epsg = "http://www.opengis.net/def/crs/EPSG/0/4326"
    turned = "S_INTERSECTS(geometry, BBOX(50.01, 10.02, 50.04, 10.06))"
    assert await ids(api, filter=turned, filter_crs=epsg) == sql_ids(shared_toy.url, f"ST_Intersects(geom, {BOX})")
    answer = await api.get(
        ITEMS, params={"filter": turned, "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/1"}
    )
    assert (answer.status_code, answer.json()["parameter"]) == (400, "filter-crs")


async def test_mixing_expressions_narrows(api, shared_toy):
    found = await ids(
        api, filter="category = 'theft'", bbox="10.02,50.01,10.06,50.04", datetime=f"{AT}/..", origin="patrol"
    )
    assert found == sql_ids(
        shared_toy.url,
        f"category = 'theft' and origin = 'patrol' and ST_Intersects(geom, {BOX}) and occurred_at >= '{AT}'",
    )


@pytest.mark.parametrize(
    "said", ["nothing = 1", "category =", "category", "severity = 'a'", "S_INTERSECTS(category, POINT(1 1))"]
)
async def test_an_expression_that_is_none_is_400(api, said):
    answer = await api.get(f"{ITEMS}?filter={quote(said)}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "filter")
    assert (await api.get(ITEMS, params={"filter": "1=1", "filter-lang": "sql"})).status_code == 400
