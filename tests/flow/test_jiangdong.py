"""The second city on the same code, and its past as if it were now: Chinese, and all of it said to be invented."""

import time
from datetime import UTC

import pyarrow.parquet as pq
import pytest

from layers.catalog.city import City
from layers.core.db import connect
from tests.flow.conftest import up

ALL_TIME = {"from": "2020-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def jiangdong():
    with up("jiangdong", replay=True) as running:
        yield running


@pytest.fixture(scope="module")
def file(jiangdong):
    return pq.read_table(jiangdong.city / "incidents.parquet", columns=["occurred_at", "state"]).to_pylist()


@pytest.fixture
def wall(jiangdong, browser):
    """The wall of the command room; it asks nobody else, and nothing goes wrong in it."""
    wrong = []
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = context.new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    ours = (jiangdong.url, "blob:", "data:")
    page.on("request", lambda asked: None if asked.url.startswith(ours) else wrong.append(asked.url))
    page.goto(f"{jiangdong.url}/enter?token={jiangdong.token}&to=/wall.html")
    page.locator("canvas").wait_for()
    yield page
    context.close()
    assert wrong == []


def runs(jiangdong):
    with connect(jiangdong.database_url) as connection:
        return connection.execute(
            "select target, rows_read, inserted, updated, quarantined from onemap.run order by run_id"
        ).fetchall()


def test_at_first_there_is_what_lies_before_the_moment_that_the_city_names(jiangdong, file):
    since = City.load(jiangdong.city).past.since
    first = runs(jiangdong)[:5]
    assert [run["target"] for run in first] == ["areas", "risk_areas", "roads", "resources", "incidents"]
    assert all(run["rows_read"] == run["inserted"] > 0 and run["quarantined"] == 0 for run in first)
    assert first[-1]["inserted"] == sum(row["occurred_at"] <= since for row in file) < len(file)


def test_each_answer_about_an_invented_layer_says_so(jiangdong):
    city = jiangdong.get("/city").json()
    assert set(city["synthetic"]) >= {"areas", "incidents", "roads"}
    for path in ("/collections/incidents", "/tiles/areas.json", "/collections/roads/tiles/WebMercatorQuad"):
        assert jiangdong.get(path).json()["description"].startswith("Synthetic"), path
    assert not jiangdong.get("/collections/findings").json().get("description", "").startswith("Synthetic")


def test_the_wall_is_chinese_names_six_zone_types_and_says_that_it_is_synthetic(wall):
    wall.locator("h1", has_text="江东新区").wait_for()
    assert wall.locator("h1 strong").inner_text() == "合成数据"
    text = wall.locator("body").inner_text()
    for name in ("校园周边", "交通枢纽", "商贸娱乐", "出租屋集中区", "工地与危化", "水域易涝"):
        assert name in text


def test_the_wall_shows_the_past_move_as_if_it_were_now_up_to_its_end(jiangdong, file, wall):
    wall.locator(".badge.replay", has_text="回放 60 倍速").wait_for()
    assert "8月25日" in wall.locator("header time").inner_text()
    before = wall.locator("header time").inner_text()
    said = jiangdong.onemap("replay", "--speed", "86400")
    assert said.returncode == 0, said.stderr
    wall.locator(".badge.replay", has_text="86,400").wait_for()
    wall.locator("header time", has_text="8月31日").wait_for()
    assert wall.locator("header time").inner_text() != before
    until = time.monotonic() + 60
    while jiangdong.get("/summary", **ALL_TIME).json()["total"] < len(file):
        assert time.monotonic() < until, runs(jiangdong)[-3:]
        time.sleep(0.5)
    last = max(row["occurred_at"] for row in file).astimezone(UTC)
    assert jiangdong.get("/city").json()["now"].startswith(f"{last:%Y-%m-%dT%H:%M}")
    later = runs(jiangdong)[5:]
    assert sum(run["inserted"] for run in later) + runs(jiangdong)[4]["inserted"] == len(file)
    assert sum(run["updated"] for run in later) > 0, "what was closed meanwhile"
    with connect(jiangdong.database_url) as connection:
        found = connection.execute(
            "select count(*) as cases, count(*) filter (where is_open) as open from onemap.case_file"
        ).fetchone()
    assert found["cases"] == len(file)
    assert found["open"] >= sum(row["state"] == "open" for row in file)
