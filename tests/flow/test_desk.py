"""A dispatcher's way: the desk from the keyboard alone, and a report from its citizen to its evaluation."""

import re

import httpx
import pytest

from layers.core.db import connect
from tests import toy
from tests.flow.asks import FAINT, FOCUSED, NAMELESS, OUTSIDE, TWICE, press
from tests.mapserver.asked import PLACE

HAN = re.compile(r"[一-鿿]")

# Each alert that appears from now on, also one that goes again at once.
WATCH_ALERTS = """() => {
  window.alerts = [];
  const look = () => document.querySelectorAll("[role=alert]").forEach((one) => window.alerts.push(one.textContent));
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


@pytest.fixture
def cases(city):
    """Three cases, soonest due first."""
    url, admin = city
    found = []
    for key, report in (("a", "a bin burns"), ("b", "a drum at night"), ("c", "路灯不亮")):
        body = {"source_key": key, "category": "theft", "report": report, **PLACE}
        found.append(httpx.post(f"{url}/cases", headers=admin, json=body).json()["id"])
    return found


def stands(page, state):
    """Wait until the open case is in a state."""
    page.locator("article header span", has_text=re.compile(f"^{state}$")).wait_for()


def selected(page):
    return int(page.locator("[role=option][aria-selected=true]").get_attribute("id").removeprefix("case-"))


def test_cases_are_found_read_moved_and_registered_by_the_keyboard(city, cases, opened):
    page = opened("/cases.html")
    page.locator("[role=listbox]:focus").wait_for()
    press(page, "j")
    assert selected(page) == cases[0]
    press(page, "j", "ArrowDown", "k")
    assert selected(page) == cases[1]
    press(page, "Enter")
    page.locator("article", has_text="a drum at night").wait_for()
    assert f"case={cases[1]}" in page.url
    press(page, "a")
    assert "Accept" in page.evaluate("document.activeElement.innerText")
    press(page, "Enter")
    stands(page, "Accepted")
    assert page.locator("article li", has_text="Dispatcher").count() == 1
    press(page, "d")
    page.keyboard.type("jj / not ours")
    press(page, "Escape", "t", "Enter")
    stands(page, "Triaged")
    assert page.locator("article .said", has_text="jj / not ours").count() == 1, (
        "what was typed goes with the next move"
    )
    press(page, "g")
    page.locator("h1", has_text="案件工作台").wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    texts = page.locator(".due b, .how span:first-child, article dt, article h3").all_inner_texts()
    assert len(texts) > 15
    assert [text for text in texts if not HAN.search(text)] == []
    press(page, "?")
    assert page.locator("dialog[open]").inner_text().count("案件") >= 2
    press(page, "Escape", "g")
    page.locator("h1", has_text="Case desk").wait_for()
    press(page, "/")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    press(page, "Tab", "Tab", "Tab", "Enter")
    page.wait_for_url("**show=all**")
    page.select_option("[aria-label=State]", "triaged")
    page.wait_for_url("**state=triaged**")
    page.locator("[role=option]").nth(1).wait_for(state="detached")
    page.reload()
    stands(page, "Triaged")
    assert page.locator("[role=option]").count() == 1, "the address says it all"
    page.locator("[role=listbox]:focus").wait_for()
    press(page, "Escape")
    page.locator("article").wait_for(state="detached")

    press(page, "n")
    page.select_option("select[name=category]", "noise")
    page.fill("textarea[name=report]", "A drum, call 13812345678")
    page.locator("canvas").click(position={"x": 120, "y": 300})
    assert re.fullmatch(r"10\.\d{6}", page.locator("input[name=lon]").input_value())
    page.locator("aside form .main").click()
    page.locator("article", has_text="A drum, call [phone]").wait_for()


def test_the_desk_can_be_left_and_read_by_everybody_by_day_and_by_night(cases, opened):
    for scheme, lang, width in (("dark", "zh", 1280), ("light", "en", 1920)):
        page = opened(f"/cases.html?case={cases[0]}&lang={lang}", scheme=scheme, width=width)
        page.locator("article dl").wait_for()
        page.locator("canvas").wait_for()
        page.locator("[role=listbox]:focus").wait_for()
        stops = []
        while (stop := page.evaluate(FOCUSED)) not in stops:
            stops.append(stop)
            press(page, "Tab")
        assert len(stops) >= 15, "Tab goes round, and is caught nowhere"
        assert [html for _, seen, html in stops if not seen] == []
        page.locator("[role=listbox]").focus()
        press(page, "n")
        page.locator("aside form").wait_for()
        for ask in (NAMELESS, TWICE, FAINT):
            assert page.evaluate(ask) == []
        press(page, "Escape")
        page.locator("[role=option]").first.click()
        page.locator("article dl").wait_for()
        for ask in (NAMELESS, TWICE, FAINT):
            assert page.evaluate(ask) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 420, "height": 860})
    assert page.evaluate(OUTSIDE) == []
    stranger = opened("/cases.html?lang=zh", known=False)
    stranger.locator("h1", has_text="您无权查看案件队列").wait_for()
    assert "/enter?token=" in stranger.inner_text("main")
    assert stranger.evaluate(FAINT) == []


def test_who_comes_second_sees_the_newer_state_and_keeps_what_was_typed(city, cases, opened):
    url, admin = city

    def by_another(case_id, version=0):
        told = {"move": "accept", "version": version}
        assert httpx.post(f"{url}/cases/{case_id}/moves", headers=admin, json=told).status_code == 200

    page = opened(f"/cases.html?case={cases[0]}", tells=("409", "ERR_FAILED"))
    stands(page, "Reported")
    page.locator(".badge.live").wait_for()
    page.locator("[role=listbox]:focus").wait_for()
    press(page, "d")
    page.keyboard.type("a false alarm")
    by_another(cases[0])
    by_another(cases[2])
    stands(page, "Accepted")
    page.get_by_role("alert").filter(has_text="It is now Accepted.").wait_for()
    assert page.locator("textarea").input_value() == "a false alarm"
    page.locator(f"#case-{cases[2]}", has_text="Accepted").wait_for()
    httpx.post(f"{url}/cases", headers=admin, json={"source_key": "d", "category": "noise", **PLACE})
    page.locator("[role=option]").nth(3).wait_for()

    page.context.route("**/live*", lambda route: route.abort())
    page.goto(f"{url}/cases.html?case={cases[1]}")
    stands(page, "Reported")
    page.locator("[role=listbox]:focus").wait_for()
    press(page, "d")
    page.keyboard.type("twice reported")
    by_another(cases[1])
    with page.expect_response("**/moves") as answered:
        press(page, "Enter")
    assert answered.value.status == 409
    page.get_by_role("alert").filter(has_text="It is now Accepted.").wait_for()
    stands(page, "Accepted")
    assert page.locator("textarea").input_value() == "twice reported"
    press(page, "Enter")
    stands(page, "Closed")
    assert page.locator("article .said", has_text="twice reported").count() == 1


def test_ones_own_move_is_no_news_though_it_is_heard_of_before_its_answer(cases, opened):
    page = opened(f"/cases.html?case={cases[0]}")
    page.locator(".badge.live").wait_for()
    page.locator("[role=listbox]:focus").wait_for()
    begun = []

    def hold(route):
        answer = route.fetch()
        begun.append(route)
        page.locator(f"#case-{cases[0]}", has_text="Accepted").wait_for()  # the queue has heard of it
        page.wait_for_timeout(300)
        route.fulfill(response=answer)

    page.context.route("**/moves", hold, times=1)
    page.evaluate(WATCH_ALERTS)
    press(page, "a", "Enter")
    stands(page, "Accepted")
    assert len(begun) == 1
    assert page.evaluate("window.alerts") == []
    press(page, "t", "Enter")
    stands(page, "Triaged")


def test_a_report_goes_from_its_citizen_to_its_evaluation(city, own_toy, opened):
    with connect(own_toy.url) as connection:
        toy.station(connection, "T1", 10.05, 50.03, unit="day shift")
        toy.station(connection, "T2", 10.09, 50.01, unit="night shift")
    desk = opened("/cases.html")
    desk.get_by_text("Nothing is waiting").wait_for()
    desk.locator("canvas").wait_for()
    public = opened("/report.html", known=False)
    public.locator("#report-map canvas").wait_for()
    public.locator("#report-category").select_option("noise")
    public.locator("#report-map canvas").click(position={"x": 150, "y": 120})
    public.locator("#report-text").fill("A drum at night")
    public.locator("#report-send").click()
    public.locator("#report-state", has_text="Reported").wait_for()

    desk.locator("[role=option]", has_text="Noise").wait_for()
    press(desk, "j", "Enter")
    desk.locator("article", has_text="A drum at night").wait_for()
    press(desk, "a", "Enter")
    stands(desk, "Accepted")
    press(desk, "t", "Enter")
    stands(desk, "Triaged")
    press(desk, "d")
    desk.locator(".near button", has_text="day shift").wait_for()
    press(desk, "Tab", "Enter", "Shift+Tab", "Enter")
    stands(desk, "Dispatched")
    press(desk, "h", "Enter")
    stands(desk, "Being handled")
    press(desk, "f")
    desk.keyboard.type("The drummer went home.")
    press(desk, "Enter")
    stands(desk, "Fed back")
    press(desk, "e", *["ArrowRight"] * 4, "Enter")
    stands(desk, "Evaluated")
    press(desk, "c", "Enter")
    stands(desk, "Closed")
    assert desk.locator("article", has_text="5 of 5").count() == 1
    assert desk.locator("article ol > li").count() == 8
    desk.get_by_text("Nothing is waiting").wait_for()

    public.locator("#report-refresh").click()
    public.locator("#report-state", has_text="Closed").wait_for()
    assert public.locator("#report-state").get_attribute("data-status") == "closed"
    assert public.locator("#report-notes li").count() == 8
