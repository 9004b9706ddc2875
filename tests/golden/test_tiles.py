"""Tiles as text; `make bless` accepts a change, and the difference is then read."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from layers.catalog.registry import LAYERS
from layers.core.audience import PUBLIC, Audience, Role
from layers.geo.tiles import Tile
from layers.query import tiles
from layers.query.interval import Interval
from layers.query.selection import Selection
from tests import toy
from tests.tiles import tile_text

WEEK = Interval(toy.FIRST, toy.FIRST + timedelta(days=7))

TILES = {
    "areas_far": (Selection(LAYERS["areas"], PUBLIC, toy.FIRST), Tile(9, 270, 173)),
    "areas_near": (Selection(LAYERS["areas"], PUBLIC, toy.FIRST), Tile(14, 8648, 5554)),
    "risk_areas": (Selection(LAYERS["risk_areas"], PUBLIC, toy.FIRST), Tile(12, 2162, 1388)),
    "incidents_merged": (
        Selection(LAYERS["incidents"], Audience(Role.ROOM), toy.FIRST, WEEK),
        Tile(12, 2162, 1388),
    ),
    "incidents_whole": (
        Selection(LAYERS["incidents"], Audience(Role.DISPATCHER), toy.FIRST, WEEK),
        Tile(14, 8648, 5554),
    ),
}


@pytest.mark.parametrize("name", TILES)
async def test_a_tile_is_the_one_that_was_accepted(toy_db, name):
    selection, at = TILES[name]
    row = await toy_db.row(selection.audience, tiles.tile(selection, at, toy.CITY.deepest_level(at.z)))
    said = ", ".join(f"{key} {row[key]}" for key in ("features", "drawn", "too_many"))
    text = f"{said}\n{tile_text(bytes(row['body']))}"
    golden = Path(__file__).parent / f"{name}.mvt.txt"
    if os.environ.get("ONEMAP_BLESS"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
