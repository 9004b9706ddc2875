"""Heat over HTTP: the room's answers are exact, the public's are the published product, all outputs agree."""

import csv
import io
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from layers.core.audience import PUBLIC, Role
from layers.geo import hexgrid
from layers.geo.tiles import Tile
from layers.heat import public
from layers.heat.tile import EXTENT
from mapserver.scope import FRESH_S, Scopes
from tests import toy
from tests.mapserver.conftest import asking, bearer, running, token
from tests.mapserver.heat_asks import FEBRUARY, MARCH, in_march
from tests.tiles import read_tile


async def test_json_csv_and_geojson_of_one_question_give_the_same_numbers(client, room, shared_toy):
    ask = MARCH | {"res": "8"}
    columns = (await client.get("/heat/all/cells", params=ask, headers=room)).json()
    table = await client.get("/heat/all/cells", params=ask | {"f": "csv"}, headers=room)
    shapes = (await client.get("/heat/all/cells", params=ask | {"f": "geojson"}, headers=room)).json()
    expected = dict(zip(columns["cells"], columns["values"], strict=True))
    assert columns["total"] == sum(expected.values()) == len(in_march(shared_toy.rows))
    assert {row["cell"]: int(row["value"]) for row in csv.DictReader(io.StringIO(table.text))} == expected
    assert {each["id"]: each["properties"]["value"] for each in shapes["features"]} == expected


async def test_finer_than_resolution_8_the_room_sees_no_sensitive_category(client, room, shared_toy):
    fine = (await client.get("/heat/all/cells", params=MARCH | {"res": "9"}, headers=room)).json()
    assert fine["total"] == sum(row.category != "domestic" for row in in_march(shared_toy.rows))
    asked = MARCH | {"res": "9", "category": "domestic"}
    assert (await client.get("/heat/all/cells", params=asked, headers=room)).json()["cells"] == []


async def test_severity_sums_the_weights_of_the_categories(client, room, shared_toy):
    ask = MARCH | {"res": "8", "weight": "severity", "category": "theft"}
    answer = (await client.get("/heat/all/cells", params=ask, headers=room)).json()
    assert answer["total"] == 3 * sum(row.category == "theft" for row in in_march(shared_toy.rows))
    assert answer["unit"] == "severity"


async def test_a_zone_type_counts_what_lies_in_its_influence(client, room, shared_toy):
    answer = (await client.get("/heat/market/cells", params=MARCH | {"res": "8"}, headers=room)).json()
    assert answer["total"] == sum(row.zones >> 1 & 1 for row in in_march(shared_toy.rows)) > 0


async def test_a_token_of_a_village_counts_the_village(client, toy_settings, shared_toy):
    village = bearer(token(toy_settings, shared_toy.url, Role.ROOM, shared_toy.area_id("V1")))
    answer = (await client.get("/heat/all/cells", params=MARCH | {"res": "8"}, headers=village)).json()
    inside = [row for row in in_march(shared_toy.rows) if row.grid.startswith("V1")]
    plain = sum(row.category != "domestic" for row in inside)
    assert plain < answer["total"] < len(inside)  # the sensitive ones of cells on the border are left out
    outside = MARCH | {"area": str(shared_toy.area_id("V2"))}
    assert (await client.get("/heat/all/cells", params=outside, headers=village)).status_code == 404


async def test_without_a_span_the_newest_90_days_are_meant(client, room):
    catalog = (await client.get("/heat", headers=room)).json()
    cells = (await client.get("/heat/all/cells", headers=room)).json()
    assert {"from": cells["from"], "to": cells["to"]} == catalog["default_window"]
    assert catalog["policy"]["exact"]
    assert catalog["policy"]["share"] is None
    assert [layer["id"] for layer in catalog["layers"]] == ["all", "school", "market"]


async def test_the_public_reads_whole_published_months_in_every_format(client):
    catalog = (await client.get("/heat")).json()
    assert not catalog["policy"]["exact"]
    columns = (await client.get("/heat/all/cells", params=FEBRUARY)).json()
    table = await client.get("/heat/all/cells", params=FEBRUARY | {"f": "csv"})
    assert all(value % 5 == 0 and value >= 10 for value in columns["values"])
    assert [int(row["value"]) for row in csv.DictReader(io.StringIO(table.text))] == columns["values"] != []
    res = hexgrid.resolution(np.array([int(cell, 16) for cell in columns["cells"]], np.uint64))
    assert res.max() <= 8
    newest = (await client.get("/heat/all/cells")).json()
    assert {"from": newest["from"], "to": newest["to"]} == catalog["policy"]["bin"]
    assert 0 < catalog["policy"]["share"] <= 100
    assert newest["version"] == 1


async def test_the_publics_merged_cells_are_drawn_inside_the_city_and_its_finest_ones_whole(client):
    city = shapely.box(toy.WEST, toy.SOUTH, toy.EAST, toy.NORTH)
    answer = (await client.get("/heat/market/cells", params=FEBRUARY | {"f": "geojson"})).json()
    shapes = {each["id"]: shapely.geometry.shape(each["geometry"]) for each in answer["features"]}
    cell = np.array([int(text, 16) for text in shapes], np.uint64)
    merged = hexgrid.resolution(cell) < public.FINEST_RES
    assert 0 < merged.sum() < len(merged)
    for shape, whole, over in zip(shapes.values(), hexgrid.outline(cell), merged, strict=True):
        assert city.buffer(1e-9).contains(shape) if over else shape.equals_exact(whole, 1e-9)
    at = Tile(8, 135, 86)
    body = (await client.get(f"/heat/market/{at.z}/{at.x}/{at.y}.mvt", params=FEBRUARY)).content
    drawn = read_tile(body)[1].set_index("cell")
    (west, north), (east, south) = at.units(np.array([[toy.WEST, toy.NORTH], [toy.EAST, toy.SOUTH]]), EXTENT)
    frame = shapely.box(west - 1, EXTENT - south - 1, east + 1, EXTENT - north + 1)  # GDAL's second axis points up
    assert drawn.index.tolist() == list(shapes)
    assert frame.contains(drawn.geometry[[text for text, over in zip(shapes, merged, strict=True) if over]]).all()


async def test_the_citys_outline_is_read_once_in_a_few_seconds(monkeypatch):
    read, now = [], SimpleNamespace(monotonic=lambda: 100.0)

    class Database:
        async def value(self, audience, statement):
            read.append((audience, statement.params["at"]))
            return shapely.to_wkb(shapely.box(0, 0, len(read), 1))

    monkeypatch.setattr("mapserver.scope.time", now)
    scopes, at = Scopes(Database()), datetime(2025, 3, 1, tzinfo=UTC)
    for later_s, times in ((0, 1), (FRESH_S - 0.1, 1), (FRESH_S, 2), (FRESH_S + 0.1, 2)):
        now.monotonic = lambda later_s=later_s: 100.0 + later_s
        assert (await scopes.outline(PUBLIC, at)).bounds == (0, 0, times, 1)
        assert read == [(PUBLIC, at)] * times


@pytest.mark.parametrize(
    "ask",
    [MARCH, FEBRUARY | {"category": "noise"}, FEBRUARY | {"weight": "severity"}, FEBRUARY | {"area": "1"}],
    ids=["a window of its own", "a category", "a weight", "an area"],
)
async def test_the_public_has_no_windows_and_no_filters(client, ask):
    answer = await client.get("/heat/all/cells", params=ask)
    assert answer.status_code == 403
    assert answer.json()["needs"] == "room"


async def test_a_tile_carries_each_cell_that_touches_it(client, room):
    whole = (await client.get("/heat/all/cells", params=MARCH | {"res": "7"}, headers=room)).json()
    found = await client.get("/heat/all/9/270/173.mvt", params=MARCH, headers=room)
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert all(cell.encode() in found.content for cell in whole["cells"])
    assert (await client.get("/heat/all/9/0/0.mvt", params=MARCH, headers=room)).status_code == 204


@pytest.mark.parametrize(
    ("path", "ask", "status", "names"),
    [
        ("/heat/harbour/cells", {}, 404, "harbour"),
        ("/heat/all/cells", {"res": "16"}, 400, "res"),
        ("/heat/all/cells", {"res": "-1"}, 400, "res"),
        ("/heat/all/cells", {"res": "x"}, 400, "res"),
        ("/heat/all/cells", {"category": "arson"}, 400, "category"),
        ("/heat/all/cells", {"weight": "age"}, 400, "weight"),
        ("/heat/all/cells", {"bbox": "1,2,3"}, 400, "bbox"),
        ("/heat/all/cells", {"from": "2025-03-01T00:00:00Z"}, 400, "to"),
        ("/heat/all/cells", {"from": "x", "to": "y"}, 400, "from"),
        ("/heat/all/cells", {"colour": "red"}, 400, "colour"),
        ("/heat/all/cells", {"f": "xls"}, 400, "f"),
        ("/heat/all/cells", {"area": "0"}, 400, "area"),
        ("/heat/all/cells", {"area": "99999"}, 404, "99999"),
        ("/heat/all/99/0/0.mvt", {}, 404, "99/0/0"),
    ],
)
async def test_a_bad_question_is_a_problem_that_names_what_was_wrong(client, room, path, ask, status, names):
    answer = await client.get(path, params=ask, headers=room)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert names in answer.text


async def test_without_a_store_heat_says_that_it_is_being_built(toy_settings, shared_toy, tmp_path):
    settings = toy_settings.model_copy(update={"home": tmp_path})
    room = bearer(token(settings, shared_toy.url, Role.ROOM))
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        answer = await client.get("/heat/all/cells", params=MARCH, headers=room)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("heat-not-ready")
    assert "retry-after" in answer.headers
