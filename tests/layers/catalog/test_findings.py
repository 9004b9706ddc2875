"""The findings layer in a database, seen by each audience."""

from datetime import timedelta

import pytest

from layers.catalog.registry import LAYERS, layer_for
from layers.core.audience import Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import Forbidden
from layers.geo.tiles import Tile
from layers.query import tiles
from layers.query.interval import Interval
from layers.query.selection import Selection
from tests import toy
from tests.told import page

ANALYST = Audience(Role.ANALYST)
FINDINGS = LAYERS["findings"]

# V1 is the half west of 10.05 E, V2 the other; each is made of a northern and a southern grid.
WEST, EAST, BOTH = (
    "POLYGON((10.01 50.01,10.02 50.01,10.02 50.02,10.01 50.01))",
    "POLYGON((10.06 50.04,10.07 50.04,10.07 50.05,10.06 50.04))",
    "POLYGON((10.04 50.01,10.06 50.01,10.06 50.02,10.04 50.01))",
)
PLACES = {"west": WEST, "point": "POINT(10.02 50.02)", "east": EAST, "both": BOTH, "nowhere": None}


@pytest.fixture
async def db(own_toy):
    with connect(own_toy.url) as connection:
        for days, (subject, place) in enumerate(PLACES.items()):
            connection.execute(
                """insert into onemap.finding (run_id, at, kind, changed, row_number, subject, message, amount, unit,
                  place)
                select min(run_id), %s, 'gap', false, 3, %s, 'nothing covers', 12.5, 'm2',
                  st_geomfromtext(%s, 4326) from onemap.run""",
                [toy.FIRST + timedelta(days=days), subject, place],
            )
    async with Database(own_toy.url, pool_size=2) as opened:
        yield opened


async def _seen(db, audience, **asked):
    found = await page(db, Selection(FINDINGS, audience, toy.FIRST, **asked))
    return [feature["properties"]["subject"] for feature in found.features]


async def test_a_finding_is_a_feature_with_its_source_and_one_without_a_place_is_none(db):
    assert await _seen(db, ANALYST) == ["west", "point", "east", "both"]
    properties = (await page(db, Selection(FINDINGS, ANALYST, toy.FIRST))).features[0]["properties"]
    told = {name: properties[name] for name in ("kind", "changed", "row_number", "amount", "unit", "source")}
    assert told == {
        "kind": "gap",
        "changed": False,
        "row_number": 3,
        "amount": 12.5,
        "unit": "m2",
        "source": "toy",
    }


async def test_findings_are_selected_by_the_time_of_their_load(db):
    day = Interval(toy.FIRST + timedelta(days=1), toy.FIRST + timedelta(days=2))
    assert await _seen(db, ANALYST, interval=day) == ["point", "east"]


async def test_whoever_is_confined_to_an_area_sees_the_findings_that_lie_in_it_whole(db, own_toy):
    def within(code):
        return Audience(Role.ANALYST, own_toy.area_id(code))

    assert await _seen(db, within("D")) == ["west", "point", "east", "both"]
    assert await _seen(db, within("V1")) == ["west", "point"]
    assert await _seen(db, within("V2")) == ["east"]
    assert await _seen(db, within("V1G1")) == []
    assert await _seen(db, Audience(Role.ADMIN, own_toy.area_id("V2"))) == ["east"]


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.ROOM])
async def test_below_the_analyst_nobody_reads_them_nor_the_database_lets_them(db, role):
    with pytest.raises(Forbidden):
        layer_for("findings", Audience(role))
    with pytest.raises(Exception, match="permission denied"):
        await _seen(db, Audience(role))


async def test_a_tile_holds_points_and_polygons(db):
    at = Tile.at(9, 270, 173)
    found = await db.row(ANALYST, tiles.tile(Selection(FINDINGS, ANALYST, toy.FIRST), at))
    assert found["features"] == 4
    for word in (b"findings", b"west", b"point", b"m2"):
        assert word in bytes(found["body"])
