"""Features as rows."""

import json

import pytest

from layers.catalog.registry import LAYERS, layer_for
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.errors import Forbidden, UnknownLayer
from layers.geo.bbox import Bbox
from layers.query import features
from layers.query.interval import Interval
from layers.query.selection import Selection
from tests import toy
from tests.told import every, page

ROOM = Audience(Role.ROOM)
DISPATCHER = Audience(Role.DISPATCHER)
INCIDENTS = LAYERS["incidents"]


def _point(feature):
    return tuple(feature["geometry"]["coordinates"])


async def test_pages_together_hold_every_row_once(toy_db, shared_toy):
    rows = await every(toy_db, Selection(INCIDENTS, DISPATCHER, toy.FIRST))
    assert len({row["id"] for row in rows}) == len(rows) == len(shared_toy.rows)


async def test_the_room_sees_no_sensitive_incident_as_a_feature(toy_db, shared_toy):
    rows = await every(toy_db, Selection(INCIDENTS, ROOM, toy.FIRST))
    assert len(rows) == sum(row.category != "domestic" for row in shared_toy.rows)
    assert {row["properties"]["category"] for row in rows} == {"noise", "theft"}


async def test_the_room_sees_centres_of_cells_and_the_dispatcher_true_points(toy_db, shared_toy):
    true = {(round(row.lon, 6), round(row.lat, 6)) for row in shared_toy.rows}

    async def points(audience):
        rows = await every(toy_db, Selection(INCIDENTS, audience, toy.FIRST))
        return {_point(row) for row in rows}

    assert not await points(ROOM) & true
    assert await points(DISPATCHER) == true


async def test_a_box_of_the_room_selects_by_what_the_room_sees(toy_db, shared_toy):
    box = Bbox(10.02, 50.02, 10.03, 50.03)
    rows = await every(toy_db, Selection(INCIDENTS, ROOM, toy.FIRST, bbox=box))
    everything = await every(toy_db, Selection(INCIDENTS, ROOM, toy.FIRST))
    inside = {
        row["id"]
        for row in everything
        for lon, lat in [_point(row)]
        if box.west <= lon <= box.east and box.south <= lat <= box.north
    }
    assert {row["id"] for row in rows} == inside != set()


@pytest.mark.parametrize(
    ("box", "codes"),
    [
        (Bbox(10.02, 49, 10.02, 51), {"D", "V1", "V1G1", "V1G2"}),
        (Bbox(9, 50.04, 11, 50.04), {"D", "V1", "V2", "V1G1", "V2G1"}),
        (Bbox(10.02, 50.02, 10.02, 50.02), {"D", "V1", "V1G2"}),
    ],
)
async def test_a_box_without_width_or_height_meets_what_it_crosses(toy_db, box, codes):
    rows = await every(toy_db, Selection(LAYERS["areas"], PUBLIC, toy.FIRST, bbox=box))
    assert {row["properties"]["code"] for row in rows} == codes


async def test_an_interval_is_closed_at_both_ends(toy_db, shared_toy):
    times = sorted(row.at for row in shared_toy.rows)
    interval = Interval(times[100], times[200])
    rows = await every(toy_db, Selection(INCIDENTS, DISPATCHER, toy.FIRST, interval))
    assert len(rows) == sum(times[100] <= at <= times[200] for at in times)


async def test_an_analyst_reads_the_further_columns_and_the_room_does_not(toy_db):
    for audience, further in ((Audience(Role.ANALYST), True), (ROOM, False)):
        (feature,) = (await page(toy_db, Selection(INCIDENTS, audience, toy.FIRST), 1)).features
        assert ("attributes" in feature["properties"]) == further


async def test_an_item_outside_the_scope_is_not_there(toy_db, shared_toy):
    everywhere = await page(toy_db, Selection(INCIDENTS, DISPATCHER, toy.FIRST), 50)
    village = Audience(Role.DISPATCHER, shared_toy.area_id("V1"))
    for each in everywhere.features:
        found = await toy_db.row(village, features.item(Selection(INCIDENTS, village, toy.FIRST), each["id"]))
        assert (found is not None) == each["properties"]["area"].startswith("V1")
        assert found is None or json.loads(found["feature"]) == each


async def test_everybody_reads_areas_with_their_parent(toy_db):
    found = await every(toy_db, Selection(LAYERS["areas"], PUBLIC, toy.FIRST))
    assert {each["properties"]["code"]: each["properties"]["parent"] for each in found} == {
        area[0]: area[1] for area in toy.AREAS
    }


def test_the_public_is_told_which_audience_a_layer_needs():
    with pytest.raises(Forbidden) as caught:
        layer_for("incidents", PUBLIC)
    assert caught.value.context == {"layer": "incidents", "needs": "room"}


def test_an_unknown_layer_is_named():
    with pytest.raises(UnknownLayer, match="nope"):
        layer_for("nope", PUBLIC)
