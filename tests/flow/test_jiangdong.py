"""The second city on the same code: another tree of areas, other zones, in Chinese, and all of it said to be invented."""

import pyarrow.parquet as pq
import pytest

from layers.core.db import connect
from tests.flow.conftest import up


@pytest.fixture(scope="module")
def jiangdong():
    with up("jiangdong") as running:
        yield running


def test_every_row_is_loaded_and_every_open_one_is_a_case(jiangdong):
    incidents = pq.read_table(jiangdong.city / "incidents.parquet", columns=["state"]).column("state").to_pylist()
    with connect(jiangdong.database_url) as connection:
        runs = connection.execute(
            "select target, rows_read, inserted, quarantined from onemap.run order by run_id"
        ).fetchall()
        cases = connection.execute(
            "select count(*) as n, count(*) filter (where is_open) as open from onemap.case_file"
        )
        found = cases.fetchone()
    assert [run["target"] for run in runs] == ["areas", "risk_areas", "incidents", "roads", "resources"]
    assert all(run["rows_read"] == run["inserted"] > 0 and run["quarantined"] == 0 for run in runs)
    assert found == {"n": len(incidents), "open": incidents.count("open")}
    ask = {"from": "2021-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
    assert jiangdong.get("/heat/all/cells", res="8", **ask).json()["total"] > 40_000


def test_each_answer_about_an_invented_layer_says_so(jiangdong):
    city = jiangdong.get("/city").json()
    assert set(city["synthetic"]) >= {"areas", "incidents", "roads"}
    for path in ("/collections/incidents", "/tiles/areas.json", "/collections/roads/tiles/WebMercatorQuad"):
        assert jiangdong.get(path).json()["description"].startswith("Synthetic"), path
    assert not jiangdong.get("/collections/findings").json().get("description", "").startswith("Synthetic")


def test_the_wall_is_chinese_names_six_zone_types_and_says_that_it_is_synthetic(jiangdong, browser):
    wrong = []
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = context.new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on(
        "request",
        lambda asked: (
            wrong.append(asked.url) if not asked.url.startswith((jiangdong.url, "blob:", "data:")) else None
        ),
    )
    page.goto(f"{jiangdong.url}/enter?token={jiangdong.token}&to=/wall.html")
    page.locator("h1", has_text="江东新区").wait_for()
    assert page.locator("h1 strong").inner_text() == "合成数据"
    text = page.locator("body").inner_text()
    for name in ("校园周边", "交通枢纽", "商贸娱乐", "出租屋集中区", "工地与危化", "水域易涝"):
        assert name in text
    page.locator("canvas").wait_for()
    assert wrong == []
    context.close()
