"""What may be asked of items over HTTP: filters, orders, properties and systems of coordinates."""

import json
from datetime import timedelta

import httpx
import pytest
import shapely
from pyproj import Transformer

from layers.core.audience import Role
from layers.core.db import connect
from layers.geo.crs import BY_URI, CRS84
from tests import toy
from tests.mapserver.conftest import asking, bearer, token

ITEMS = "/collections/incidents/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0"
BOX = (10.02, 50.01, 10.06, 50.04)


@pytest.fixture
async def dispatcher(app, toy_settings, shared_toy):
    async with asking(app) as client:
        client.headers.update(bearer(token(toy_settings, shared_toy.url, Role.DISPATCHER)))
        yield client


@pytest.fixture
async def room(app, toy_settings, shared_toy):
    async with asking(app) as client:
        client.headers.update(bearer(token(toy_settings, shared_toy.url, Role.ROOM)))
        yield client


async def ask(client, path=ITEMS, **params):
    dashed = {"bbox_crs": "bbox-crs", "filter_crs": "filter-crs", "filter_lang": "filter-lang"}
    answer = await client.get(path, params={dashed.get(name, name): value for name, value in params.items()})
    assert answer.status_code == 200, answer.text
    return answer


async def ids(client, path=ITEMS, **params):
    page = (await ask(client, path, limit=10_000, **params)).json()
    assert page["numberMatched"] == page["numberReturned"] == len(page["features"])
    return {each["id"] for each in page["features"]}


def wanted(toy_city, holds):
    return {i + 1 for i, row in enumerate(toy_city.rows) if holds(row)}


def within(row):
    west, south, east, north = BOX
    return west <= row.lon <= east and south <= row.lat <= north


async def test_a_filter_as_text_as_json_and_by_name_finds_the_same(dispatcher, shared_toy):
    both = wanted(shared_toy, lambda row: row.category == "noise" and row.origin == "patrol")
    tree = {
        "op": "and",
        "args": [
            {"op": "=", "args": [{"property": "category"}, "noise"]},
            {"op": "=", "args": [{"property": "origin"}, "patrol"]},
        ],
    }
    assert await ids(dispatcher, filter="category = 'noise' AND origin = 'patrol'") == both != set()
    assert await ids(dispatcher, filter=json.dumps(tree), filter_lang="cql2-json") == both
    assert await ids(dispatcher, category="noise", origin="patrol") == both
    assert await ids(dispatcher, category="noise", filter="origin = 'patrol'") == both


async def test_every_kind_of_queryable_is_a_parameter_of_its_own(dispatcher, client, shared_toy):
    first = shared_toy.rows[0]
    at = first.at.isoformat()
    assert await ids(dispatcher, occurred_at=at) == wanted(shared_toy, lambda row: row.at == first.at)
    assert await ids(dispatcher, severity="3") == wanted(shared_toy, lambda row: toy.WEIGHT[row.category] == 3)
    assert await ids(client, "/collections/risk_areas/items", approximate="false") == {1, 2}
    assert await ids(client, "/collections/risk_areas/items", influence_m="5e2") == {1, 2}
    assert await ids(client, "/collections/risk_areas/items", zone_type="market") == {2}


async def test_matches_are_counted_exactly_whatever_the_page(dispatcher, shared_toy):
    count = len(wanted(shared_toy, lambda row: row.category == "theft"))
    page = (await ask(dispatcher, category="theft", limit=7)).json()
    assert (page["numberMatched"], page["numberReturned"]) == (count, 7)
    further = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert "numberMatched" not in (await dispatcher.get(further)).json()


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("MOST_COUNTED", {"sortby": "severity", "limit": 8}, False),
        ("MOST_COUNTED", {"category": "theft", "limit": 9}, True),
        ("MOST_MATCHED", {"category": "theft", "limit": 10}, False),
        ("MOST_MATCHED", {"datetime": "2025-01-02T00:00:00Z/..", "limit": 11}, False),
        ("MOST_MATCHED", {"bbox": "10,50,10.1,50.06", "limit": 12}, False),
        ("MOST_MATCHED", {"sortby": "severity", "limit": 13}, True),
    ],
)
async def test_more_matches_than_are_counted_are_not_told(dispatcher, monkeypatch, name, asked, told):
    monkeypatch.setattr(f"layers.query.features.{name}", 50)
    page = (await ask(dispatcher, **asked)).json()  # each with a limit of its own, as answers are kept
    assert ("numberMatched" in page) == told
    assert page["numberReturned"] == asked["limit"]


async def test_pages_in_an_order_lead_through_all_features_once(dispatcher, shared_toy):
    seen, url = (
        [],
        str(httpx.URL(ITEMS, params={"sortby": "-due_at,category", "limit": "400", "properties": "state"})),
    )
    while url:
        page = (await dispatcher.get(url)).json()
        seen += page["features"]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert {each["id"] for each in seen} == set(range(1, len(shared_toy.rows) + 1))
    due = [shared_toy.rows[each["id"] - 1].due_at for each in seen]
    known = [at for at in due if at is not None]
    assert due == [*sorted(known, reverse=True), *[None] * (len(due) - len(known))]
    assert all(each["properties"].keys() == {"state"} for each in seen)


async def test_a_feature_says_its_times_in_utc_and_its_further_columns(dispatcher, shared_toy):
    (feature,) = (await ask(dispatcher, limit=1)).json()["features"]
    row = shared_toy.rows[0]
    assert feature["properties"]["occurred_at"] == row.at.isoformat().replace("+00:00", "Z")
    assert feature["properties"]["due_at"] == (row.at + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    assert feature["properties"]["closed_at"] is None
    assert feature["properties"]["attributes"] == {"note": "=note k0"}


@pytest.mark.parametrize("uri", BY_URI)
async def test_answers_and_boxes_in_every_system_agree_with_proj(dispatcher, shared_toy, uri):
    crs = BY_URI[uri]
    to = Transformer.from_crs(4326, crs.srid, always_xy=True)

    def turned(x, y):
        return (y, x) if crs.north_first else (x, y)

    answer = await ask(dispatcher, crs=uri, limit=100)
    assert answer.headers["content-crs"] == f"<{uri}>"
    for feature in answer.json()["features"]:
        row = shared_toy.rows[feature["id"] - 1]
        assert feature["geometry"]["coordinates"] == pytest.approx(
            turned(*to.transform(row.lon, row.lat)), abs=1.1 * 10**-crs.decimals
        )
    one = await ask(dispatcher, f"{ITEMS}/1", crs=uri)
    assert one.headers["content-crs"] == f"<{uri}>"
    assert one.json()["geometry"] == answer.json()["features"][0]["geometry"]

    corners = [to.transform(x, y) for x, y in ((BOX[0], BOX[1]), (BOX[2], BOX[3]))]
    left, right = sorted(x for x, _ in corners)
    bottom, top = sorted(y for _, y in corners)
    frame = shapely.box(left, bottom, right, top)
    box = ",".join(map(repr, [*turned(left, bottom), *turned(right, top)]))
    expected = wanted(shared_toy, lambda row: frame.intersects(shapely.Point(to.transform(row.lon, row.lat))))
    assert await ids(dispatcher, bbox=box, bbox_crs=uri) == expected != set()
    if crs.srid != 4547:  # there, a hundred degrees away, a frame is turned
        assert expected == wanted(shared_toy, within)
    point = turned(*to.transform(shared_toy.rows[0].lon, shared_toy.rows[0].lat))
    tree = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [*point, *point]}]}
    if crs.geographic:
        assert 1 in await ids(dispatcher, filter=json.dumps(tree), filter_lang="cql2-json", filter_crs=uri)


async def test_a_box_without_an_area_still_finds_what_lies_in_it(dispatcher, shared_toy):
    row = shared_toy.rows[0]
    assert await ids(dispatcher, bbox=f"{row.lon!r},{row.lat!r},{row.lon!r},{row.lat!r}") == {1}
    assert await ids(dispatcher, bbox=f"{row.lon!r},50,{row.lon!r},51") == {1}


async def test_answers_without_a_system_are_in_lon_lat_and_say_so(dispatcher, client):
    assert (await ask(dispatcher)).headers["content-crs"] == f"<{CRS84.uri}>"
    assert (await ask(client, "/collections/areas/items/1")).headers["content-crs"] == f"<{CRS84.uri}>"
    about = (await ask(client, "/collections/areas")).json()
    assert about["crs"] == list(BY_URI)
    assert about["storageCrs"] in about["crs"]


async def test_a_filter_tells_nobody_of_what_he_may_not_read(room, shared_toy):
    hidden = next(i + 1 for i, row in enumerate(shared_toy.rows) if row.category == "domestic")
    assert await ids(room, category="domestic") == set()
    assert await ids(room, filter="NOT category = 'noise' AND NOT category = 'theft'") == set()
    assert hidden not in await ids(room, filter="TRUE")
    row = shared_toy.rows[1]
    at = f"BBOX({row.lon - 1e-6:.7f}, {row.lat - 1e-6:.7f}, {row.lon + 1e-6:.7f}, {row.lat + 1e-6:.7f})"
    assert await ids(room, filter=f"S_INTERSECTS(geometry, {at})") == set()
    for question in ({"filter": "attributes IS NULL"}, {"sortby": "attributes"}, {"properties": "attributes"}):
        assert (await room.get(ITEMS, params=question)).status_code == 400


async def test_queryables_and_sortables_say_what_may_be_asked(room, client):
    queryables = await ask(room, "/collections/incidents/queryables")
    assert queryables.headers["content-type"] == "application/schema+json"
    schema = queryables.json()
    assert schema["$id"].endswith("/collections/incidents/queryables")
    assert schema["type"] == "object"
    assert schema["properties"]["severity"]["type"] == "integer"
    assert schema["properties"]["occurred_at"]["format"] == "date-time"
    assert schema["properties"]["geometry"] == {
        "title": "where it is",
        "x-ogc-role": "primary-geometry",
        "format": "geometry-point",
    }
    sortables = (await ask(room, "/collections/incidents/sortables")).json()
    assert set(sortables["properties"]) == set(schema["properties"]) - {"geometry"}
    for name in schema["properties"]:
        assert (await room.get(ITEMS, params={"filter": f"{name} IS NULL"})).status_code == 200
    for name in sortables["properties"]:
        assert (await room.get(ITEMS, params={"sortby": f"-{name}"})).status_code == 200
    for what in ("queryables", "sortables"):
        assert (await client.get(f"/collections/incidents/{what}")).status_code == 403
        assert (await client.get(f"/collections/nope/{what}")).status_code == 404
    links = (await ask(room, "/collections/incidents")).json()["links"]
    assert {f"http://www.opengis.net/def/rel/ogc/1.0/{what}" for what in ("queryables", "sortables")} <= {
        link["rel"] for link in links
    }


BAD_OF_AREAS = [
    ({"crs": f"{EPSG}/9999"}, "crs"),
    ({"crs": "EPSG:4326"}, "crs"),
    ({"bbox-crs": "x", "bbox": "1,2,3,4"}, "bbox-crs"),
    ({"bbox-crs": f"{EPSG}/4326", "bbox": "10,170,20,190"}, "bbox"),
    ({"bbox-crs": f"{EPSG}/3857", "bbox": "0,0,1e9,1"}, "bbox"),
    ({"bbox-crs": f"{EPSG}/4547", "bbox": "5,5,1,1"}, "bbox"),
    ({"filter-crs": "x"}, "filter-crs"),
    ({"filter-lang": "sql", "filter": "1=1"}, "filter-lang"),
    ({"filter": "a LIKE '%' OR 1=1--'"}, "filter"),
    ({"filter": ""}, "filter"),
    ({"filter": "{"}, "filter"),
    ({"filter": "{", "filter-lang": "cql2-json"}, "filter"),
    ({"filter": "pg_read_file('/etc/passwd') = 'x'"}, "filter"),
    ({"filter": "a" * 8100}, "filter"),
    ({"sortby": "1;select pg_sleep(9)"}, "sortby"),
    ({"sortby": ""}, "sortby"),
    ({"properties": "name'; drop table onemap.area"}, "properties"),
    ({"after": "-1"}, "after"),
    ({"after": "7", "sortby": "code"}, "after"),
    ({"influence_m": "1"}, "influence_m"),  # of another layer
    ({"geometry": "POINT(1 2)"}, "geometry"),
    ({"attributes": "x"}, "attributes"),
]
BAD_OF_RISK_AREAS = [
    ({"influence_m": "٣"}, "influence_m"),
    ({"influence_m": "1_0"}, "influence_m"),
    ({"influence_m": "nan"}, "influence_m"),
    ({"influence_m": "1e400"}, "influence_m"),
    ({"influence_m": ""}, "influence_m"),
    ({"approximate": "yes"}, "approximate"),
    ({"sortby": "influence_m", "after": "WyJpbmZsdWVuY2VfbSIsMWUzMDAsMV0"}, "after"),
]


async def test_a_bad_question_is_400_by_its_name(client):
    for layer, questions in (("areas", BAD_OF_AREAS), ("risk_areas", BAD_OF_RISK_AREAS)):
        for params, names in questions:
            answer = await client.get(f"/collections/{layer}/items", params=params)
            assert (answer.status_code, answer.json()["parameter"]) == (400, names), params


async def test_findings_have_no_version_and_are_never_old_for_long(own_app, own_toy, toy_settings, monkeypatch):
    monkeypatch.setattr("mapserver.versions.HOLD_S", 0.01)
    path = "/collections/findings/items"
    async with asking(own_app) as analyst:
        analyst.headers.update(bearer(token(toy_settings, own_toy.url, Role.ANALYST)))
        assert await ids(analyst, path) == set()
        with connect(own_toy.url) as connection:
            connection.execute(
                """insert into onemap.finding (run_id, at, kind, changed, message, place)
                select max(run_id), now(), 'gap', false, '', ST_SetSRID(ST_MakePoint(10.01, 50.01), 4326)
                from onemap.run"""
            )
        await own_app.state.versions.refresh()
        assert len(await ids(analyst, path)) == 1
