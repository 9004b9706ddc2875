"""Styles and legends over HTTP: what they draw is there, in the city's colours and the caller's language."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from layers.catalog.registry import LAYERS
from layers.core.audience import Role
from mapserver import fonts
from tests import toy
from tests.mapserver.conftest import bearer, token

ROOT = Path(__file__).parents[3]
SPEC = ROOT / "frontend" / "node_modules" / "@maplibre" / "maplibre-gl-style-spec" / "dist" / "index.mjs"
_VALIDATED = """
const { validateStyleMin } = await import(process.argv[1]);
let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).flatMap(style => validateStyleMin(style).map(e => e.message))));
"""


@pytest.fixture
def admin(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ADMIN))


def read_by(expression):
    """Names of the properties that an expression reads."""
    if not isinstance(expression, list):
        return set()
    own = {expression[1]} if expression[:1] == ["get"] else set()
    return own.union(*map(read_by, expression))


async def test_a_style_reads_only_what_its_tiles_carry_at_its_zoom(client, admin):
    for name in LAYERS:
        style = (await client.get(f"/styles/{name}", headers=admin)).json()
        for part in style["layers"][1:]:
            tilejson = (await client.get(style["sources"][part["source"]]["url"], headers=admin)).json()
            found = next(each for each in tilejson["vector_layers"] if each["id"] == part["source-layer"])
            read = set().union(
                *(read_by(value) for key in ("paint", "layout") for value in part.get(key, {}).values())
            )
            read |= read_by(part.get("filter", []))
            assert read <= set(found["fields"]), (name, part["id"])
            drawn = LAYERS[part["source"]]
            late = {
                field.name
                for field in drawn.fields
                if field.from_zoom > max(part.get("minzoom", 0), drawn.zoom.low)
            }
            assert not read & late, (name, part["id"])


async def test_a_style_says_from_which_zoom_its_layer_is_drawn(client, admin):
    for name, layer in LAYERS.items():
        layers = (await client.get(f"/styles/{name}", headers=admin)).json()["layers"]
        own = [
            part.get("minzoom", 0) for part in layers if part.get("source-layer") == name and part["id"] != "land"
        ]
        assert min(own) >= layer.zoom.low, name
    page = (await client.get("/styles/incidents", params={"f": "html", "lang": "en"}, headers=admin)).text
    assert "11 – 24" in page


async def test_a_legend_explains_only_colours_that_are_drawn(client, admin):
    for name in LAYERS:
        layers = (await client.get(f"/styles/{name}", headers=admin)).json()["layers"]
        legend = (await client.get(f"/legend/{name}", params={"f": "json"}, headers=admin)).json()
        painted = json.dumps([part["paint"] for part in layers])
        assert [entry["colour"] for entry in legend["entries"] if entry["colour"] not in painted] == [], name


@pytest.mark.skipif(not SPEC.exists(), reason="the screens' packages are not installed: `make screens`")
async def test_every_style_is_one_by_the_specification(client, admin):
    styles = [
        (await client.get(f"/styles/{name}", params={"lang": lang}, headers=admin)).json()
        for name in LAYERS
        for lang in ("zh", "en")
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = await asyncio.to_thread(
        subprocess.run,
        ["node", "--input-type=module", "-e", _VALIDATED, str(SPEC)],
        input=json.dumps(styles),
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []


async def test_zone_types_have_the_citys_colours_on_the_map_and_in_the_legend(client):
    colours = {zone.code: zone.colour for zone in toy.CITY.zone_types}
    style = (await client.get("/styles/risk_areas")).json()
    fill = next(part for part in style["layers"] if part["id"] == "risk_areas-fill")
    _, _, *pairs, _ = fill["paint"]["fill-color"]
    assert dict(zip(pairs[::2], pairs[1::2], strict=True)) == colours
    legend = (await client.get("/legend/risk_areas")).json()
    assert legend["by"] == "zone_type"
    assert {entry["value"]: entry["colour"] for entry in legend["entries"]} == colours
    assert [entry["name"]["zh"] for entry in legend["entries"]] == ["校园", "市场"]


async def test_names_are_in_the_language_asked_for_or_else_in_the_other(client):
    for given, first in (
        ({"params": {"lang": "zh"}}, "name_zh"),
        ({"headers": {"Accept-Language": "zh-CN,en"}}, "name_zh"),
        ({}, "name_en"),
    ):
        answer = await client.get("/styles/areas", **given)
        label = next(part for part in answer.json()["layers"] if part["type"] == "symbol")
        assert label["layout"]["text-field"][1] == ["get", first]
        assert "Accept-Language" in answer.headers["vary"]


async def test_a_style_is_only_for_those_who_may_read_its_layer(client, admin):
    assert (await client.get("/styles/incidents")).status_code == 403
    assert (await client.get("/legend/incidents")).status_code == 403
    assert (await client.get("/styles/nope")).status_code == 404
    public, all_of_them = [
        {each["id"] for each in (await client.get("/styles", headers=headers)).json()["styles"]}
        for headers in ({}, admin)
    ]
    assert public == {"areas", "risk_areas", "roads", "places"}
    assert all_of_them == set(LAYERS)


async def test_lists_lead_to_style_and_legend(client):
    for each in (await client.get("/styles")).json()["styles"]:
        types = {}
        for link in each["links"]:
            answer = await client.get(link["href"])
            assert answer.status_code == 200
            types[link["rel"]] = answer.headers["content-type"]
        assert types == {"stylesheet": "application/vnd.mapbox.style+json", "describedby": "application/json"}


def test_fonts_are_files_of_the_build_with_their_letters(tmp_path):
    assert fonts.faces(tmp_path, "http://map.test") == {}
    folder = "node_modules/@fontsource-variable/noto-sans-sc"
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "unicode-AbCdEfGh.json").write_text('{"[4]": "U+4e00, U+4e01-4e0f", "latin": "U+0-ff"}')
    manifest = {
        f"{folder}/unicode.json": {"file": "assets/unicode-AbCdEfGh.json"},
        f"{folder}/files/noto-sans-sc-4-wght-normal.woff2": {"file": "assets/four.woff2"},
        f"{folder}/files/noto-sans-sc-latin-wght-normal.woff2": {"file": "assets/latin.woff2"},
        f"{folder}/files/noto-sans-sc-9-wght-normal.woff2": {"file": "assets/nine.woff2"},
        "src/other.ts": {"file": "assets/other.js"},
    }
    (tmp_path / "assets" / "manifest.json").write_text(json.dumps(manifest))
    assert fonts.faces(tmp_path, "http://map.test") == {
        "Noto Sans SC": [
            {"url": "http://map.test/assets/four.woff2", "unicode-range": ["U+4e00", "U+4e01-4e0f"]},
            {"url": "http://map.test/assets/latin.woff2", "unicode-range": ["U+0-ff"]},
        ]
    }
