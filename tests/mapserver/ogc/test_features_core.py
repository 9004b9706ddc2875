"""OGC API Features 1.0, Core: its abstract tests by their names, with the boxes that the OGC's suite sends."""

from datetime import UTC, datetime

import pytest

from layers.core.span import parse_instant
from mapserver.conformance import CONFORMANCE
from tests.mapserver.ogc.conftest import boxes, links

CLASSES = ("ogcapi-features-1/1.0/conf/core",)

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
INCIDENTS = "/collections/incidents/items"
AREAS = "/collections/areas/items"


async def got(api, path, **query):
    answer = await api.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def parameter(api, name):
    document = await got(api, "/api", f="oas30")
    given = document["paths"]["/collections/{layer_id}/items"]["get"]["parameters"]
    found = [
        document["components"]["parameters"][each["$ref"].rpartition("/")[2]] for each in given if "$ref" in each
    ]
    return next(each for each in found if each["name"] == name)


async def test_http(api):
    for path in ("/", "/conformance", "/collections", "/collections/areas", AREAS):
        assert (await api.head(path)).status_code == (await api.get(path)).status_code == 200
        wrong = await api.delete(path)
        assert (wrong.status_code, "GET" in wrong.headers["allow"]) == (405, True)


async def test_crs84(api):
    for west, south, east, north in boxes((await got(api, AREAS))["features"]):
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90


async def test_root_op_and_success(api):
    landing = await got(api, "/")
    for rel in ("self", "service-desc", "conformance", "data"):
        (first, *_) = links(landing, rel)
        assert first["type"]
        assert (await api.get(first["href"].removeprefix("http://map.test"))).status_code == 200


async def test_api_definition_op_and_success(api):
    described = links(await got(api, "/"), "service-desc")
    assert [link["type"].rpartition("=")[2] for link in described] == ["3.0", "3.1"]
    for link in described:
        answer = await api.get(link["href"].removeprefix("http://map.test"))
        assert (answer.headers["content-type"], answer.status_code) == (link["type"], 200)


async def test_conformance_op_and_success(api):
    declared = (await got(api, "/conformance"))["conformsTo"]
    assert tuple(declared) == CONFORMANCE
    assert f"http://www.opengis.net/spec/{CLASSES[0]}" in declared


async def test_fc_md_op_and_success(api):
    body = await got(api, "/collections")
    assert links(body, "self")
    assert all(link["type"] for link in links(body, "self") + links(body, "alternate"))
    for collection in body["collections"]:
        assert collection["id"]
        assert links(collection, "items")
        assert all(link["rel"] and link["type"] for link in links(collection, "items"))


async def test_fc_md_extent(api):
    for collection in (await got(api, "/collections"))["collections"]:
        spatial = collection["extent"]["spatial"]
        assert spatial["crs"] == CRS84
        features = (await got(api, f"/collections/{collection['id']}/items", limit=10_000))["features"]
        ((west, south, east, north),) = spatial["bbox"]
        for box in boxes(features):
            assert west <= box[0] <= box[2] <= east
            assert south <= box[1] <= box[3] <= north
        for start, end in collection["extent"].get("temporal", {}).get("interval", []):
            assert start is None or end is None or parse_instant(start, "start") <= parse_instant(end, "end")


async def test_sfc_md_op_and_success(api):
    for collection in (await got(api, "/collections"))["collections"]:
        assert await got(api, f"/collections/{collection['id']}") == collection
    assert (await api.get("/collections/nope")).status_code == 404


async def test_fc_op_and_response(api, shared_toy):
    page = await got(api, INCIDENTS, limit=10_000)
    assert page["type"] == "FeatureCollection"
    assert len(page["features"]) == len(shared_toy.rows)


async def test_fc_bbox_definition(api):
    said = await parameter(api, "bbox")
    assert (said["in"], said["required"], said["style"], said["explode"]) == ("query", False, "form", False)
    assert said["schema"] == {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}


@pytest.mark.parametrize(
    "box",
    [
        "-1.5,50,1.5,53",
        "-80,-5,-70,5",
        "177,65,-177,70",
        "-180,85,180,90",
        "-180,-90,180,-85",
        "10.02,50.01,10.06,50.04",
    ],
)
async def test_fc_bbox_response(api, shared_toy, box):
    west, south, east, north = (float(number) for number in box.split(","))
    page = await got(api, INCIDENTS, bbox=box, limit=10_000)
    inside = [
        row
        for row in shared_toy.rows
        if south <= row.lat <= north and (west <= row.lon <= east if west <= east else not east < row.lon < west)
    ]
    assert page["numberReturned"] == len(inside)
    with_heights = f"{west},{south},-10,{east},{north},10000"
    assert (await got(api, INCIDENTS, bbox=with_heights, limit=10_000))["features"] == page["features"]


async def test_fc_limit_definition(api):
    said = await parameter(api, "limit")
    assert (said["in"], said["required"], said["style"], said["explode"]) == ("query", False, "form", False)
    assert said["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}


@pytest.mark.parametrize("limit", [1, 5, 99, 10_000, 10_001])
async def test_fc_limit_response(api, shared_toy, limit):
    page = await got(api, INCIDENTS, limit=limit)
    assert page["numberReturned"] == len(page["features"]) == min(limit, len(shared_toy.rows))
    assert (await got(api, INCIDENTS))["numberReturned"] == 100


async def test_fc_time_definition(api):
    said = await parameter(api, "datetime")
    assert (said["in"], said["required"], said["style"], said["explode"]) == ("query", False, "form", False)
    assert said["schema"]["type"] == "string"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("2025-02-01T00:00:00Z/2025-02-11T00:00:00Z", "2025-02-01", "2025-02-11"),
        ("../2025-02-01T00:00:00Z", None, "2025-02-01"),
        ("/2025-02-01T00:00:00Z", None, "2025-02-01"),
        ("2025-04-01T00:00:00Z/..", "2025-04-01", None),
        ("2025-04-01T00:00:00Z/", "2025-04-01", None),
    ],
)
async def test_fc_time_response(api, shared_toy, asked, first, last):
    page = await got(api, INCIDENTS, datetime=asked, limit=10_000)
    low, high = (text and datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    inside = [row for row in shared_toy.rows if (not low or row.at >= low) and (not high or row.at <= high)]
    assert page["numberReturned"] == len(inside) > 0


async def test_fc_time_response_of_an_instant(api, shared_toy):
    row = shared_toy.rows[0]
    page = await got(api, INCIDENTS, datetime=row.at.isoformat().replace("+00:00", "Z"))
    assert page["numberReturned"] == len([each for each in shared_toy.rows if each.at == row.at])


@pytest.mark.parametrize(
    "path", ["/", "/conformance", "/collections", "/collections/areas", AREAS, f"{AREAS}/1", "/api"]
)
async def test_query_param_unknown(api, path):
    answer = await api.get(path, params={"unknownQueryParameter": "1"})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "unknownQueryParameter")


@pytest.mark.parametrize(
    "query", ["limit=ten", "limit=0", "limit=-1", "bbox=1,2,3", "bbox=a,b,c,d", "datetime=soon"]
)
async def test_query_param_invalid(api, query):
    answer = await api.get(f"{AREAS}?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, query.partition("=")[0])


async def test_fc_links(api):
    page = await got(api, INCIDENTS, limit=7, bbox="10,50,10.1,50.06")
    (own,) = links(page, "self")
    assert (await got(api, own["href"].removeprefix("http://map.test")))["features"] == page["features"]
    assert links(page, "alternate")
    (further,) = links(page, "next")
    following = await got(api, further["href"].removeprefix("http://map.test"))
    assert following["numberReturned"] == 7
    assert not {each["id"] for each in page["features"]} & {each["id"] for each in following["features"]}
    assert not links(await got(api, AREAS, limit=10_000), "next")
    assert all(link["rel"] and link["type"] for link in page["links"])


async def test_fc_time_stamp(api):
    stamp = parse_instant((await got(api, AREAS))["timeStamp"], "timeStamp")
    assert abs((datetime.now(UTC) - stamp).total_seconds()) < 60


@pytest.mark.parametrize("limit", [1, 10, 10_000])
@pytest.mark.parametrize("box", ["10,50,10.1,50.06", "10.02,50.01,10.06,50.04", "0,0,1,1"])
async def test_fc_number_matched_and_returned(api, limit, box):
    whole = await got(api, INCIDENTS, bbox=box, limit=10_000)
    page = await got(api, INCIDENTS, bbox=box, limit=limit)
    assert page["numberReturned"] == len(page["features"])
    assert page.get("numberMatched", whole["numberReturned"]) == whole["numberReturned"]


async def test_f_op_and_success(api):
    for feature in (await got(api, AREAS, limit=3))["features"]:
        one = await got(api, f"{AREAS}/{feature['id']}")
        assert (one["type"], one["id"], one["properties"]) == ("Feature", feature["id"], feature["properties"])
        assert {link["rel"] for link in one["links"]} >= {"self", "collection"}
        assert all(link["type"] for link in one["links"])
    assert (await api.get(f"{AREAS}/999999")).status_code == 404
