"""The screen of measures and service load: read, filtered, filled in and worked by the keyboard, in both languages."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from etl import service_kind
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import Settings
from tests.flow.asks import FAINT, FOCUSED, NAMELESS, OUTSIDE, TWICE, press
from tests.mapserver.conftest import token

HAN = re.compile(r"[一-鿿]")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def measured(city, own_toy):
    """Measures of two offices and a campaign, evidence for some of them, and counts of services of last month."""
    url, admin = city

    def post(path, **body):
        answer = httpx.post(f"{url}{path}", headers=admin, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    days = {"first_day": str(TODAY - timedelta(days=20)), "last_day": str(TODAY + timedelta(days=40))}
    post("/measures/campaigns", code="spring", name_zh="春季行动", name_en="Spring", **days)
    for key, zone, unit, every, zh, en in (
        ("a", "school", "school office", "weekly", "校园周边检查", "Checks around schools"),
        ("b", "market", "market office", "daily", "市场巡查", "Rounds of the market"),
        ("c", None, "school office", "once", "春季宣传", "Spring leaflets"),
    ):
        bound = {"zone_type": zone} if zone else {"campaign": "spring"}
        name = {"name_zh": zh, "name_en": en}
        post("/measures", key=key, unit=unit, every=every, target=2, **name, **bound, **days)
    with connect(own_toy.url) as connection:
        connection.execute(
            "update onemap.measure set registered_at = %s", [datetime.now(UTC) - timedelta(days=20)]
        )
    for number in range(3):
        post("/measures/1/evidence", key=f"e{number}", count=1)
    begins = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
    with connect(own_toy.url) as connection:
        for area, kind, due, done in (
            ("D", "care", 64, 30),
            ("V1", "care", 60, 28),
            ("V2", "care", 4, 2),
            ("V2", "visit", 40, 20),
        ):
            connection.execute(
                """insert into onemap.service_load (source, source_key, area_id, class, since, until, due, done,
                  content_hash, run_id, link) values ('office', %(key)s, %(area)s, %(kind)s,
                  %(since)s::timestamp at time zone 'Europe/Berlin', %(until)s::timestamp at time zone 'Europe/Berlin',
                  %(due)s, %(done)s, '', 1, 'https://office.example/load')""",
                {"key": area + kind, "area": own_toy.area_id(area), "kind": kind, "due": due, "done": done,
                 "since": begins, "until": TODAY.replace(day=1)},
            )  # fmt: skip
        service_kind.hide(connection)
    return url, admin


def test_measures_are_found_read_and_told_of_by_the_keyboard(measured, opened):
    page = opened("/measures.html")
    rows = page.locator(".list table").nth(1).locator("tbody tr")
    rows.nth(2).wait_for()
    assert page.locator("caption").inner_text() == "Coverage by zone type"
    page.get_by_role("button", name="Checks around schools").focus()
    press(page, "Enter")
    article = page.locator("article", has_text="Checks around schools")
    article.get_by_text("school office").wait_for()
    page.locator("input[name=count]").focus()
    page.keyboard.type("2")
    press(page, "Enter")
    article.get_by_role("status").get_by_text(re.compile(r"Kept for period \d")).wait_for()
    press(page, "Escape")
    article.wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Checks around schools"

    page.get_by_role("button", name="Overdue", exact=True).press("Enter")
    page.wait_for_url("**show=overdue**")
    page.get_by_role("button", name="All", exact=True).press("Enter")
    page.get_by_role("combobox", name="Campaign").select_option("spring")
    rows.nth(1).wait_for(state="detached")
    assert "Spring leaflets" in rows.nth(0).inner_text()
    page.reload()
    rows.nth(0).wait_for()
    assert rows.count() == 1, "the address says it all"
    page.get_by_role("button", name="Clear filters").press("Enter")
    rows.nth(2).wait_for()
    page.locator("caption + thead + tbody button").first.press("Enter")
    rows.nth(1).wait_for(state="detached")
    assert "zone=" in page.url


def test_the_room_opens_no_measure_and_sees_no_small_count_and_who_is_seated_does_both(
    measured, opened, tmp_path, own_toy
):
    page = opened("/measures.html", tells=("400",))
    page.get_by_role("button", name="New measure").press("Enter")
    assert page.evaluate("document.activeElement.name") == "name_zh"
    for name, text in (("name_zh", "夜市检查"), ("name_en", "Night market"), ("unit", "market office")):
        page.fill(f"input[name={name}]", text)
    page.fill("input[name=first_day]", str(TODAY))
    page.fill("input[name=last_day]", str(TODAY + timedelta(days=6)))
    page.locator("aside form .main").click()
    page.get_by_role("alert").get_by_text("Choose a zone type, an area or a campaign.").wait_for()
    area = page.locator("aside").get_by_role("combobox", name="Area")
    area.fill("V1G1")
    page.get_by_role("option", name="Area V1G1").click()
    page.locator("aside form .main").click()
    page.locator("article", has_text="Night market").get_by_text("V1G1").wait_for()
    page.locator(".list").get_by_role("button", name="Night market").wait_for()
    room = token(Settings(home=tmp_path / "home"), own_toy.url, Role.ROOM)
    reader = opened(f"/enter?token={room}&to=/measures.html?measure=1", known=False)
    reader.locator("article dl").wait_for()
    assert reader.locator("aside form").count() == 0
    assert reader.get_by_role("button", name="New measure").count() == 0

    page.get_by_role("button", name="Service load").click()
    page.locator("tbody tr", has_text="Area V2").wait_for()
    assert "2 / 4" in page.locator("tbody tr", has_text="Area V2").inner_text()
    link = page.get_by_role("link", name=re.compile("Open Area V2")).first
    assert link.get_attribute("href") == "https://office.example/load"
    reader.get_by_role("button", name="Service load").click()
    row = reader.locator("tbody tr", has_text="Area V2")
    row.get_by_text("withheld").wait_for()
    assert "20 / 40" in row.inner_text()
    reader.get_by_text("withheld: below 10").wait_for()
    reader.get_by_role("combobox", name="Class").select_option("visit")
    reader.locator("tbody tr", has_text="Area V1").wait_for(state="detached")
    for ask in (NAMELESS, TWICE, FAINT):
        assert reader.evaluate(ask) == []


def test_the_screen_can_be_left_and_read_by_everybody_by_day_and_by_night(measured, opened):
    for scheme, lang, width in (("dark", "zh", 1280), ("light", "en", 1920)):
        page = opened(f"/measures.html?measure=1&lang={lang}", scheme=scheme, width=width)
        page.locator("article dl").wait_for()
        page.locator(".list tbody tr").nth(4).wait_for()
        stops = [page.evaluate(FOCUSED)]
        for _ in range(60):
            press(page, "Tab")
            stop = page.evaluate(FOCUSED)
            if stop == stops[0]:
                break
            stops += [stop] if stop != stops[-1] else []  # the parts of a date are one field
        assert stop == stops[0], "Tab goes round, and is caught nowhere"
        assert len(stops) >= 20
        assert [html for _, seen, html in stops if not seen] == []
        for step in ("", "&new", "&tab=load"):
            page.goto(page.url.partition("?")[0] + f"?lang={lang}{step or '&measure=1'}")
            page.locator("aside, caption").first.wait_for()
            page.wait_for_timeout(300)
            for ask in (NAMELESS, TWICE, FAINT):
                assert page.evaluate(ask) == [], step
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if lang == "zh":
            page.goto(page.url.partition("?")[0] + "?lang=zh")
            page.locator("caption").wait_for()
            texts = page.locator("th[scope=col], form button, caption").all_inner_texts()
            assert [text for text in texts if not HAN.search(text)] == []
    page.set_viewport_size({"width": 420, "height": 860})
    assert page.evaluate(OUTSIDE) == []
    stranger = opened("/measures.html?lang=zh", known=False)
    stranger.locator("h1", has_text="您无权查看此页").wait_for()
    assert stranger.evaluate(FAINT) == []
    hub = opened("/", known=False)
    assert (
        hub.get_by_role("link", name=re.compile("Measures and service load")).get_attribute("href")
        == "/measures.html"
    )
