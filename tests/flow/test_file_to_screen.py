"""From the sample city's file to tile, GeoJSON, event and screen: one number everywhere."""

import io
import json
import math
import re
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from layers.core import events
from layers.core.db import connect
from tests.flow.conftest import EXTRA

ALL_TIME = {"from": "1960-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
TORONTO = ZoneInfo("America/Toronto")
LAST_DAY = datetime(2021, 12, 31, tzinfo=TORONTO)


@pytest.fixture(scope="module")
def file(toronto):
    return pq.read_table(toronto.city / "incidents.parquet").to_pydict()


def test_file_database_heat_and_summary_count_the_same(toronto, file):
    rows = len(file["lon"])
    with connect(toronto.database_url) as connection:
        stored = connection.execute("select count(*) as n from onemap.incident").fetchone()["n"]
        run = connection.execute("select * from onemap.run where target = 'incidents'").fetchone()
    assert stored == rows == 240_992
    assert run["rows_read"] == run["inserted"] == rows
    for res in ("5", "8", "10"):
        assert toronto.get("/heat/all/cells", res=res, **ALL_TIME).json()["total"] == rows
    figures = toronto.get("/summary", **ALL_TIME).json()
    assert figures["total"] == rows
    in_file = Counter(name.lower().replace(" ", "_") for name in file["category"])
    assert {each["code"]: each["count"] for each in figures["by_category"]} == in_file


def test_each_zone_type_has_the_same_total_in_heat_and_summary(toronto):
    figures = toronto.get("/summary", **ALL_TIME).json()
    for zone in figures["by_zone_type"]:
        heat = toronto.get(f"/heat/{zone['code']}/cells", res="9", **ALL_TIME).json()
        assert heat["total"] == zone["count"] > 1000


def test_local_times_of_the_file_are_instants_of_the_city(toronto, file):
    day = {"from": LAST_DAY.isoformat(), "to": (LAST_DAY + timedelta(days=1)).isoformat()}
    expected = sum(at.date() == LAST_DAY.date() for at in file["occurred_at_local"])
    assert toronto.get("/summary", **day).json()["total"] == expected > 0


def test_the_gap_and_the_fold_of_daylight_saving_are_counted_and_told(toronto):
    with connect(toronto.database_url) as connection:
        notes = connection.execute("select notes from onemap.run where target = 'incidents'").fetchone()["notes"]
    assert (notes["dst_gap"], notes["dst_fold"]) == (9, 82)


def test_tile_and_geojson_hold_the_same_incidents(toronto):
    day = LAST_DAY.isoformat()
    interval = f"{day}/{(LAST_DAY + timedelta(hours=23, minutes=59)).isoformat()}"
    box = toronto.get("/tiles/incidents.json").json()
    assert box["minzoom"] <= 13
    whole = toronto.get("/collections/incidents/items", datetime=interval, limit="1000").json()
    ids = {each["id"] for each in whole["features"]}
    assert (
        len(ids)
        == toronto.get("/summary", **{"from": day, "to": (LAST_DAY + timedelta(days=1)).isoformat()}).json()[
            "total"
        ]
    )
    # From here on a tile holds every point on its own; before it, points that lie together are drawn as one.
    zoom = 14
    places = {_tile_of(*each["geometry"]["coordinates"], zoom) for each in whole["features"]}
    found = set()
    for x, y in sorted(places):
        found |= _mvt_ids(toronto.get(f"/tiles/incidents/{zoom}/{x}/{y}.mvt", datetime=interval).content)
    assert found == ids


def _tile_of(lon, lat, zoom):
    """Column and row of the tile that a point lies in."""
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**zoom), int(down * 2**zoom)


def _mvt_ids(tile):
    """Ids of the features of a tile, by the wire format of its protocol buffers: layer 3, feature 2, id 1."""
    found = set()
    for layer in _fields(tile, 3):
        for feature in _fields(layer, 2):
            found |= set(_fields(feature, 1))
    return found


def _fields(data, wanted):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            length = varint()
            value = data[at : at + length]
            at += length
        if key >> 3 == wanted:
            yield value


def test_a_new_row_of_a_file_is_an_event_on_the_screens_and_a_second_load_is_none(toronto):
    events, ready = [], threading.Event()

    def follow():
        with httpx.stream("GET", f"{toronto.url}/live", headers=toronto.room, timeout=60) as stream:
            name = None
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    events.append((name, json.loads(line[5:])))
                    ready.set()
                if any(name == "incident" for name, _ in events):
                    return

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    assert ready.wait(10)
    (toronto.city / "sources" / "40-extra.toml").write_text(EXTRA)
    (toronto.city / "extra.csv").write_text(
        "id,kind,at,lon,lat\n1,robbery,2021-12-31 23:30,-79.3957,43.6629\n2,robbery,2021-12-31 23:40,-7.9,43.66\n"
    )
    loaded = toronto.onemap("etl", "run", "extra")
    assert loaded.returncode == 3, loaded.stderr
    assert "row 2" in loaded.stdout
    assert "extent" in loaded.stdout
    reader.join(15)
    incident = next(data for name, data in events if name == "incident")
    assert incident["properties"]["category"] == "robbery"
    lon, lat = incident["geometry"]["coordinates"]
    assert (lon, lat) != (-79.3957, 43.6629), "the room sees the centre of the cell"
    assert abs(lon + 79.3957) < 0.002
    assert toronto.get("/summary", **ALL_TIME).json()["total"] == 240_993
    again = toronto.onemap("etl", "run", "extra")
    assert again.returncode == 3
    assert toronto.get("/summary", **ALL_TIME).json()["total"] == 240_993
    (toronto.city / "sources" / "40-extra.toml").unlink()


def test_the_wall_shows_the_heat_of_the_city_and_asks_nobody_else(toronto, browser):
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{toronto.url}/enter?token={toronto.token}&to=/wall.html")
    assert page.url.startswith(f"{toronto.url}/wall.html")
    picture = _when_painted(page)
    total = toronto.get("/summary").json()["total"]
    assert f"{total:,}" in page.inner_text("body")
    assert errors == []
    outside = [url for url in asked if not re.match(rf"{toronto.url}/|data:|blob:", url)]
    assert outside == []
    land = picture[250:850, 480:1440].astype(int)
    hot = (land[..., 0] > 180) & (land[..., 1] > 90) & (land[..., 2] < 120)
    assert 500 < hot.sum() < land.shape[0] * land.shape[1] / 4, "the hottest cells glow, and only they"
    page.keyboard.press("h")
    page.wait_for_timeout(1500)
    cold = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))[250:850, 480:1440].astype(int)
    glow = (cold[..., 0] > 180) & (cold[..., 1] > 90) & (cold[..., 2] < 120)
    assert glow.sum() < hot.sum() / 10, "without the heat layer nothing glows"
    page.set_viewport_size({"width": 900, "height": 800})
    time, panel = (page.locator(part).first.bounding_box() for part in ("header time", ".rail section"))
    assert time["x"] + time["width"] <= 900
    assert time["y"] + time["height"] <= panel["y"], "what goes to a second line pushes the panels down"
    page.close()


def test_the_public_wall_is_the_same_page_with_published_figures_only(toronto, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    refused = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 500 else None)
    page.goto(f"{toronto.url}/wall.html?lang=zh")
    _when_painted(page)
    text = page.inner_text("body")
    figures = httpx.get(f"{toronto.url}/summary").json()
    assert f"{figures['total']:,}" in text
    assert "多伦多" in text
    assert refused == []
    page.close()


def test_the_wall_takes_new_tiles_when_a_layer_changes_and_keeps_the_others_for_good(toronto, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    tiles, controls = [], set()

    def answered(answer):
        if "/tiles/" in answer.url and ".mvt" in answer.url:
            tiles.append(answer.url)
            controls.add(answer.headers.get("cache-control", ""))

    page.on("response", answered)
    page.goto(f"{toronto.url}/wall.html")
    _when_painted(page)
    assert tiles
    assert all("?v=" in url for url in tiles)
    assert controls == {"public, max-age=31536000, immutable"}
    before = list(tiles)
    with connect(toronto.database_url) as connection:
        events.begin(connection)
        events.bump(connection, "areas", datetime.now(UTC))
    until = time.monotonic() + 20
    while not (new := {url for url in tiles if "/areas/" in url} - set(before)):
        assert time.monotonic() < until, "the wall has not heard of it"
        page.wait_for_timeout(200)
    page.wait_for_timeout(1000)
    assert len({url.partition("?")[2] for url in new}) == 1
    page.close()


def _when_painted(page):
    """Wait until the heat is on the map; the picture, uint8[h, w, 3]."""
    until = time.monotonic() + 60
    while True:
        picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        h, w, _ = picture.shape
        middle = picture[h // 4 : 3 * h // 4, w // 4 : 3 * w // 4].astype(int)
        if ((middle[..., 0] > 180) & (middle[..., 1] > 90) & (middle[..., 2] < 120)).sum() > 200:
            return picture
        assert time.monotonic() < until, "the heat is not painted within a minute"
        page.wait_for_timeout(500)
