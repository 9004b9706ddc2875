"""Filters of heat over HTTP, each held against a count of the rows."""

from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from layers.core.audience import Role
from layers.core.db import connect
from layers.geo import hexgrid
from mapserver.filters import Filters
from tests import toy
from tests.mapserver.conftest import asking, bearer, token
from tests.mapserver.heat_asks import FEBRUARY, MARCH, by_cell, cells_of, in_march


async def test_what_patrols_found_can_be_left_out(client, room, shared_toy):
    _, found = await cells_of(client, room, patrol="out")
    assert found == by_cell(row for row in in_march(shared_toy.rows) if row.origin != "patrol")


async def test_hours_and_weekdays_are_the_citys(client, room, shared_toy):
    _, found = await cells_of(client, room, hours="22-2", weekdays="6,7")
    local = [(row, row.at.astimezone(ZoneInfo("Europe/Berlin"))) for row in in_march(shared_toy.rows)]
    assert found == by_cell(row for row, at in local if at.hour in {22, 23, 0, 1} and at.isoweekday() in {6, 7})


async def test_an_incident_counts_half_for_each_half_life_before_the_end(client, room, shared_toy):
    body, found = await cells_of(client, room, half_life="7", category="theft")
    end = datetime.fromisoformat(MARCH["to"])
    worth = [
        0.5 ** ((end - row.at) / timedelta(days=7)) for row in in_march(shared_toy.rows) if row.category == "theft"
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
            row for row in in_march(own_toy.rows) if row.grid.startswith("V1") and row.category == "noise"
        )
        assert inside == expected


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
