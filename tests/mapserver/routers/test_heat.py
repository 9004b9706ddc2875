"""Heat over HTTP: the room's answers are exact, the public's are the published product, all outputs agree."""

import csv
import io

import numpy as np
import pytest

from layers.core.audience import Role
from layers.geo import hexgrid
from tests.mapserver.conftest import bearer, token

MARCH = {"from": "2025-03-01T00:00:00Z", "to": "2025-04-01T00:00:00Z"}
FEBRUARY = {"from": "2025-01-31T23:00:00Z", "to": "2025-02-28T23:00:00Z"}


@pytest.fixture
def room(toy_settings, shared_toy):
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))


def _march(rows):
    return [row for row in rows if row.at.month == 3]


async def test_json_csv_and_geojson_of_one_question_give_the_same_numbers(client, room, shared_toy):
    ask = MARCH | {"res": "8"}
    columns = (await client.get("/heat/all/cells", params=ask, headers=room)).json()
    table = await client.get("/heat/all/cells", params=ask | {"f": "csv"}, headers=room)
    shapes = (await client.get("/heat/all/cells", params=ask | {"f": "geojson"}, headers=room)).json()
    expected = dict(zip(columns["cells"], columns["values"], strict=True))
    assert columns["total"] == sum(expected.values()) == len(_march(shared_toy.rows))
    assert {row["cell"]: int(row["value"]) for row in csv.DictReader(io.StringIO(table.text))} == expected
    assert {each["id"]: each["properties"]["value"] for each in shapes["features"]} == expected


async def test_finer_than_resolution_8_the_room_sees_no_sensitive_category(client, room, shared_toy):
    fine = (await client.get("/heat/all/cells", params=MARCH | {"res": "9"}, headers=room)).json()
    assert fine["total"] == sum(row.category != "domestic" for row in _march(shared_toy.rows))
    asked = MARCH | {"res": "9", "category": "domestic"}
    assert (await client.get("/heat/all/cells", params=asked, headers=room)).json()["cells"] == []


async def test_severity_sums_the_weights_of_the_categories(client, room, shared_toy):
    ask = MARCH | {"res": "8", "weight": "severity", "category": "theft"}
    answer = (await client.get("/heat/all/cells", params=ask, headers=room)).json()
    assert answer["total"] == 3 * sum(row.category == "theft" for row in _march(shared_toy.rows))
    assert answer["unit"] == "severity"


async def test_a_zone_type_counts_what_lies_in_its_influence(client, room, shared_toy):
    answer = (await client.get("/heat/market/cells", params=MARCH | {"res": "8"}, headers=room)).json()
    assert answer["total"] == sum(row.zones >> 1 & 1 for row in _march(shared_toy.rows)) > 0


async def test_a_token_of_a_village_counts_the_village(client, toy_settings, shared_toy):
    village = bearer(token(toy_settings, shared_toy.url, Role.ROOM, shared_toy.area_id("V1")))
    answer = (await client.get("/heat/all/cells", params=MARCH | {"res": "8"}, headers=village)).json()
    inside = [row for row in _march(shared_toy.rows) if row.grid.startswith("V1")]
    plain = sum(row.category != "domestic" for row in inside)
    assert plain < answer["total"] < len(inside)  # the sensitive ones of cells on the border are left out
    outside = MARCH | {"area": str(shared_toy.area_id("V2"))}
    assert (await client.get("/heat/all/cells", params=outside, headers=village)).status_code == 404


async def test_without_a_span_the_newest_90_days_are_meant(client, room):
    catalog = (await client.get("/heat", headers=room)).json()
    cells = (await client.get("/heat/all/cells", headers=room)).json()
    assert {"from": cells["from"], "to": cells["to"]} == catalog["default_window"]
    assert catalog["policy"]["exact"]
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
