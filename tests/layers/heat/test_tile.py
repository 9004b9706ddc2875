"""Tiles of heat, encoded by PostGIS and read back by GDAL."""

import h3
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.db import connect
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.geo.tiles import Tile, heat_resolution
from layers.heat.outline import outlines
from layers.heat.tile import BUFFER, EXTENT, drawn, tile
from tests.tiles import read_tile

FRAME = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
some = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

zooms = st.integers(0, 16)
places = st.one_of(
    st.tuples(st.floats(-180, 179.9), st.floats(-84, 84)),
    st.tuples(st.sampled_from([-180.0, 179.9999]), st.floats(-84, 84)),
    st.sampled_from(sorted(h3.get_pentagons(9))).map(lambda text: h3.cell_to_latlng(text)[::-1]),
)


@pytest.fixture(scope="module")
def connection(shared_url):
    with connect(shared_url) as connection:
        yield connection


def _tile_of(lon, lat, z):
    x, y = Tile(0, 0, 0).units(np.array([[lon, lat]]), 1 << z)[0]
    return Tile.at(z, int(x), min(max(int(y), 0), (1 << z) - 1))


def _around(at):
    """The tile and its neighbours, over the antimeridian too."""
    n = 1 << at.z
    return {Tile.at(at.z, (at.x + i) % n, min(max(at.y + j, 0), n - 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)}


def _cells(at, res):
    """Cells of the tile and somewhat around it."""
    box = at.bbox
    wide, high = (box.east - box.west) / 8, (box.north - box.south) / 8
    west, east = (box.west - wide + 180) % 360 - 180, (box.east + wide + 180) % 360 - 180
    return hexgrid.cover(Bbox(west, max(box.south - high, -85), east, min(box.north + high, 85)), res)


def _read(connection, at, cell, value, city=None):
    """What a client finds in the tile: value and polygon by id, in units of the tile."""
    statement = tile(at, cell, value, city)
    body = bytes(next(iter(connection.execute(statement.sql, statement.params).fetchone().values())) or b"")
    if not body:
        return {}
    layers, frame = read_tile(body)
    assert layers == ["heat"]
    assert frame.cell.is_unique
    # GDAL turns the second axis up.
    shapes = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack([xy[:, 0], EXTENT - xy[:, 1]])
    )
    return dict(zip(frame.cell, zip(frame.value.tolist(), shapes, strict=True), strict=True))


def _boundary(text):
    """Outline by the library, as close to the cell's own centre as it can be, not cut anywhere."""
    _, lon = h3.cell_to_latlng(text)
    return shapely.Polygon([((x - lon + 180) % 360 - 180 + lon, y) for y, x in h3.cell_to_boundary(text)])


@some
@given(places, st.integers(2, 16))
def test_a_tiles_cells_are_exactly_those_that_touch_it_and_neighbours_neither_miss_nor_double_one(
    connection, place, z
):
    middle = _tile_of(*place, z)
    cell = _cells(middle, heat_resolution(z, 10))
    value = np.arange(cell.size) + 1
    texts = np.array(hexgrid.to_text(cell))
    boundaries = np.array([_boundary(text) for text in texts])
    found = {at: _read(connection, at, cell, value) for at in _around(middle)}
    for at, features in found.items():
        touching = np.zeros(cell.size, bool)
        for turn in (-360, 0, 360):
            west, south, east, north = at.bbox.parts()[0]
            touching |= shapely.intersects(boundaries, shapely.box(west + turn, south, east + turn, north))
        assert features.keys() == set(texts[touching])
    by_id = {text: worth for features in found.values() for text, (worth, _) in features.items()}
    assert by_id == dict(zip(texts.tolist(), value.tolist(), strict=True))


def _by_postgis(connection, at, shapes):
    """The same polygons as ST_AsMVTGeom makes them; None where it drops one."""
    rows = connection.execute(
        """select ST_AsBinary(ST_AsMVTGeom(ST_Transform(ST_GeomFromWKB(outline, 4326), 3857),
          ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s)) as geom
        from unnest(%(outlines)b::bytea[]) with ordinality given (outline, n) order by n""",
        {
            "z": at.z,
            "x": at.x,
            "y": at.y,
            "extent": EXTENT,
            "buffer": BUFFER,
            "outlines": shapely.to_wkb(shapes).tolist(),
        },
    ).fetchall()
    return [None if row["geom"] is None else shapely.from_wkb(bytes(row["geom"])) for row in rows]


@some
@given(places, st.integers(3, 16), st.integers(-4, 1))
def test_outlines_are_drawn_as_postgis_would_draw_them(connection, place, z, finer):
    at = _tile_of(*place, z)
    shapes = outlines(hexgrid.cover(at.bbox, max(0, heat_resolution(z, 10) + finer)))
    shapes = shapes[shapely.intersects(shapes, shapely.box(*at.bbox.parts()[0]))]
    for ours, theirs in zip(drawn(at, shapes), _by_postgis(connection, at, shapes), strict=True):
        assert ours.is_valid
        assert FRAME.covers(ours)
        assert (shapely.get_coordinates(ours) % 1 == 0).all()
        if theirs is None:
            assert ours.area <= 2 * (EXTENT + 2 * BUFFER)  # no more than a sliver along one edge
            continue
        # Corners may be rounded to either side, and so may the places where an edge meets the frame.
        assert shapely.symmetric_difference(ours, theirs).area <= 1 + ours.length
        rings = [shapely.get_exterior_ring(part) for shape in (ours, theirs) for part in shapely.get_parts(shape)]
        assert shapely.is_ccw(rings).all()


def test_what_a_client_reads_is_what_was_drawn(connection):
    at = _tile_of(-79.4, 43.7, 11)
    cell = hexgrid.cover(at.bbox, 8)
    features = _read(connection, at, cell, np.full(cell.size, 2**40))
    expected = dict(zip(hexgrid.to_text(cell), drawn(at, hexgrid.outline(cell)), strict=True))
    assert features.keys() == expected.keys()
    for text, (value, shape) in features.items():
        assert value == 2**40
        assert shape.equals(expected[text])


def test_values_that_are_not_whole_stay_so(connection):
    at = _tile_of(10.05, 50.03, 10)
    cell = hexgrid.cover(at.bbox, 6)
    features = _read(connection, at, cell, np.linspace(0.1, 0.9, cell.size))
    assert [worth for worth, _ in features.values()] == pytest.approx(np.linspace(0.1, 0.9, cell.size).tolist())


def test_without_cells_there_are_no_bytes(connection):
    at = _tile_of(10.05, 50.03, 10)
    assert _read(connection, at, np.empty(0, np.uint64), np.empty(0, np.int64)) == {}
    far = hexgrid.index(np.array([[0.0, 0.0]]), 6)
    assert _read(connection, at, far, np.array([1])) == {}


@pytest.mark.parametrize("z", range(13))
def test_a_cell_too_small_to_see_is_still_in_its_tile(connection, z):
    at = _tile_of(10.05, 50.03, z)
    cell = np.sort(hexgrid.index(np.array([[10.05, 50.03], [10.2, 50.1], [10.6, 50.3]]), 8))
    touching = shapely.intersects(hexgrid.outline(cell), shapely.box(*at.bbox.parts()[0]))
    features = _read(connection, at, cell, np.array([1, 2, 3]))
    assert features.keys() == {text for text, mine in zip(hexgrid.to_text(cell), touching, strict=True) if mine}
    assert all(shape.is_valid and shape.area >= 1 for _, shape in features.values())


@pytest.mark.parametrize("z", [0, 3, 6, 9, 12, 14])
def test_a_merged_cell_is_drawn_around_the_finer_ones_inside_it(connection, z):
    at = _tile_of(10.05, 50.03, z)
    coarse = hexgrid.at(10.05, 50.03, 5)
    children = np.array([h3.str_to_int(text) for text in h3.cell_to_children(h3.int_to_str(coarse), 8)], np.uint64)
    cell = np.sort(np.concatenate([np.array([coarse], np.uint64), children[::3]]))
    features = _read(connection, at, cell, np.arange(cell.size) + 1)
    shapes = outlines(cell)
    touching = shapely.intersects(shapes, shapely.box(*at.bbox.parts()[0]))
    assert features.keys() == {text for text, mine in zip(hexgrid.to_text(cell), touching, strict=True) if mine}
    assert all(shape.is_valid for _, shape in features.values())
    around = features.pop(h3.int_to_str(coarse), (0, shapely.Polygon()))[1]
    if z >= 9:
        for _, shape in features.values():
            assert around.intersection(shape).area <= 1 + shape.length


def _beside(shape):
    """A triangle outside of a cell that shares one of its edges."""
    edge = shapely.get_coordinates(shape)[:2]
    return shapely.Polygon([*edge, edge.sum(axis=0) - shapely.get_coordinates(shape.centroid)[0]])


def test_of_a_merged_cell_cut_to_the_city_only_polygons_are_drawn(connection):
    cell = np.array([hexgrid.at(10.05, 50.03, 5)], np.uint64)
    (whole,) = outlines(cell)
    core = whole.centroid.buffer(0.02)
    city = shapely.MultiPolygon([_beside(whole), core])
    assert whole.intersection(city).geom_type == "GeometryCollection"
    (cut,) = outlines(cell, city)
    assert cut.geom_type == "MultiPolygon"
    assert cut.equals(core)
    at = _tile_of(10.05, 50.03, 8)
    ((_, shape),) = _read(connection, at, cell, np.array([7]), city).values()
    middle = shapely.transform(core, lambda lonlat: at.units(lonlat, EXTENT))
    assert shapely.symmetric_difference(shape, middle).area <= 1 + middle.length


def test_a_merged_cell_of_which_the_city_would_leave_nothing_stays_as_it_is():
    cell = np.array([hexgrid.at(10.05, 50.03, res) for res in (5, 7)], np.uint64)
    rest, fine = outlines(cell)
    for city in (shapely.box(20, 50, 21, 51), _beside(rest), fine.buffer(-0.001)):
        assert outlines(cell, city)[0].equals(rest)


def test_a_tile_asked_again_draws_its_old_cells_and_its_new_ones(connection):
    at = _tile_of(10.05, 50.03, 12)
    cell = hexgrid.cover(at.bbox, 8)
    expected = dict(zip(hexgrid.to_text(cell), drawn(at, hexgrid.outline(cell)), strict=True))
    for part in (cell[::3], cell[::2], cell):
        features = _read(connection, at, part, np.arange(part.size))
        assert list(features) == hexgrid.to_text(part)
        assert all(shape.equals(expected[text]) for text, (_, shape) in features.items())


def test_a_cell_across_the_antimeridian_is_drawn_at_the_edge_of_the_tiles_on_both_sides(connection):
    cell = hexgrid.index(np.array([[180.0, -16.9]]), 4)
    for z in (0, 4, 8):
        last = (1 << z) - 1
        row = _tile_of(180 - 1e-9, -16.9, z).y
        east = _read(connection, Tile.at(z, last, row), cell, np.array([7]))
        west = _read(connection, Tile.at(z, 0, row), cell, np.array([7]))
        assert east.keys() == west.keys() == set(hexgrid.to_text(cell))
        (_, right), (_, left) = east.popitem()[1], west.popitem()[1]
        assert right.bounds[2] == EXTENT
        assert left.bounds[0] == 0
        if z:
            assert right.bounds[0] > EXTENT / 2
            assert left.bounds[2] < EXTENT / 2
