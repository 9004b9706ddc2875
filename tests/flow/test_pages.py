"""The pages of the interfaces in a real browser: nothing from outside, no error, and a map that shows what they say."""

import io
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

SUBJECT = (0x6C, 0xC7, 0xFF)
"""Colour of what a page is about."""
CHOSEN = (0xFF, 0xB5, 0x47)
CAMPUS = (0x56, 0xB4, 0xE9)
"""Colour of a zone type of the city."""
INCIDENT = (0x8F, 0xD3, 0xFF)

PATHS = {
    "/collections": None,
    "/collections/areas": SUBJECT,
    "/collections/incidents": SUBJECT,
    "/collections/incidents/queryables": None,
    "/collections/areas/items?limit=20": SUBJECT,
    "/collections/incidents/items?limit=20&sortby=-occurred_at&crs=http://www.opengis.net/def/crs/EPSG/0/4326": SUBJECT,
    "/collections/areas/items/30": SUBJECT,
    "/collections/risk_areas/tiles": SUBJECT,
    "/collections/areas/tiles/WebMercatorQuad": SUBJECT,
    "/tileMatrixSets": None,
    "/tileMatrixSets/WebMercatorQuad": None,
    "/styles": None,
    "/styles/incidents": INCIDENT,
    "/styles/risk_areas": CAMPUS,
    "/legend/risk_areas": CAMPUS,
    "/conformance": None,
}
NEAR = 50
"""Lines have soft edges; steps of 255."""


@pytest.fixture(scope="module")
def context(toronto, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-CA")
    context.new_page().goto(f"{toronto.url}/enter?token={toronto.token}")
    yield context
    context.close()


@pytest.fixture
def page(toronto, context):
    """A page that the command room looks at; at the end, nothing went wrong in it and it asked nobody else."""
    page = context.new_page()
    wrong, asked = [], set()
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url)[:2]))
    yield page
    page.close()
    assert [text for text in wrong if "GPU stall" not in text] == []
    assert asked <= {urlsplit(toronto.url)[:2], ("blob", "")}


def drawn(page, colour):
    """How many pixels of the page's map are of about this colour, once it is drawn."""
    page.wait_for_selector(".map[data-shown]", state="attached", timeout=30_000)
    picture = Image.open(io.BytesIO(page.locator(".map").screenshot())).convert("RGB")
    return int((np.abs(np.asarray(picture, int) - colour) < NEAR).all(axis=2).sum())


@pytest.mark.parametrize(("path", "colour"), PATHS.items())
def test_a_page_opens_and_its_map_shows_what_it_is_about(toronto, page, path, colour):
    page.goto(toronto.url + path)
    assert page.locator("h1").inner_text()
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")
    assert (page.locator(".map").count() == 1) == (colour is not None)
    if colour:
        assert drawn(page, colour) > 20
    for width in (1280, 420):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        box = page.locator(".lang").bounding_box()
        assert box["x"] + box["width"] <= width


def test_a_row_and_its_feature_are_chosen_together(toronto, page):
    page.goto(f"{toronto.url}/collections/areas/items?limit=20")
    assert drawn(page, CHOSEN) == 0
    page.hover("tr[data-feature='5']")
    page.wait_for_timeout(500)
    assert drawn(page, CHOSEN) > 20
    assert page.locator("tr.chosen").get_attribute("data-feature") == "5"
    page.hover("h1")
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('tr.chosen')")


def test_the_form_asks_only_for_what_was_filled_in_and_keeps_to_its_language(toronto, page):
    page.goto(f"{toronto.url}/collections/areas/items?lang=zh")
    page.select_option("[name=limit]", "20")
    page.fill("[name=filter]", "level = 'neighbourhood'")
    page.click("form button")
    page.wait_for_url("**/items?lang=zh&filter=level+%3D+%27neighbourhood%27&limit=20")
    assert "140" in page.locator("h1").inner_text()
    page.click("a[rel=next]")
    page.wait_for_url("**after=**")
    assert page.locator("tbody tr").count() == 20
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_the_guide_shows_every_operation_and_tries_one(toronto, page):
    page.goto(f"{toronto.url}/docs")
    page.wait_for_selector(".opblock")
    paths = {text.replace("\u200b", "") for text in page.locator(".opblock-summary-path").all_inner_texts()}
    assert paths == set(toronto.get("/api").json()["paths"])
    page.click("#operations-capabilities-get_conformance .opblock-summary-control")
    page.click("text=Try it out")
    page.click("text=Execute")
    page.wait_for_selector(".live-responses-table .response-col_status >> text=200")
    assert "ogcapi-features-1/1.0/conf/core" in page.locator(".live-responses-table").inner_text()
