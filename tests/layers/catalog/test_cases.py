"""The cases layer in a database: how terms stand as the clock goes on, and what each audience sees of it."""

import json

import pytest

from layers.cases.sla import Colour
from layers.catalog.cases import CASES, SHADES
from layers.catalog.registry import layer_for
from layers.core.audience import Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import Forbidden
from layers.geo.tiles import Tile
from layers.query import features, tiles, version
from layers.query.condition import condition
from layers.query.queryable import queryables
from layers.query.selection import Selection
from tests.layers.cases.desk import AT, MINUTE, PLACE, Desk, policies_in, report
from tests.told import page

ROOM, DISPATCHER = Audience(Role.ROOM), Audience(Role.DISPATCHER)
NEAR = Tile.at(14, 8648, 5554)
TO_HANDLING = ("accept", "triage", "dispatch", "handle")


@pytest.fixture
async def db(own_toy, tmp_path):
    """The first case is in the hands of an office, due 243 minutes after AT; the second of a sensitive category."""
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies_in(tmp_path))
        first = desk.register(report("1", report="a bin burns"))["case_id"]
        desk.register(report("2", category="domestic", severity=5))
        for minute, code in enumerate(TO_HANDLING, 1):
            desk.move(first, code, minute)
    async with Database(own_toy.url, pool_size=2) as opened:
        yield opened


async def seen(db, audience=DISPATCHER, minutes=0, **asked):
    selection = Selection(CASES, audience, AT + minutes * MINUTE, **asked)
    return (await page(db, selection)).features


async def standing(db, minutes):
    (found,) = [each for each in await seen(db, minutes=minutes) if each["properties"]["category"] == "theft"]
    return found["properties"]["deadline"]


async def test_a_case_turns_as_the_clock_goes_on_whoever_moves_nothing(db):
    told = {minute: await standing(db, minute) for minute in (10, 182, 183, 242, 243, 482, 483)}
    assert told == {
        10: "green", 182: "green", 183: "warn", 242: "warn", 243: "overdue", 482: "overdue", 483: "red",
    }  # fmt: skip


async def test_a_case_whose_clock_stands_has_no_term_and_one_that_has_ended_says_so(db, own_toy, tmp_path):
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies_in(tmp_path))
        (first,) = (
            row["case_id"] for row in connection.execute("select min(case_id) as case_id from onemap.case_file")
        )
        desk.move(first, "pause", 20)
    assert await standing(db, 1000) == "none"
    with connect(own_toy.url) as connection:
        desk = Desk(connection, policies_in(tmp_path))
        for minute, code in enumerate(("resume", "feed_back", "close"), 21):
            desk.move(first, code, minute)
    assert await standing(db, 1000) == "ended"


async def test_a_term_of_a_state_counts_beside_the_clock_and_the_worse_of_both_shows(db):
    (waiting,) = [each for each in await seen(db, minutes=61) if each["properties"]["category"] == "domestic"]
    assert waiting["properties"]["deadline"] == "overdue"  # it was to be accepted within an hour


async def test_what_stands_how_can_be_asked_for(db):
    late = {"op": "in", "args": [{"property": "deadline"}, ["red", "overdue"]]}
    asked = (condition(late, queryables(CASES, ROOM)),)
    for minutes, count in ((10, 0), (250, 1)):
        assert len(await seen(db, ROOM, minutes, filters=asked)) == count
        selection = Selection(CASES, ROOM, AT + minutes * MINUTE, filters=asked)
        assert await db.value(ROOM, features.matched(selection, 10)) == count


async def test_a_tile_holds_how_terms_stand_at_its_moment_and_the_most_pressing_stands_for_a_crowd(db):
    for zoom in (14, 10):
        at = Tile.at(zoom, NEAR.x >> (14 - zoom), NEAR.y >> (14 - zoom))
        for minutes, words in ((10, b"green"), (250, b"overdue"), (500, b"red")):
            selection = Selection(CASES, ROOM, AT + minutes * MINUTE)
            found = await db.row(ROOM, tiles.tile(selection, at))
            assert found["features"] == 1
            assert words in bytes(found["body"])
    crowd = await db.row(DISPATCHER, tiles.tile(Selection(CASES, DISPATCHER, AT + 100 * MINUTE), at))
    assert (crowd["features"], crowd["drawn"]) == (2, 1)
    assert b"domestic" in bytes(crowd["body"])  # over its hour, while the other is in time


async def test_the_room_sees_a_cells_centre_and_neither_texts_nor_sensitive_cases(db):
    (room,), exact = await seen(db, ROOM), await seen(db, DISPATCHER)
    assert len(exact) == 2
    assert room["properties"]["category"] == "theft"
    assert tuple(exact[0]["geometry"]["coordinates"]) == PLACE
    assert room["geometry"]["coordinates"] != exact[0]["geometry"]["coordinates"]
    assert "a bin burns" not in json.dumps([room, *exact])


async def test_what_is_merged_into_another_case_is_not_on_the_map_beside_it(db, own_toy):
    with connect(own_toy.url) as connection:
        connection.execute("select set_config('onemap.area_id', '', false)")
        ids = [
            row["case_id"] for row in connection.execute("select case_id from onemap.case_file order by case_id")
        ]
        connection.execute("select onemap.merge_case(%s, %s, %s)", [*ids, AT + 30 * MINUTE])
    assert [each["id"] for each in await seen(db)] == ids[1:]


async def test_whoever_is_confined_to_an_area_sees_its_cases_alone(db, own_toy):
    for code, count in (("D", 2), ("V1", 2), ("V1G2", 2), ("V1G1", 0), ("V2", 0)):
        assert len(await seen(db, Audience(Role.DISPATCHER, own_toy.area_id(code)))) == count


async def test_the_public_reads_none_nor_does_the_database_let_it(db):
    with pytest.raises(Forbidden):
        layer_for("cases", Audience())
    with pytest.raises(Exception, match="permission denied"):
        await seen(db, Audience())


async def test_the_layer_knows_when_the_clock_alone_changes_it(db):
    for minutes, last, coming in (
        (10, None, 60),
        (60, 60, 183),
        (200, 183, 243),
        (300, 243, 483),
        (500, 483, None),
    ):
        found = await db.row(DISPATCHER, version.turns(CASES, AT + minutes * MINUTE))
        told = [None if found[end] is None else (found[end] - AT) / MINUTE for end in ("last", "next")]
        assert told == [last, coming]


def test_every_colour_of_a_deadline_has_a_shade():
    assert {shade.value for shade in SHADES} == {colour.value for colour in Colour} | {"none", "ended"}
    assert len({shade.colour for shade in SHADES}) == len(SHADES)
