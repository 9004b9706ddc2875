"""Heat over HTTP: the room's answers are exact, the public's are the published product, all outputs agree."""

import csv
import io
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
import shapely

from layers.core.audience import PUBLIC, Role
from layers.core.db import connect
from layers.geo import hexgrid
from layers.geo.tiles import Tile
from layers.heat import public
from layers.heat.arrow import quantised
from layers.heat.tile import EXTENT
from mapserver.filters import Filters
from mapserver.scope import FRESH_S, Scopes
from tests import toy
from tests.mapserver.conftest import asking, bearer, running, token
from tests.tiles import read_tile

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


async def cells_of(client, headers, **ask):
    answer = await client.get("/heat/all/cells", params=MARCH | {"res": "8"} | ask, headers=headers)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body, dict(zip(body["cells"], body["values"], strict=True))


def by_cell(rows, res=8):
    cells = hexgrid.to_text(hexgrid.parent(np.array([row.cell for row in rows], np.uint64), res))
    return Counter(cells)


async def test_what_patrols_found_can_be_left_out(client, room, shared_toy):
    _, found = await cells_of(client, room, patrol="out")
    assert found == by_cell(row for row in _march(shared_toy.rows) if row.origin != "patrol")


async def test_hours_and_weekdays_are_the_citys(client, room, shared_toy):
    _, found = await cells_of(client, room, hours="22-2", weekdays="6,7")
    local = [(row, row.at.astimezone(ZoneInfo("Europe/Berlin"))) for row in _march(shared_toy.rows)]
    assert found == by_cell(row for row, at in local if at.hour in {22, 23, 0, 1} and at.isoweekday() in {6, 7})


async def test_an_incident_counts_half_for_each_half_life_before_the_end(client, room, shared_toy):
    body, found = await cells_of(client, room, half_life="7", category="theft")
    end = datetime.fromisoformat(MARCH["to"])
    worth = [
        0.5 ** ((end - row.at) / timedelta(days=7)) for row in _march(shared_toy.rows) if row.category == "theft"
    ]
    assert sum(found.values()) == pytest.approx(sum(worth))
    assert body["total"] == pytest.approx(sum(worth))


async def test_a_polygon_counts_base_cells_by_their_centre_and_says_so(client, room, shared_toy):
    corner = "POLYGON ((10.02 50.01, 10.06 50.01, 10.06 50.04, 10.02 50.04, 10.02 50.01))"
    body, found = await cells_of(client, room, polygon=corner, category="noise,theft")
    assert body["polygon"] == {"by": "centre", "res": 10}
    centres = hexgrid.centre(np.array([row.cell for row in shared_toy.rows], np.uint64))
    inside = shapely.contains_xy(shapely.from_wkt(corner), centres)
    rows = [row for row, within in zip(shared_toy.rows, inside, strict=True) if within and row.at.month == 3]
    assert found == by_cell(row for row in rows if row.category != "domestic")


async def test_heat_less_that_of_the_period_before_is_what_changed(client, room, shared_toy):
    _, march = await cells_of(client, room)
    _, changed = await cells_of(client, room, against="previous")
    start, end = (datetime.fromisoformat(MARCH[name]) for name in ("from", "to"))
    before = by_cell(row for row in shared_toy.rows if start - (end - start) <= row.at < start)
    expected = {cell: march.get(cell, 0) - before[cell] for cell in march.keys() | before.keys()}
    assert changed == {cell: value for cell, value in expected.items() if value}
    assert min(changed.values()) < 0 < max(changed.values())
    named = f"{(start - (end - start)).isoformat()}/{start.isoformat()}"
    assert (await cells_of(client, room, against=named))[1] == changed
    _, year = await cells_of(client, room, against="year_before")
    assert year == march


async def test_a_rate_is_per_km2_of_the_cells_own_area(client, room):
    _, counts = await cells_of(client, room)
    body, rates = await cells_of(client, room, per="km2")
    ids = np.array([int(cell, 16) for cell in counts], np.uint64)
    km2 = dict(zip(counts, hexgrid.area_m2(ids) / 1e6, strict=True))
    assert rates == pytest.approx({cell: value / km2[cell] for cell, value in counts.items()})
    assert body["unit"] == "incidents/km2"


async def test_the_top_cells_come_first_to_last(client, room):
    _, counts = await cells_of(client, room)
    body, top = await cells_of(client, room, top="3")
    assert body["values"] == sorted(counts.values(), reverse=True)[:3]
    assert all(counts[cell] == value for cell, value in top.items())


async def test_smoothing_keeps_the_sum_and_a_box_cuts_what_was_smoothed(client, room):
    body, counts = await cells_of(client, room)
    smooth, spread = await cells_of(client, room, smooth="2")
    assert smooth["total"] == pytest.approx(body["total"])
    assert spread.keys() > counts.keys()
    _, cut = await cells_of(client, room, smooth="2", bbox="10.02,50.01,10.04,50.03")
    assert 0 < len(cut) < len(spread)
    assert all(spread[cell] == value for cell, value in cut.items())


async def test_heat_as_of_a_time_is_what_was_known_then(own_app, toy_settings, own_toy):
    headers = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    village = bearer(token(toy_settings, own_toy.url, Role.ROOM, own_toy.area_id("V1")))
    async with asking(own_app) as client:
        _, known = await cells_of(client, headers)
        with connect(own_toy.url) as connection:
            connection.autocommit = True
            at = connection.execute("select clock_timestamp() as at").fetchone()["at"]
            connection.execute("delete from onemap.incident where category = 'noise'")
        assert (await cells_of(client, headers, as_of=at.isoformat(), res="9", category="domestic"))[1] == {}
        body, then = await cells_of(client, headers, as_of=at.isoformat())
        assert then == known
        assert body["as_of"] == at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        _, now = await cells_of(client, headers, as_of=datetime.now(UTC).isoformat())
        assert 0 < sum(now.values()) < sum(known.values())
        _, inside = await cells_of(client, village, as_of=at.isoformat(), category="noise")
        expected = by_cell(
            row for row in _march(own_toy.rows) if row.grid.startswith("V1") and row.category == "noise"
        )
        assert inside == expected


async def test_arrow_says_the_same_as_json(client, room):
    body, counts = await cells_of(client, room)
    answer = await client.get("/heat/all/cells", params=MARCH | {"res": "8", "f": "arrow"}, headers=room)
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(answer.content).read_all()
    assert dict(zip(hexgrid.to_text(table["cell"].to_numpy()), table["value"].to_pylist(), strict=True)) == counts
    told = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    assert told == {name: str(value) for name, value in body.items() if name not in ("cells", "values")}
    for ask in ({"half_life": "3"}, {"per": "km2"}, {"against": "previous"}):
        refused = await client.get("/heat/all/cells", params=MARCH | ask | {"f": "arrow"}, headers=room)
        assert refused.status_code == 400
        assert refused.json()["parameter"] == "f"


async def test_frames_are_the_steps_of_the_whole_span_in_the_order_of_its_cells(client, room):
    body, counts = await cells_of(client, room, category="noise")
    ask = MARCH | {"res": "8", "category": "noise", "steps": "31", "values": "exact"}
    answer = await client.get("/heat/all/frames", params=ask | {"set": body["set"]}, headers=room)
    stream = pa.ipc.open_stream(answer.content)
    frames = [batch["v"].to_numpy() for batch in stream]
    assert stream.schema.metadata[b"set"].decode() == body["set"]
    assert len(frames) == 31
    assert sum(frames).tolist() == list(counts.values())
    for day in (0, 12, 30):
        span = {
            name: (datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=day + add)).isoformat()
            for name, add in (("from", 0), ("to", 1))
        }
        _, alone = await cells_of(client, room, category="noise", **span)
        assert {cell: int(value) for cell, value in zip(counts, frames[day], strict=True) if value} == alone


async def test_a_screens_frame_is_the_quantised_counts(client, room):
    ask = MARCH | {"res": "8", "steps": "4"}
    exact = (await client.get("/heat/all/frames", params=ask | {"values": "exact"}, headers=room)).content
    for top in (None, "7"):
        given = {} if top is None else {"scale_top": top}
        stream = pa.ipc.open_stream(
            (await client.get("/heat/all/frames", params=ask | given, headers=room)).content
        )
        counts = [batch["v"].to_numpy().astype(np.int64) for batch in pa.ipc.open_stream(exact)]
        end = float(top or max(frame.max() for frame in counts))
        assert float(stream.schema.metadata[b"top"]) == end
        for frame, count in zip(stream, counts, strict=True):
            assert frame["v"].to_numpy().tolist() == quantised(count, end).tolist()


async def test_frames_of_other_cells_than_the_callers_are_refused_with_the_set_that_there_is(client, room):
    answer = await client.get("/heat/all/frames", params=MARCH | {"steps": "2", "set": "0" * 24}, headers=room)
    assert answer.status_code == 409
    body, _ = await cells_of(client, room, res="9")
    assert answer.json()["set"] == body["set"]


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ({"steps": "0"}, "steps"),
        ({"steps": "1001"}, "steps"),
        ({}, "steps"),
        ({"steps": "2", "scale_top": "0"}, "scale_top"),
        ({"steps": "2", "values": "some"}, "values"),
        ({"steps": "2", "half_life": "3"}, "half_life"),
        ({"steps": "2", "top": "3"}, "top"),
        ({"steps": "2", "against": "previous"}, "against"),
        ({"steps": "9", "to": "2025-03-01T00:00:08Z"}, "steps"),
    ],
)
async def test_frames_that_cannot_be_are_refused_by_name(client, room, ask, names):
    answer = await client.get("/heat/all/frames", params=MARCH | ask, headers=room)
    assert answer.status_code == 400
    assert names in answer.text


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ({"from": "2025-03-01T00:00:00.5Z"}, "from"),
        ({"patrol": "maybe"}, "patrol"),
        ({"hours": "25"}, "hours"),
        ({"weekdays": "0"}, "weekdays"),
        ({"half_life": "0"}, "half_life"),
        ({"half_life": "nan"}, "half_life"),
        ({"polygon": "POINT (10 50)"}, "polygon"),
        ({"against": "last week"}, "against"),
        ({"against": "2025-01-02T00:00:00Z/2025-01-01T00:00:00Z"}, "against"),
        ({"against": "x/y"}, "against"),
        ({"per": "person"}, "per"),
        ({"top": "0"}, "top"),
        ({"smooth": "6"}, "smooth"),
        ({"as_of": "yesterday"}, "as_of"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused_by_name(client, room, ask, names):
    answer = await client.get("/heat/all/cells", params=MARCH | ask, headers=room)
    assert answer.status_code == 400
    assert answer.json().get("parameter", names) == names
    assert names in answer.text


NARROWED = {
    "category": "noise", "weight": "severity", "patrol": "out", "hours": "7", "weekdays": "1", "half_life": "7",
    "area": "1", "polygon": "POLYGON ((10 50, 10.1 50, 10.1 50.1, 10 50))", "against": "previous", "smooth": "1",
    "per": "km2", "top": "3", "as_of": "2025-03-01T00:00:00Z",
}  # fmt: skip


def test_every_filter_is_tried_on_the_public():
    assert NARROWED.keys() == {field.name for field in fields(Filters)}


@pytest.mark.parametrize("name", NARROWED)
@pytest.mark.parametrize("path", ["/heat/all/cells", "/heat/all/9/270/173.mvt", "/heat/all/frames"])
async def test_no_filter_is_for_the_public(client, path, name):
    ask = FEBRUARY | {name: NARROWED[name]} | ({"steps": "2"} if path.endswith("frames") else {})
    answer = await client.get(path, params=ask)
    assert answer.status_code == 403
    assert answer.json()["needs"] == "room"


async def test_frames_are_not_for_the_public(client):
    answer = await client.get("/heat/all/frames", params=FEBRUARY | {"steps": "2"})
    assert answer.status_code == 403


async def test_without_a_store_heat_says_that_it_is_being_built(toy_settings, shared_toy, tmp_path):
    settings = toy_settings.model_copy(update={"home": tmp_path})
    room = bearer(token(settings, shared_toy.url, Role.ROOM))
    async with running(settings, shared_toy.url) as app, asking(app) as client:
        answer = await client.get("/heat/all/cells", params=MARCH, headers=room)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("heat-not-ready")
    assert "retry-after" in answer.headers


async def test_a_rate_per_household_spreads_those_of_an_area_over_its_cells(own_app, toy_settings, own_toy):
    headers = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    async with asking(own_app) as client:
        refused = await client.get("/heat/all/cells", params=MARCH | {"per": "households"}, headers=headers)
        assert refused.status_code == 400
        assert refused.json()["parameter"] == "per"
        with connect(own_toy.url) as connection:
            connection.execute("update onemap.area set households = 5000 where code like 'V_G_'")
            connection.execute("update onemap.area set households = 1 where code = 'D'")
        own_app.state.scopes._homes = None
        _, counts = await cells_of(client, headers)
        body, rates = await cells_of(client, headers, per="households")
    assert body["unit"] == "incidents/1000 households"
    cells = [hexgrid.inside(shapely.to_wkb(shapely.box(*box)), 10) for code, _, *box in toy.AREAS if "G" in code]
    shares = Counter()
    for area in cells:
        for text in hexgrid.to_text(hexgrid.parent(area, 8)):
            shares[text] += 5000 / len(area)
    assert rates == pytest.approx(
        {cell: 1000 * count / shares[cell] for cell, count in counts.items() if shares[cell]}
    )
