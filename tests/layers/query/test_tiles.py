"""Tiles of layers: each point in one tile, each number right, and nothing left out in silence."""

from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layers.catalog.registry import LAYERS
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.geo.bbox import Bbox
from layers.geo.tiles import Limits, Tile
from layers.query import tiles
from layers.query.interval import Interval
from layers.query.selection import Selection
from tests import toy
from tests.tiles import read_layers

INCIDENTS, PLACES, ROADS = (LAYERS[name] for name in ("incidents", "places", "roads"))
ROOM, ANALYST, DISPATCHER = (Audience(role) for role in (Role.ROOM, Role.ANALYST, Role.DISPATCHER))
KEYS = Statement("select source_key, incident_id as id from onemap.incident")
SPOT = Statement(
    "select ST_X(spot) as lon, ST_Y(spot) as lat from onemap.incident where category = 'noise' limit 1"
)
MOVE = "update onemap.place set geom = ST_SetSRID(ST_MakePoint(%s, %s), 4326)"
SPAN = Interval(toy.FIRST, datetime(2025, 2, 1, tzinfo=UTC))


async def made(db, selection, at, chosen=None):
    row = await db.row(selection.audience, tiles.tile(selection, at, chosen=chosen))
    return row, read_layers(bytes(row["body"])) if row["body"] else {}


def around(z):
    """All tiles of the toy city and one more on each side."""
    limits = Limits.of(toy.CITY.bbox, z)
    for x in range(limits.first_x - 1, limits.last_x + 2):
        for y in range(limits.first_y - 1, limits.last_y + 2):
            yield Tile.at(z, x, y)


def holding(z, lon, lat):
    """The tile that holds a place."""
    limits = Limits.of(Bbox(lon, lat, lon, lat), z)
    return Tile.at(z, limits.first_x, limits.first_y)


@pytest.mark.parametrize("audience", [ROOM, DISPATCHER], ids=["room", "dispatcher"])
@pytest.mark.parametrize("z", [11, 12, 13, 14, 15])
async def test_the_points_of_all_tiles_of_a_zoom_are_as_many_as_in_the_table(toy_db, shared_toy, audience, z):
    visible = [row for row in shared_toy.rows if audience is DISPATCHER or row.category != "domestic"]
    rows = [
        await toy_db.row(audience, tiles.tile(Selection(INCIDENTS, audience, toy.FIRST), at)) for at in around(z)
    ]
    assert sum(row["features"] for row in rows) == len(visible)
    if z >= INCIDENTS.zoom.whole:
        assert all(row["drawn"] == row["features"] for row in rows)
    selection = Selection(INCIDENTS, audience, toy.FIRST, SPAN)
    some = [await toy_db.row(audience, tiles.tile(selection, at)) for at in around(z)]
    assert sum(row["features"] for row in some) == sum(SPAN.start <= row.at <= SPAN.end for row in visible)


async def test_the_first_by_rank_of_a_square_stands_for_all_of_it_with_their_number(toy_db, shared_toy):
    ids = {row["source_key"]: row["id"] for row in await toy_db.rows(DISPATCHER, KEYS)}
    for z in (11, 12, 13):
        lonlat = np.array([[row.lon, row.lat] for row in shared_toy.rows])
        units = np.floor(Tile(0, 0, 0).units(lonlat, tiles.EXTENT << z)).astype(int)
        squares = defaultdict(list)
        for row, place in zip(shared_toy.rows, (units // tiles.SQUARE).tolist(), strict=True):
            squares[tuple(place)].append(row)
        first = {}
        for rows in squares.values():
            best = max(rows, key=lambda row: (toy.WEIGHT[row.category], ids[row.key]))
            first[ids[best.key]] = len(rows)
        drawn = {}
        for at in around(z):
            row, layers = await made(toy_db, Selection(INCIDENTS, DISPATCHER, toy.FIRST), at)
            if not layers:
                continue
            found = layers["incidents"]
            drawn |= dict(zip(found["mvt_id"], found["count"], strict=True))
            assert (row["features"], row["drawn"]) == (found["count"].sum(), len(found))
            assert ("summary" in layers) == (row["drawn"] < row["features"])
            if "summary" in layers:
                said = layers["summary"].iloc[0]
                assert (said["features"], said["drawn"]) == (row["features"], row["drawn"])
        assert drawn == first


@pytest.fixture(scope="module")
def drawn_url(shared_url):
    """A database with places to move, and two roads: one of two decimetres, one that trembles."""
    with connect(shared_url) as connection:
        run = connection.execute(
            """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state)
            values ('x', 'roads', 'append', 'x', '', now(), 'done') returning run_id""",
        ).fetchone()["run_id"]
        trembling = ", ".join(f"{0.1 + i * 3e-5:.6f} {0.1 + (i % 2) * 1e-5:.7f}" for i in range(400))
        for key, line in (("short", "0.05 0.05, 0.050002 0.05"), ("long", trembling)):
            connection.execute(
                """insert into onemap.road (source, source_key, class, oneway, layer, geom, content_hash, run_id)
                values ('x', %s, 'street', 'no', 0, ST_GeomFromText(%s, 4326), '', %s)""",
                [key, f"MULTILINESTRING(({line}))", run],
            )
        connection.execute(
            """insert into onemap.place (source, source_key, kind, geom, content_hash, run_id)
            values ('x', 'x', 'town', ST_SetSRID(ST_MakePoint(0, 0), 4326), '', %s)""",
            [run],
        )
    return shared_url


@pytest.fixture
async def drawn_db(drawn_url):
    async with Database(drawn_url, pool_size=1) as db:
        yield db


def edges(z):
    """Longitudes and latitudes on the edges of tiles of `z`, and the numbers beside them."""
    tile = st.integers(1, (1 << z) - 1)
    beside = st.sampled_from([-np.inf, 0, np.inf])

    def near(value, towards):
        return float(np.nextafter(value, towards)) if towards else float(value)

    west = st.builds(lambda x, way: near(Tile(z, x, 0).bbox.west, way), tile, beside)
    north = st.builds(lambda y, way: near(Tile(z, 0, y).bbox.north, way), tile, beside)
    return st.tuples(west, north)


@settings(max_examples=40)
@given(place=st.integers(8, 18).flatmap(edges) | st.tuples(st.floats(-180, 179.999), st.floats(-85, 85)))
@example(place=(5e-324, 5e-324))
def test_a_point_is_in_one_tile_of_each_zoom_wherever_it_lies(drawn_url, place):
    with connect(drawn_url) as connection:
        connection.execute(MOVE, place)
        for z in (8, 11, 14, 18):
            column, row = Tile(0, 0, 0).units(np.array([place]), 1 << z)[0]
            near = [
                Tile(z, int(column) + dx, int(row) + dy)
                for dx in (-1, 0, 1)
                for dy in (-1, 0, 1)
                if 0 <= int(column) + dx < 1 << z and 0 <= int(row) + dy < 1 << z
            ]
            found = 0
            for at in near:
                statement = tiles.tile(Selection(PLACES, PUBLIC, toy.FIRST), at)
                found += connection.execute(statement.sql.encode(), statement.params).fetchone()["features"]
            assert found == 1, z
        connection.rollback()


async def test_a_shape_too_small_for_its_zoom_is_told_of_and_drawn_nearer_by(drawn_db):
    selection = Selection(ROADS, PUBLIC, toy.FIRST)
    for z, drawn, names in ((12, 0, {"summary"}), (18, 1, {"roads"})):
        row, layers = await made(drawn_db, selection, holding(z, 0.05, 0.05))
        assert (row["features"], row["drawn"], set(layers)) == (1, drawn, names)
    assert layers["roads"]["class"].tolist() == ["street"]


async def test_shapes_are_simplified_below_the_zoom_that_has_them_whole(drawn_db):
    selection = Selection(ROADS, PUBLIC, toy.FIRST)
    counts = {}
    for z in (13, 14):
        _, layers = await made(drawn_db, selection, holding(z, 0.1, 0.1))
        counts[z] = max(
            len(shape.coords) for line in layers["roads"].geometry for shape in getattr(line, "geoms", [line])
        )
    assert counts[13] < 10 < counts[14]


async def test_properties_are_those_of_the_zoom_or_those_that_are_chosen(toy_db):
    selection = Selection(INCIDENTS, ANALYST, toy.FIRST)
    spot = await toy_db.row(ANALYST, SPOT)
    far, near, nearest = (holding(z, spot["lon"], spot["lat"]) for z in (13, 14, 16))
    wanted = {field.name for field in INCIDENTS.fields}

    async def names(at, chosen=None):
        _, layers = await made(toy_db, selection, at, chosen)
        return set(layers["incidents"].columns) & (wanted | {"count"})

    assert await names(far, ["origin"]) == {"origin", "count"}
    assert await names(far, []) == {"count"}
    early = {field.name for field in INCIDENTS.fields if field.from_zoom <= 13}
    assert await names(far) <= early | {"count"}
    assert "origin" in await names(near)
    assert {"origin", "attributes"} - await names(near) == {"attributes"}
    _, layers = await made(toy_db, selection, nearest)
    assert layers["incidents"]["attributes"].str.startswith('{"note": "=note k').all()
    for chosen in (["nope"], ["category", "geom"]):
        with pytest.raises(BadValue, match="properties: incidents has no"):
            tiles.tile(selection, far, chosen=chosen)
    with pytest.raises(BadValue, match="has no 'attributes'"):
        tiles.tile(Selection(INCIDENTS, ROOM, toy.FIRST), far, chosen=["attributes"])


@pytest.mark.parametrize(("most", "z"), [("MOST_MERGED", 11), ("MOST_FEATURES", 14)])
async def test_a_tile_of_more_than_can_be_drawn_is_too_many_and_never_cut(toy_db, monkeypatch, most, z):
    selection = Selection(INCIDENTS, DISPATCHER, toy.FIRST)
    rows = [(at, await toy_db.row(DISPATCHER, tiles.tile(selection, at))) for at in around(z)]
    at, fullest = max(rows, key=lambda each: each[1]["features"])
    for limit, too_many in ((fullest["features"], False), (fullest["features"] - 1, True)):
        monkeypatch.setattr(tiles, most, limit)
        tiles._asked.cache_clear()
        assert (await toy_db.row(DISPATCHER, tiles.tile(selection, at)))["too_many"] is too_many
    tiles._asked.cache_clear()


def test_squares_at_the_ends_of_neighbouring_columns_are_not_taken_for_one(drawn_url):
    """One number names a square, so the last of a column must not be the first of the next."""
    at = Tile(8, 128, 127)
    last = tiles.EXTENT // tiles.SQUARE - 1
    with connect(drawn_url) as connection:
        connection.execute("delete from onemap.place where source = 'corner'")
        for column, row in ((0, last), (1, 0)):
            lon = (at.x * tiles.EXTENT + (column + 0.5) * tiles.SQUARE) / (tiles.EXTENT << at.z) * 360 - 180
            share = (at.y * tiles.EXTENT + (row + 0.5) * tiles.SQUARE) / (tiles.EXTENT << at.z)
            lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * share))))
            connection.execute(
                """insert into onemap.place (source, source_key, kind, geom, content_hash, run_id)
                select 'corner', %s, 'town', ST_SetSRID(ST_MakePoint(%s, %s), 4326), '', min(run_id) from onemap.run""",
                [str(row), lon, float(lat)],
            )
        connection.execute("delete from onemap.place where source = 'x'")
        statement = tiles.tile(Selection(PLACES, PUBLIC, toy.FIRST), at)
        row = connection.execute(statement.sql.encode(), statement.params).fetchone()
        connection.rollback()
    assert (row["features"], row["drawn"]) == (2, 2)
