import json
import re
import shutil
import signal

import httpx
import pytest

from layers.core.cluster import Cluster
from layers.core.db import connect
from tests import toy
from tests.mapserver.process import import_s, served

SOURCE = """
id = "areas"
target = "areas"
title = { zh = "区", en = "Areas" }
file = "areas.geojson"
format = "geojson"
mode = "append"
datum = "EPSG:4326"
licence = "none"
attribution = "made up"
[columns]
code = "code"
name_zh = "code"
name_en = "name"
[constants]
level = "district"
"""


def draw(folder, name):
    ring = [[toy.WEST, toy.SOUTH], [toy.EAST, toy.SOUTH], [toy.EAST, toy.NORTH], [toy.WEST, toy.NORTH]]
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {"code": "D", "name": name}, "geometry": geometry}
    body = {"type": "FeatureCollection", "features": [feature]}
    (folder / "areas.geojson").write_text(json.dumps(body))


@pytest.fixture
def env(home, tmp_path, toy_settings, dist):
    city = tmp_path / "cities" / "toy"
    shutil.copytree(toy_settings.city_folder, city)
    (city / "sources").mkdir(exist_ok=True)
    (city / "sources" / "10-areas.toml").write_text(SOURCE)
    draw(city, "First")
    return {
        "ONEMAP_HOME": str(home),
        "ONEMAP_CITIES": str(city.parent),
        "ONEMAP_CITY": "toy",
        "ONEMAP_SCREENS": str(dist),
    }


def name_of_the_area(home):
    with connect(Cluster(home).url("onemap_toy")) as connection:
        return connection.execute("select name_en from onemap.area").fetchone()["name_en"]


def test_up_starts_loads_serves_and_ends_all_of_it_and_loads_again_only_what_changed(env, home, tmp_path):
    log = tmp_path / "log"
    with served("up", env=env, log=log) as server:
        assert "loading toy: 10-areas.toml" in server.printed
        assert (home / "heat" / "onemap_toy" / "manifest.json").exists()
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        assert name_of_the_area(home) == "First"
        link = re.search(r"http://\S+/enter\?token=\S+", server.printed)[0]
        assert link.startswith(server.url)
        assert link.endswith("&to=/wall.html")
        with httpx.Client() as browser:
            entered = browser.get(link, follow_redirects=True)
            assert (entered.status_code, entered.text) == (200, "<title>wall</title>")
            assert browser.get(f"{server.url}/city").json()["audience"]["role"] == "room"
        assert server.stop(signal.SIGINT) < 10
        assert server.process.returncode == 0
    assert not Cluster(home).status().running

    with served("up", env=env, log=log) as server:
        assert server.cpu_s() < 6 * import_s()
        assert "loading" not in server.printed
        server.stop()

    draw(tmp_path / "cities" / "toy", "Second")
    with served("up", env=env, log=log) as server:
        assert "loading toy: 10-areas.toml" in server.printed
        assert name_of_the_area(home) == "Second"


def test_what_cannot_be_loaded_is_told_and_the_rest_is_served(env, tmp_path):
    (tmp_path / "cities" / "toy" / "areas.geojson").write_text("{")
    log = tmp_path / "log"
    with served("up", env=env, log=log) as server:
        assert httpx.get(f"{server.url}/city").status_code == 200
        answer = httpx.get(f"{server.url}/readyz")
        assert (answer.status_code, answer.json()["missing"][0].partition(":")[0]) == (503, "city")
    assert "areas.geojson" in log.read_text()
    assert "what landed is served" in log.read_text()
