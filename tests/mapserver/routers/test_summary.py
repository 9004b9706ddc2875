"""Key figures and the view of a place over HTTP."""

from collections import Counter
from datetime import datetime

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


async def test_the_figures_of_the_room_are_those_of_the_rows_and_of_heat(client, room, shared_toy):
    figures = (await client.get("/summary", params=MARCH, headers=room)).json()
    heat = (await client.get("/heat/all/cells", params=MARCH | {"res": "8"}, headers=room)).json()
    rows = _march(shared_toy.rows)
    assert figures["total"] == heat["total"] == len(rows)
    assert {each["code"]: each["count"] for each in figures["by_category"]} == {
        code: sum(row.category == code for row in rows) for code in ("noise", "theft", "domestic")
    }
    for bit, zone in enumerate(("school", "market")):
        of_zone = (await client.get(f"/heat/{zone}/cells", params=MARCH | {"res": "8"}, headers=room)).json()
        counted = next(each["count"] for each in figures["by_zone_type"] if each["code"] == zone)
        assert counted == of_zone["total"] == sum(row.zones >> bit & 1 for row in rows)
    assert figures["open"] == sum(row.state is not None for row in shared_toy.rows)
    assert figures["area"]["code"] == "D"
    assert figures["rounded_to"] is None


async def test_the_period_before_touches_and_the_year_before_is_a_year_back(client, room):
    figures = (await client.get("/summary", params=MARCH, headers=room)).json()
    assert figures["previous"]["to"] == MARCH["from"]
    assert figures["year_before"]["from"] == "2024-03-01T00:00:00Z"
    assert figures["year_before"]["total"] == 0


async def test_figures_of_an_area_are_those_of_its_heat_and_cut_no_sensitive_incident_out_of_a_cell(
    client, room, shared_toy
):
    for code in ("V1", "V1G1", "V2G2"):
        ask = MARCH | {"area": str(shared_toy.area_id(code))}
        figures = (await client.get("/summary", params=ask, headers=room)).json()
        heat = (await client.get("/heat/all/cells", params=ask | {"res": "8"}, headers=room)).json()
        assert figures["total"] == heat["total"] == sum(each["count"] for each in figures["by_category"]) > 0
        cells = hexgrid.parent(np.array([row.cell for row in shared_toy.rows], np.uint64), 8).tolist()
        cut = {cell for cell, row in zip(cells, shared_toy.rows, strict=True) if not row.grid.startswith(code)}
        expected = Counter(
            row.category
            for cell, row in zip(cells, shared_toy.rows, strict=True)
            if row.at.month == 3 and row.grid.startswith(code) and (row.category != "domestic" or cell not in cut)
        )
        assert {each["code"]: each["count"] for each in figures["by_category"]} == {
            name: expected[name] for name in ("noise", "theft", "domestic")
        }


async def test_the_newest_of_all_is_told_of_no_sensitive_one_to_the_room(client, toy_settings, shared_toy):
    differ = 0
    for code in ("D", "V1G1", "V1G2", "V2G1", "V2G2"):
        mine = [row for row in shared_toy.rows if row.grid.startswith(code) or code == "D"]
        plain = [row for row in mine if row.category != "domestic"]
        for role, rows in ((Role.ROOM, plain), (Role.DISPATCHER, mine)):
            headers = bearer(token(toy_settings, shared_toy.url, role, shared_toy.area_id(code)))
            told = (await client.get("/summary", params=MARCH, headers=headers)).json()["newest_at"]
            assert datetime.fromisoformat(told) == max(row.at for row in rows)
        differ += max(row.at for row in plain) < max(row.at for row in mine)
    assert differ


async def test_the_public_gets_published_totals_of_the_city_only(client, shared_toy):
    figures = (await client.get("/summary", params=FEBRUARY)).json()
    heat = (await client.get("/heat/all/cells", params=FEBRUARY)).json()
    assert figures["total"] == heat["total"] > 0
    assert figures["rounded_to"] == 5
    hidden = ("by_category", "open", "overdue", "previous", "year_before", "newest_at")
    assert {figures[name] for name in hidden} == {None}
    for ask in (MARCH, FEBRUARY | {"area": str(shared_toy.area_id("V1"))}):
        assert (await client.get("/summary", params=ask)).status_code == 403


async def test_a_place_tells_its_areas_its_risk_areas_and_for_the_room_its_incidents(client, room, shared_toy):
    spot = max(shared_toy.rows, key=lambda row: sum(other.cell == row.cell for other in shared_toy.rows))
    ask = MARCH | {"lon": str(spot.lon), "lat": str(spot.lat)}
    for headers in ({}, room):
        place = (await client.get("/place", params=ask, headers=headers)).json()
        assert [area["code"] for area in place["areas"]] == ["D", spot.grid[:2], spot.grid]
        assert len(place["risk_areas"]) == spot.zones.bit_count()
        assert (place["incidents"] is None) == (headers == {})
    assert place["incidents"]["total"] == sum(each["count"] for each in place["incidents"]["by_category"]) > 0
    assert "domestic" not in str(place["incidents"])


@pytest.mark.parametrize(
    "ask", [{}, {"lon": "x", "lat": "1"}, {"lon": "181", "lat": "1"}, {"lon": "nan", "lat": "1"}, {"lon": "1"}]
)
async def test_a_place_that_is_none_is_400(client, ask):
    answer = await client.get("/place", params=ask)
    assert answer.status_code == 400
    assert answer.json()["parameter"] in {"lon", "lat"}


async def test_the_city_says_who_is_asking(client, room):
    assert (await client.get("/city")).json()["audience"] == {"role": "public", "area": None}
    city = (await client.get("/city", headers=room)).json()
    assert city["audience"]["role"] == "room"
    assert [each["code"] for each in city["zone_types"]] == ["school", "market"]
