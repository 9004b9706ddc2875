"""Bad inputs 1-20 and 29-33: queries, ids and URLs."""

import time

import pytest

from layers.core.db import connect
from tests.mapserver.hostile.conftest import refused

ITEMS = "/collections/incidents/items"
AREAS = "/collections/areas/items"

# number: what is asked of the items, and the parameter that the refusal names
REFUSED = {
    1: [("bbox=nan,0,1,1", "bbox"), ("bbox=0,0,1,inf", "bbox"), ("bbox=0,-Infinity,1,1", "bbox")],
    2: [("bbox=1e400,0,1,1", "bbox"), ("bbox=1e-99999999,0,1,1", "bbox")],
    3: [("bbox=1,2,3", "bbox"), ("bbox=1,2,3,4,5", "bbox"), ("bbox=", "bbox"), ("bbox=1,,3,4", "bbox")],
    4: [("bbox=0,4,1,2", "bbox")],
    5: [("bbox=%D9%A1,2,3,4", "bbox"), ("limit=%D9%A1", "limit"), ("bbox=%EF%BC%91,2,3,4", "bbox")],
    6: [("bbox=1_0,2,30,4", "bbox"), ("limit=1_0", "limit")],
    9: [("bbox=0,0,181,1", "bbox"), ("bbox=-180.0001,0,1,1", "bbox"), ("bbox=0,0,1,90.5", "bbox")],
    11: [(f"limit={each}", "limit") for each in ("0", "-1", "1.5", "abc", "", "1e3", "0x10", "%2B%2B1")],
    14: [("surprise=1", "surprise"), ("BBOX=1,2,3,4", "BBOX"), ("__proto__=1", "__proto__"), ("limit%5B%5D=1", "limit[]")],
    15: [("limit=1&limit=2", "limit"), ("bbox=1,2,3,4&bbox=1,2,3,4", "bbox")],
    16: [("datetime=2025-02-30", "datetime"), ("datetime=2025-02-30T00:00:00Z", "datetime"), ("datetime=0", "datetime")],
    17: [("datetime=2025-02-02T00:00:00Z/2025-02-01T00:00:00Z", "datetime")],
    19: [
        ("datetime=0001-01-01T00:00:00%2B23:59", "datetime"),
        ("datetime=9999-12-31T23:59:59-23:59", "datetime"),
        ("datetime=2025-01-01T00:00:00%2B99:99", "datetime"),
        ("datetime=" + 60 * "9", "datetime"),
    ],
    20: [
        ("crs=http://www.opengis.net/def/crs/EPSG/0/99999", "crs"),
        ("crs=EPSG:4326;drop", "crs"),
        ("bbox=1,2,3,4&bbox-crs=file:///etc/passwd", "bbox-crs"),
        ("crs=", "crs"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "query", "named"), [(number, *case) for number, cases in REFUSED.items() for case in cases]
)
async def test_a_query_that_cannot_be_read_is_refused_by_its_name(api, number, query, named):
    refused(await api.get(f"{ITEMS}?{query}"), 400, named)


async def test_07_a_box_across_the_antimeridian_is_two_boxes(api, shared_toy):
    assert (await api.get(f"{ITEMS}?bbox=177,65,-177,70")).json()["features"] == []
    around = (await api.get(f"{ITEMS}?bbox=10.09,50,10.0,50.06&limit=10000")).json()  # all but a strip in the city
    outside = [row for row in shared_toy.rows if not 10.0 < row.lon < 10.09]
    assert around["numberReturned"] == len(outside) > 0


@pytest.mark.parametrize("box", ["-180,85,180,90", "-180,-90,180,-85", "-180,-90,180,90", "0,90,0,90"])
async def test_08_the_poles_are_on_the_globe(api, box):
    assert (await api.get(f"{ITEMS}?bbox={box}&limit=1")).status_code == 200


async def test_10_the_whole_world_is_a_page_like_any_other(api):
    begun = time.monotonic()
    page = (await api.get(f"{ITEMS}?bbox=-180,-90,180,90&limit=10")).json()
    assert (page["numberReturned"], time.monotonic() - begun < 3) == (10, True)


@pytest.mark.parametrize("limit", [10_001, 2**31, 2**63, 2**64])
async def test_12_a_limit_above_the_most_is_the_most(api, shared_toy, limit):
    page = (await api.get(f"{ITEMS}?limit={limit}")).json()
    assert page["numberReturned"] == min(10_000, len(shared_toy.rows))


@pytest.mark.parametrize("digits", [40, 4000])
async def test_13_a_limit_without_end_does_not_overflow(api, digits):
    answer = await api.get(f"{ITEMS}?limit=1{'0' * digits}")
    assert answer.status_code in {200, 400}


async def test_18_an_interval_open_at_both_ends_is_all_of_time(api, shared_toy):
    page = (await api.get(f"{ITEMS}?datetime=../..&limit=10000")).json()
    assert page["numberReturned"] == len(shared_toy.rows)


@pytest.mark.parametrize(
    "feature", ["1'%20OR%20'1'='1", "-1", str(10**30), "%D9%A1", "1e3", "0x1", "%201", "1;select%201", "0", "null"]
)
async def test_29_an_id_that_is_none_is_not_found(api, feature):
    refused(await api.get(f"{ITEMS}/{feature}"), 404)


@pytest.mark.parametrize(
    "url",
    [
        "/%00",
        f"{ITEMS}?limit=%00",
        f"{ITEMS}?%00=1",
        f"{ITEMS}/%00",
        "/tiles/areas%00.json",
        f"{ITEMS}?filter=a%00",
    ],
)
async def test_30_a_nul_anywhere_is_refused(api, url):
    assert refused(await api.get(url), 400)["type"] == "urn:onemap:bad-url"


@pytest.mark.parametrize(
    "url", ["/%ff", f"{ITEMS}?limit=%ff", f"{ITEMS}/%c3", "/%ed%a0%80", f"{ITEMS}?filter=%c0%af"]
)
async def test_31_what_is_no_utf_8_is_refused(api, url):
    assert refused(await api.get(url), 400)["type"] == "urn:onemap:bad-url"


@pytest.mark.parametrize("url", [f"{ITEMS}?filter={'a' * 8192}", f"/{'a' * 8192}"])
async def test_32_a_url_of_more_than_8_kb_is_too_long(api, url):
    refused(await api.get(url), 414)


@pytest.mark.parametrize("name", [":id", "%7Bid%7D", "%7Blayer_id%7D", "*", "__class__"])
async def test_33_the_name_of_a_parameter_is_no_key(api, name):
    refused(await api.get(f"{AREAS}/{name}"), 404)
    refused(await api.get(f"/collections/{name}/items"), 404)


async def test_the_table_of_incidents_still_stands(town):
    with connect(town.url) as connection:
        assert connection.execute("select count(*) as n from onemap.incident").fetchone()["n"] > 0
