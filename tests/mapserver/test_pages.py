"""Pages for people: the same answers as JSON, in two languages, with every text of the data taken as text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from mapserver import pages
from mapserver.phrases import PHRASES
from tests.mapserver.conftest import asking, bearer, running, token

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TEMPLATES = Path(pages.__file__).parent / "templates"
PATHS = [
    "/collections",
    "/collections/areas",
    "/collections/areas/queryables",
    "/collections/areas/sortables",
    "/collections/areas/items",
    "/collections/areas/items/1",
    "/tiles",
    "/collections/areas/tiles",
    "/collections/areas/tiles/WebMercatorQuad",
    "/tileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad",
    "/styles",
    "/styles/areas",
    "/legend/risk_areas",
    "/conformance",
    "/docs",
]
HOSTILE = """</td><script>alert(1)</script><img src=x onerror="alert(2)">'"&{{ 7 * 7 }}"""


class Page(HTMLParser):
    """A page as a browser takes it apart: its tags with their attributes, and its text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def hrefs(self):
        return [attrs["href"] for tag, attrs in self.tags if tag == "a"]


async def page(client, path, **headers):
    answer = await client.get(path, headers=BROWSER | headers)
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
    return answer, Page(answer.text)


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_gets_a_page_and_a_program_gets_json(client, path):
    answer, made = await page(client, path)
    assert answer.status_code == 200
    assert ("html", {"lang": "en"}) in made.tags
    assert {"Accept", "Accept-Language", "Authorization", "Cookie"} <= set(answer.headers["vary"].split(", "))
    if path != "/docs":
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            assert "json" in (await client.get(path, headers=headers)).headers["content-type"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_link_of_a_page_leads_somewhere_in_the_language_of_the_page(client, path):
    answer, made = await page(client, f"{path}?lang=zh")
    assert answer.headers["content-language"] == "zh"
    assert ("html", {"lang": "zh-CN"}) in made.tags
    for href in set(made.hrefs()):
        assert href.startswith(("/", "http://map.test/"))
        assert (await client.get(href, headers=BROWSER)).status_code in (200, 503), href
    inner = [
        href
        for href in made.hrefs()
        if "f=" not in href and href != "/" and ".json" not in href and href != "/api"
    ]
    assert [href for href in inner if "lang=zh" not in href and "lang=en" not in href] == []


@pytest.mark.parametrize(
    ("asked", "accepted", "spoken"),
    [("", "zh-CN,en;q=0.5", "zh"), ("", "fr,en-GB,zh", "en"), ("", "fr", "en"), ("?lang=en", "zh", "en")],
)
async def test_a_page_speaks_the_language_asked_for(client, asked, accepted, spoken):
    answer, made = await page(client, f"/collections{asked}", **{"Accept-Language": accepted})
    assert answer.headers["content-language"] == spoken
    assert PHRASES[spoken]["collections_lead"] in made.texts
    assert {"Areas", "区域"} <= set(made.texts)


async def test_a_language_that_pages_do_not_speak_is_a_problem(client):
    answer = await client.get("/collections?lang=fr")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "lang")


async def test_a_page_of_features_says_what_the_json_says_and_leads_on(client):
    _, made = await page(client, "/collections/areas/items?limit=3")
    told = (await client.get("/collections/areas/items?limit=3")).json()
    for feature in told["features"]:
        assert feature["properties"]["code"] in made.texts
        assert f"/collections/areas/items/{feature['id']}" in made.hrefs()
    on = next(attrs["href"] for tag, attrs in made.tags if attrs.get("rel") == "next")
    _, second = await page(client, on)
    shown = [attrs["data-feature"] for tag, attrs in second.tags if tag == "tr" and "data-feature" in attrs]
    assert shown == ["4", "5", "6"]


async def test_a_page_has_no_more_rows_than_its_map_and_than_are_written_in_a_moment(
    toy_settings, shared_toy, client
):
    room = bearer(token(toy_settings, shared_toy.url, Role.ROOM))
    _, made = await page(client, "/collections/incidents/items?limit=5000", **room)
    rows = [attrs for tag, attrs in made.tags if "data-feature" in attrs]
    shown = next(attrs["data-features"] for tag, attrs in made.tags if "data-features" in attrs)
    assert len(rows) == pages.MOST_ROWS
    assert len((await client.get(shown, headers=room)).json()["features"]) == pages.MOST_ROWS
    assert any(attrs.get("rel") == "next" for tag, attrs in made.tags)


async def test_a_page_names_no_script_or_style_of_its_own_and_nothing_from_elsewhere(client):
    for path in PATHS:
        answer, made = await page(client, path)
        assert not re.search(r"\son\w+=|javascript:|\sstyle=", answer.text)
        for tag, attrs in made.tags:
            assert tag != "style"
            assert tag != "script" or attrs["src"].startswith("/assets/")
            assert attrs.get("src", "/").startswith("/")


async def test_a_page_loads_what_the_build_names_and_goes_without_where_there_is_none(
    toy_settings, shared_toy, dist
):
    manifest = {
        "_base.js": {"file": "assets/base-1.js", "css": ["assets/base-1.css"]},
        "src/apps/pages/main.ts": {
            "file": "assets/pages-1.js", "css": ["assets/pages-1.css"], "imports": ["_base.js"],
            "dynamicImports": ["src/apps/pages/map.ts"],
        },
        "src/apps/pages/map.ts": {"file": "assets/map-1.js", "css": ["assets/map-1.css"]},
        "src/core/ui/icon.svg": {"file": "assets/icon-1.svg"},
    }  # fmt: skip
    settings = toy_settings.model_copy(update={"screens": dist})
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        _, without = await page(client, "/conformance")
        (dist / "assets" / "manifest.json").write_text(json.dumps(manifest))
        _, made = await page(client, "/conformance")
    assert not [tag for tag, _ in without.tags if tag in ("script", "link", "img")]
    assert [attrs["href"] for _, attrs in made.tags if attrs.get("rel") == "stylesheet"] == [
        "/assets/base-1.css",
        "/assets/pages-1.css",
    ]
    assert [attrs["src"] for tag, attrs in made.tags if tag == "script"] == ["/assets/pages-1.js"]


@pytest.mark.parametrize("path", ["/collections/areas/items?lang=en", "/collections/areas/items/1?lang=en"])
async def test_hostile_text_in_the_data_is_shown_as_text(toy_settings, own_toy, path):
    with connect(own_toy.url) as connection:
        connection.execute("update onemap.area set name_en = %s", [HOSTILE])
    async with running(toy_settings, own_toy.url) as app, asking(app) as client:
        _, made = await page(client, path)
    assert HOSTILE in "".join(made.texts)
    assert not [tag for tag, attrs in made.tags if (tag == "script" and "src" not in attrs) or "onerror" in attrs]


async def test_hostile_text_in_the_question_is_shown_as_text(client):
    for path in ("/collections/areas/items", "/collections/nope", "/nope"):
        answer, made = await page(client, path + "?datetime=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert answer.status_code in (400, 404)
        assert "<script>alert" not in answer.text
    _, made = await page(client, "/collections/%3Cscript%3Ealert(1)%3C%2Fscript%3E/items")
    assert [attrs for tag, attrs in made.tags if tag == "script" and "src" not in attrs] == []


async def test_a_problem_is_a_page_for_a_browser_only_and_says_the_same(client):
    path = "/collections/areas/items?limit=none"
    answer, made = await page(client, path)
    told = await client.get(path)
    assert (answer.status_code, told.status_code) == (400, 400)
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["title"] in made.texts
    assert answer.headers["cache-control"] == "no-store"
    plain, _ = await page(client, path, **{"Accept-Encoding": "identity"})
    assert int(plain.headers["content-length"]) == len(plain.content) > 500
    asked = await client.get(f"{path}&f=geojson", headers=BROWSER)
    assert asked.headers["content-type"] == "application/problem+json"


def test_both_languages_have_words_for_the_same_and_every_word_is_used():
    assert PHRASES["en"].keys() == PHRASES["zh"].keys()
    assert all(word for words in PHRASES.values() for word in words.values())
    written = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.html"))
    assert "words[what" in written  # one page is of queryables and of sortables
    used = (
        {"sortables", "sortables_lead", "queryables_lead"}
        | set(re.findall(r"words\.(\w+)", written))
        | set(re.findall(r'"/\w+", "(\w+)"', written))
    )
    assert used == PHRASES["en"].keys()
