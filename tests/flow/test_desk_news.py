"""What comes to the desk by itself: a photo with a report, terms that reach a colour; and a queue longer than a page."""

import io
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from layers.cases import reminders
from layers.core.db import connect
from tests.flow.asks import FAINT, NAMELESS, TWICE, press
from tests.mapserver.asked import PLACE


def photo():
    out = io.BytesIO()
    Image.new("RGB", (1600, 900), "#3b6").save(out, "JPEG")
    return out.getvalue()


def without_photos(route):
    """The city as it is where it takes none."""
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"photo_days": None})


def test_a_photo_goes_from_the_public_page_to_the_desk_and_is_removed_there(city, opened):
    url, admin = city
    public = opened("/report.html", known=False, width=420)
    public.locator("#report-map canvas").wait_for()
    public.locator("#report-category").select_option("noise")
    public.locator("#report-map canvas").click(position={"x": 150, "y": 120})
    assert "30 days" in public.locator("#report-photo-hint").inner_text()
    public.locator("#report-photo").set_input_files(
        {"name": "long.jpg", "mimeType": "image/jpeg", "buffer": b"0" * 8_000_001}
    )
    public.get_by_role("alert").filter(has_text="more than 8 MB").wait_for()
    assert public.locator("#report-photo").input_value() == ""
    public.locator("#report-photo").set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    public.locator("img[alt='The photo that you chose']").wait_for()
    for ask in (NAMELESS, TWICE):
        assert public.evaluate(ask) == []
    public.locator("#report-send").click()
    public.locator("#report-state").wait_for()
    public.context.route("**/city", without_photos)
    public.goto(f"{url}/report.html")
    public.locator("#report-map canvas").wait_for()
    assert public.locator("#report-photo").count() == 0

    desk = opened("/cases.html", tells=("404",))
    asked = []
    desk.on("request", lambda request: asked.append(request.url) if request.url.endswith("/photo") else None)
    desk.locator("[role=option]").wait_for()
    desk.wait_for_timeout(300)
    assert asked == [], "nobody has opened the case"
    desk.locator("[role=option]").click()
    shown = desk.locator("article img")
    shown.wait_for()
    assert "case 1" in shown.get_attribute("alt")
    assert "Noise" in shown.get_attribute("alt")
    expect(shown).to_have_js_property("naturalWidth", 1280)
    for ask in (NAMELESS, TWICE, FAINT):
        assert desk.evaluate(ask) == []
    desk.get_by_role("button", name="Remove photo").click()
    desk.get_by_text("Remove it for good?").wait_for()
    desk.get_by_role("button", name="Remove photo").click()
    shown.wait_for(state="detached")
    assert httpx.get(f"{url}/cases/1/photo", headers=admin).status_code == 404


@pytest.fixture
def late(city, own_toy):
    """A case whose terms are over, and one whose term is long over; nobody was told of them yet."""
    url, admin = city
    for key in ("a", "b", "c"):
        httpx.post(f"{url}/cases", headers=admin, json={"source_key": key, "category": "theft", **PLACE})
    now = datetime.now(UTC)
    with connect(own_toy.url) as connection:
        for case_id, hours in ((1, 1), (2, 9)):
            connection.execute(
                """update onemap.case_deadline set due_at = %(due)s, warn_at = null, red_at = %(red)s
                where case_id = %(case)s""",
                {"case": case_id, "due": now - timedelta(hours=hours), "red": now - timedelta(hours=hours - 4)},
            )

    def tell():
        asked = reminders.remind(now)
        with connect(own_toy.url) as connection:
            return connection.execute(asked.sql.encode(), asked.params).fetchall()

    return tell


def test_terms_that_reach_a_colour_are_told_calmly_and_lead_to_their_cases(city, late, opened):
    url, admin = city
    page = opened("/cases.html")
    page.locator(".badge.live").wait_for()
    page.locator("[role=listbox]:focus").wait_for()
    strip = page.get_by_label("Reminders")
    assert strip.inner_text() == ""
    late()
    strip.get_by_role("status").get_by_text("1 became long overdue").wait_for()
    strip.get_by_role("status").get_by_text("1 became overdue").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "listbox", "nobody is torn away"
    for ask in (NAMELESS, TWICE, FAINT):
        assert page.evaluate(ask) == []
    strip.locator("li button", has_text=re.compile("^2")).click()
    page.locator("article", has_text="Case 2").wait_for()
    strip.get_by_text("1 became long overdue").wait_for(state="detached")
    httpx.post(f"{url}/cases/1/moves", headers=admin, json={"move": "accept", "version": 0})
    strip.get_by_text("1 became overdue").wait_for(state="detached")
    page.locator("[role=listbox]").focus()
    press(page, "g")
    page.locator("h1", has_text="案件工作台").wait_for()


def test_the_queue_says_how_long_it_is_and_any_area_of_a_city_can_be_asked_for(city, own_toy, opened):
    url, admin = city
    for key in ("a", "b"):
        httpx.post(f"{url}/cases", headers=admin, json={"source_key": key, "category": "theft", **PLACE})
    with connect(own_toy.url) as connection:
        connection.execute(
            """insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at, cell,
              zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
            select workflow, source, n::text, category, severity, origin, reported_at, cell, zones, spot, geom, state, true, 0,
              entered_at, changed_at, 0, false, '{}' from (select * from onemap.case_file limit 1) one, generate_series(1, 1200) n"""
        )
        connection.execute(
            """insert into onemap.area (level_rank, code, name_zh, name_en, source)
            select 2, format('A%s', lpad(n::text, 4, '0')), format('前%s', n), format('Before %s', n), 'test'
            from generate_series(1, 1100) n"""
        )
    page = opened("/cases.html")
    page.get_by_text("200 of 1,202 in the queue").wait_for()
    assert page.locator("[role=option]").first.get_attribute("aria-setsize") == "1202"
    area = page.get_by_role("combobox", name="Area")
    area.click()
    page.get_by_role("option", name="Area V1 V1", exact=True).wait_for()
    area.fill("V1G")
    page.get_by_role("option", name="Area V1G2 V1G2", exact=True).wait_for()
    page.get_by_role("option", name="Area V1 V1", exact=True).wait_for(state="detached")
    press(page, "ArrowDown", "ArrowUp", "ArrowDown")
    chosen = page.locator(".picker [aria-selected=true] small").inner_text()
    press(page, "Enter")
    page.wait_for_url("**area=*")
    assert chosen == "V1G2"
    page.reload()
    expect(page.get_by_role("combobox", name="Area")).to_have_value("Area V1G2")
    for ask in (NAMELESS, TWICE, FAINT):
        assert page.evaluate(ask) == []
    page.get_by_role("combobox", name="Area").fill("")
    page.get_by_text("200 of 1,202 in the queue").wait_for()
    press(page, "Escape")
    page.get_by_role("combobox", name="Area").fill("nowhere")
    page.get_by_text("No area of that name").wait_for()
