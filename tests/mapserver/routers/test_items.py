"""Collections and items over HTTP."""

import csv
import io

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from mapserver.negotiate import csv_bytes
from tests.mapserver.conftest import asking, bearer, running, token


@pytest.fixture
def dispatcher(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.DISPATCHER))


@pytest.fixture
def analyst(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ANALYST))


async def test_the_public_is_offered_what_shows_neither_events_nor_who_serves(client, dispatcher):
    public = (await client.get("/collections")).json()
    assert [each["id"] for each in public["collections"]] == ["areas", "risk_areas", "roads", "places"]
    further = (await client.get("/collections", headers=dispatcher)).json()["collections"][4:]
    assert [each["id"] for each in further] == ["resources", "incidents", "cases", "findings"]
    assert further[1] == (await client.get("/collections/incidents", headers=dispatcher)).json()


@pytest.mark.parametrize(
    "path",
    [
        "/collections/incidents",
        "/collections/incidents/items",
        "/collections/incidents/items/1",
        "/tiles/incidents/12/2161/1387.mvt",
        "/tiles/incidents.json",
    ],
)
async def test_the_public_is_refused_incidents_on_every_path(client, path):
    answer = await client.get(path)
    assert answer.status_code == 403
    assert answer.json()["needs"] == "room"


async def test_next_links_lead_through_all_features_once(client, dispatcher, shared_toy):
    seen, url = [], "/collections/incidents/items?limit=400"
    while url:
        page = (await client.get(url, headers=dispatcher)).json()
        assert page["numberReturned"] == len(page["features"]) <= 400
        assert page.get("numberMatched") == (None if seen else len(shared_toy.rows))
        seen += [each["id"] for each in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert len(set(seen)) == len(seen) == len(shared_toy.rows)


async def test_one_item_is_the_item_of_the_page(client, dispatcher):
    page = (await client.get("/collections/incidents/items?limit=1", headers=dispatcher)).json()
    item = (
        await client.get(f"/collections/incidents/items/{page['features'][0]['id']}", headers=dispatcher)
    ).json()
    assert {link["rel"] for link in item.pop("links")} == {"self", "alternate", "collection"}
    assert item == page["features"][0]


async def test_csv_has_the_rows_of_the_geojson_and_its_next_page_in_a_header(client, dispatcher):
    ask = "/collections/incidents/items?limit=50&bbox=10.02,50.01,10.06,50.04"
    page = (await client.get(ask, headers=dispatcher)).json()
    answer = await client.get(ask + "&f=csv", headers=dispatcher)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["id"]) for row in rows] == [each["id"] for each in page["features"]]
    assert 'rel="next"' in answer.headers["link"]


async def test_a_limit_above_the_most_is_clamped(client, dispatcher, shared_toy):
    page = (await client.get(f"/collections/incidents/items?limit={10**40}", headers=dispatcher)).json()
    assert page["numberReturned"] == len(shared_toy.rows)


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ("limit=0", "limit"),
        ("limit=1.5", "limit"),
        ("limit=abc", "limit"),
        ("bbox=nan,0,1,1", "bbox"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=%D9%A1,2,3,4", "bbox"),
        ("bbox=0,4,1,2", "bbox"),
        ("datetime=2025-02-30T00:00:00Z", "datetime"),
        ("datetime=2025-02-02T00:00:00Z/2025-02-01T00:00:00Z", "datetime"),
        ("after=-1", "after"),
        ("unknown=1", "unknown"),
        ("limit=1&limit=2", "limit"),
        ("v=17", "v"),
        ("f=shp", "f"),
    ],
)
async def test_a_bad_parameter_is_400_by_its_name(client, ask, names):
    answer = await client.get(f"/collections/areas/items?{ask}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == names


@pytest.mark.parametrize("feature", ["1'%20OR%20'1'='1", "-1", str(10**30), "%D9%A1", ":id", "0"])
async def test_an_id_that_is_none_is_404(client, feature):
    assert (await client.get(f"/collections/areas/items/{feature}")).status_code == 404


async def test_a_box_across_the_antimeridian_and_one_over_the_pole_are_answered(client):
    for box in ("177,65,-177,70", "-180,85,180,90", "-180,-90,180,-85"):
        answer = await client.get(f"/collections/areas/items?bbox={box}")
        assert (answer.status_code, answer.json()["features"]) == (200, [])


async def test_an_answer_that_the_caller_has_is_304_and_private_ones_stay_private(client, dispatcher):
    public = await client.get("/collections/areas")
    assert "private" not in public.headers["cache-control"]
    private = await client.get("/collections/incidents", headers=dispatcher)
    assert private.headers["cache-control"].startswith("private")
    again = await client.get("/collections/areas", headers={"If-None-Match": public.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_spreadsheet_formula_in_a_text_is_quoted():
    assert csv_bytes(["a"], [["=cmd|x"], ["+1"], ["plain"], [-3]]) == b"a\n'=cmd|x\n'+1\nplain\n-3\n"


def test_so_is_one_that_begins_with_a_full_width_sign_or_a_break():
    for sign in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\n"):
        (row,) = csv.reader(io.StringIO(csv_bytes(None, [[f"{sign}1", "1"]]).decode(), newline=""))
        assert row == [f"'{sign}1", "1"], sign


def test_no_break_in_a_text_begins_a_row_of_its_own():
    for sign in ("\r", "\n", "\r\n"):
        rows = list(csv.reader(io.StringIO(csv_bytes(None, [[f"a{sign}=1", "1"]]).decode(), newline="")))
        assert rows == [["a\n=1", "1"]]


async def test_links_use_the_configured_address_and_not_a_forged_host(toy_settings, shared_toy):
    server = toy_settings.server.model_copy(update={"public_url": "https://map.example/one/"})
    settings = toy_settings.model_copy(update={"server": server})
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        answer = (await client.get("/collections", headers={"Host": "evil.example"})).json()
    assert answer["links"][0]["href"] == "https://map.example/one/collections"


async def test_the_landing_page_leads_to_everything_that_it_names(client):
    landing = (await client.get("/", headers={"Accept": "application/json"})).json()
    for link in landing["links"]:
        if link["rel"] == "alternate":  # the hub page, which needs built screens
            continue
        path = link["href"].removeprefix("http://map.test")
        assert (await client.get(path)).status_code == 200, path
    assert "attribution" in landing
    conformance = (await client.get("/conformance")).json()
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in conformance["conformsTo"]


async def test_a_question_about_a_time_does_not_restrict_what_is_not_dated(own_app, own_toy):
    with connect(own_toy.url) as connection:
        connection.execute(
            """insert into onemap.place (source, source_key, kind, name_zh, geom, content_hash, run_id)
            select 'toy', '1', 'library', '图书馆', ST_SetSRID(ST_MakePoint(10.02, 50.02), 4326), '', max(run_id)
            from onemap.run"""
        )
    async with asking(own_app) as public:
        about = (await public.get("/collections/places")).json()
        assert "temporal" not in about["extent"]
        (place,) = (await public.get("/collections/places/items?datetime=1999-01-01T00:00:00Z")).json()["features"]
        assert place["properties"] == {"kind": "library", "name_zh": "图书馆", "name_en": None, "source": "toy"}
        assert place["geometry"] == {"type": "Point", "coordinates": [10.02, 50.02]}
        assert (await public.get("/collections/places/items?bbox=10.03,50,10.1,50.1")).json()["features"] == []
        tile = await public.get("/tiles/places/12/2162/1388.mvt")
        assert tile.status_code == 200
        assert "图书馆".encode() in tile.content


async def test_the_extent_in_time_is_given_where_there_is_one(client, dispatcher):
    about = (await client.get("/collections/incidents", headers=dispatcher)).json()
    assert all(about["extent"]["temporal"]["interval"][0])
