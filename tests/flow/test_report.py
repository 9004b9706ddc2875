"""A citizen's way: a report from the public page, by hand and from the keyboard, and how it stands afterwards."""

import httpx
import pytest


@pytest.fixture
def page(city, browser):
    """A phone's page, in which nothing goes wrong."""
    context = browser.new_context(viewport={"width": 420, "height": 860}, locale="en-GB", has_touch=True)
    page = context.new_page()
    wrong = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{city[0]}/report.html")
    yield page
    context.close()
    assert [text for text in wrong if "GPU stall" not in text] == []


def test_a_report_is_made_by_tapping_and_followed_by_its_token_and_by_no_other(city, page, browser):
    url, dispatcher = city
    page.locator("#report-map canvas").wait_for()
    page.locator("#report-category").select_option("noise")
    page.locator("#report-send").click()
    assert page.locator("#report-error").inner_text() == "Set the place on the map first."
    page.locator("#report-map canvas").click(position={"x": 150, "y": 120})
    page.locator("#report-text").fill("A drum at night, call 13812345678")
    page.locator("#report-send").click()
    page.locator("#report-state").wait_for()
    held = page.locator("#report-token").inner_text()
    assert page.url.endswith(f"?token={held}")
    assert page.locator("#report-state").inner_text() == "Reported"
    assert page.locator("#report-due").inner_text()
    (case,) = httpx.get(f"{url}/cases", headers=dispatcher).json()["cases"]
    assert case["category"] == "noise"
    assert (
        httpx.get(f"{url}/cases/{case['id']}", headers=dispatcher).json()["report"]
        == "A drum at night, call [phone]"
    )
    moved = httpx.post(
        f"{url}/cases/{case['id']}/moves", headers=dispatcher, json={"move": "accept", "version": 0}
    )
    assert moved.status_code == 200
    page.locator("#report-refresh").click()
    page.get_by_text("Accepted").first.wait_for()
    assert page.locator("#report-notes li").count() == 2
    assert page.locator("#report-rate, #report-reopen").count() == 0
    told = {"move": "decline", "version": 1, "reason": "not ours"}
    assert httpx.post(f"{url}/cases/{case['id']}/moves", headers=dispatcher, json=told).status_code == 200
    page.locator("#report-refresh").click()
    page.locator("#report-rate").wait_for()
    page.locator("#report-rate").get_by_label("2 of 5").check()
    page.locator("#report-rate button").click()
    page.locator("#report-rating", has_text="You rated it 2 of 5").wait_for()
    page.locator("#report-reopen-why").fill("It drums on; call 13812345678")
    page.locator("#report-reopen button").click()
    page.locator("#report-state", has_text="Reopened").wait_for()
    assert page.locator("#report-rate, #report-reopen").count() == 0
    assert page.locator("#report-notes li").count() == 5
    found = httpx.get(f"{url}/cases/{case['id']}", headers=dispatcher).json()
    assert (found["case"]["rating"], found["steps"][-1]["actor"]) == (2, "citizen")
    assert found["steps"][-1]["reason"] == "It drums on; call [phone]"
    page.go_back()
    page.locator("#report-category").wait_for()
    for width in (420, 1280):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    lost = browser.new_page(locale="en-GB")
    lost.goto(f"{url}/report.html?token=nothing")
    lost.locator("#report-error", has_text="no report of this token").wait_for()
    lost.locator("#report-another").click()
    lost.locator("#report-follow").fill(held)
    lost.locator("#report-show").click()
    lost.locator("#report-state", has_text="Reopened").wait_for()
    lost.close()


def test_a_report_is_made_from_the_keyboard_alone_in_chinese(city, page):
    page.locator("#report-map canvas").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("h1", has_text="上报问题").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    page.keyboard.press("Enter")
    lat, lon = map(float, page.locator("#report-point").inner_text().split(","))
    assert (round(lon, 2), round(lat, 2)) == (10.05, 50.03)
    while page.evaluate("document.activeElement.id") != "report-category":
        page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    answer = page.locator("#report-answer-when")
    answer.wait_for()
    page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("车被盗")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "report-photo"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#report-state", has_text="已上报").wait_for()
    (case,) = httpx.get(f"{city[0]}/cases", headers=city[1]).json()["cases"]
    exact = httpx.get(f"{city[0]}/open311/v2/requests/{case['id']}.json?extensions=true", headers=city[1]).json()
    assert exact[0]["attributes"] == [{"code": "when", "value": "before"}]
