"""Boundaries, places and typed cells that cannot be taken: each row is in quarantine, and every other has landed."""

import struct
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.etl.malformed import declared, pointed, refuses, table
from tests.workshop import AREAS, INCIDENTS, PLACES, RISK_AREAS, ROADS, SPOTS, area, call, road, spot

FIXTURES = Path(__file__).parent / "readers" / "fixtures"
EXTENT = (10.0, 50.0, 10.1, 50.06)
SQUARE = [[10, 50], [10.05, 50], [10.05, 50.05], [10, 50.05], [10, 50]]
HOLE = [[10.06, 50.01], [10.07, 50.01], [10.07, 50.02], [10.06, 50.01]]
SIGN = "\N{REPLACEMENT CHARACTER}"


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in ring] for ring in rings]}


def outside(x, y):
    return f"coordinate {x}, {y} lies outside the extent of toy"


def tree(*changes):
    """A district, a village that is good but for its changes, and a good one."""

    def make(town):
        bad = [area("village", "V1", "D", EXTENT) | change for change in changes]
        good = [area("district", "D", None, EXTENT), area("village", "V2", "D", EXTENT)]
        town.geojson("tree.geojson", [good[0], *bad, good[1]])
        return declared(town, AREAS, mode="append")

    return make


def tangle(corners):
    return np.random.default_rng(1).uniform(EXTENT[:2], EXTENT[2:], (corners, 2)).tolist()


def closed(ring):
    return polygon([*ring, ring[0]])


SHAPES = table(
    ("covers the world", polygon([(-180, -90), (180, -90), (180, 90), (-180, -90)]), outside("-180.00000", "-90.00000")),
    ("crosses the antimeridian", polygon([(179, 50), (-179, 50), (-179, 51), (179, 50)]), outside("179.00000", "50.00000")),
    ("has no rings", polygon(), "geometry is empty"),
    ("has two points", polygon([(10, 50), (10.05, 50.05)]),
     "geometry cannot be read: Points of LinearRing do not form a closed linestring"),
    ("is not closed", polygon(SQUARE[:4]),
     "geometry cannot be read: Points of LinearRing do not form a closed linestring"),
    ("is all one point", polygon([(10, 50)] * 4), "geometry is broken beyond repair"),
    ("is a line there and back", polygon([(10, 50), (10.05, 50.05), (10, 50)]), "geometry is broken beyond repair"),
    ("crosses itself everywhere", closed(tangle(3000)), "geometry is broken beyond repair"),
    ("has a hole of one point", polygon(SQUARE, [(10.01, 50.01)]),
     "geometry cannot be read: point array must contain 0 or >1 elements"),
    ("is a line", {"type": "LineString", "coordinates": SQUARE}, "geometry is a linestring"),
    ("has an infinite corner", polygon([(10, 50), (10.05, float("inf")), (10, 50.05), (10, 50)]),
     "geometry has a coordinate that is not finite"),
)  # fmt: skip


@pytest.mark.parametrize(("geometry", "reason"), SHAPES)
def test_an_area_is_refused_when_it(shared_town, geometry, reason):
    refuses(shared_town, tree({"geometry": geometry}), {2: reason})


@pytest.mark.parametrize(
    ("geometry", "kind"),
    table(
        (
            "crosses itself",
            polygon([(10, 50), (10.05, 50.05), (10.05, 50), (10, 50.05), (10, 50)]),
            "self_crossing",
        ),
        ("has its hole outside", polygon(SQUARE, HOLE), "hole_outside"),
        ("runs the wrong way", polygon(SQUARE[::-1]), "ring_order"),
        ("says a corner twice", polygon([SQUARE[0], *SQUARE]), "duplicate_vertex"),
    ),
)
def test_an_area_is_repaired_with_an_entry_in_the_ledger_when_it(shared_town, geometry, kind):
    result = refuses(shared_town, tree({"geometry": geometry}), {}, landed=3)
    told = shared_town.rows(
        "select row_number, subject from onemap.finding where changed and kind = %s and run_id = %s",
        kind, result.run_id,
    )  # fmt: skip
    assert told == [{"row_number": 2, "subject": "V1"}]


def test_an_area_of_a_hundred_thousand_corners_lands(shared_town):
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    ring = np.column_stack([10.05 + 0.02 * np.cos(turn), 50.03 + 0.02 * np.sin(turn)]).tolist()
    refuses(shared_town, tree({"geometry": closed(ring)}), {}, landed=3)


def test_an_area_with_heights_lands_flat(shared_town):
    shape = shapely.force_3d(shapely.box(*EXTENT), 7)
    refuses(shared_town, tree({"geometry": shapely.geometry.mapping(shape)}), {}, landed=3)


def named(**changes):
    return {"properties": area("village", "V1", "D", EXTENT)["properties"] | changes}


@pytest.mark.parametrize(
    ("change", "reason"),
    table(
        ("its parent is not there", named(parent_code="X"), "parent_code 'X' is no district"),
        ("it has no parent", named(parent_code=None), "parent_code is missing"),
        ("its code has another form", named(code="W1"), "code 'W1' is not of the form of level village"),
        ("its code has full-width digits", named(code="V６"), "code 'V６' is not of the form of level village"),
        ("its level is in another case", named(level="Village"), "level 'Village' is not known"),
        ("its name is missing", named(name_zh=" "), "name_zh is missing"),
    ),
)
def test_an_area_is_refused_when(shared_town, change, reason):
    refuses(shared_town, tree(change), {2: reason})


def test_two_areas_of_one_code_that_differ_are_both_refused(shared_town):
    reason = "key '1/V1' stands in rows 2, 3 with different content"
    refuses(shared_town, tree({}, {"geometry": polygon(SQUARE)}), {2: reason, 3: reason})


def test_a_snapshot_with_a_nul_in_a_code_lands_and_deletes_nothing_it_cannot_read(town):
    town.load_places()
    bad = PLACES[1] | {"code": "x\0"}
    town.csv("places.csv", [PLACES[0], bad])
    result = refuses(
        town, lambda town: town.source(RISK_AREAS), {2: "column 'code' holds a NUL character"}, landed=1
    )
    assert result.account.deleted == 1


RISKS = table(
    ("is below zero", "-5", "influence_m is below zero"),
    ("is zero", "0", "influence_m is zero, so that the place covers nothing"),
    ("is NaN", "nan", "influence_m 'nan' is not a number"),
    ("covers a country", "1e6", "influence_m is above 100,000 m"),
    ("is beyond all measure", "1e308", "influence_m is above 100,000 m"),
    ("is written with a comma", "300,5", "influence_m '300,5' is not a number"),
    ("is missing", "", "influence_m is missing"),
)


@pytest.mark.parametrize(("metres", "reason"), RISKS)
def test_a_risk_area_is_refused_when_its_influence(shared_town, metres, reason):
    shared_town.csv("places.csv", [PLACES[0], PLACES[1] | {"code": "X", "influence_m": metres}, PLACES[1]])
    refuses(shared_town, lambda town: declared(town, RISK_AREAS), {2: reason})


def test_a_code_or_key_that_is_too_long_for_an_index_is_refused(shared_town):
    long = "k" * 1001
    shared_town.csv("places.csv", [PLACES[0], PLACES[1] | {"code": long}])
    shared_town.csv("spots.csv", [spot(1), spot(2, id=long)])
    refuses(shared_town, lambda town: declared(town, RISK_AREAS), {2: "code is longer than 1,000 bytes"}, landed=1)
    refuses(shared_town, lambda town: declared(town, SPOTS), {2: "key id is longer than 1,000 bytes"}, landed=1)


def test_roads_are_refused_one_by_one(shared_town):
    bad = [road(2, line=[(10, 50)] * 2), road(3, oneway="yes"), road(4, layer=99), road(5, **{"class": None})]
    shared_town.geojson("roads.geojson", [road(1), *bad, road(6, line=[(10, 50), (190, 50)])])
    reasons = [
        "geometry has no length",
        "oneway 'yes' is none of no, forward, backward",
        "layer is no whole number from -9 to 9",
        "class is missing",
        outside("190.00000", "50.00000"),
    ]
    refuses(shared_town, lambda town: declared(town, ROADS), dict(enumerate(reasons, 2)), landed=1)


# cells with types of their own


def parquet(town, geo=None, **columns):
    """A Parquet of calls with other columns in place of the good ones."""
    count = len(next(iter(columns.values())))
    made = {name: pa.array([value] * count) for name, value in call().items()} | columns
    made = made | {"id": pa.array([f"c{n}" for n in range(count)])}
    made |= {name: pa.array([float(call()[name])] * count) for name in ("lon", "lat") if name not in columns}
    pq.write_table(pa.table(made).replace_schema_metadata(geo), town.folder / "calls.parquet")
    base = pointed(INCIDENTS, format="geoparquet") if geo else INCIDENTS | {"format": "parquet"}
    return lambda town: declared(town, base, file="calls.parquet")


def test_numbers_that_are_not_finite_are_refused_as_places_and_left_out_as_attributes(shared_town):
    wild = pa.array([float("nan"), 10.02, float("inf")])
    reason = "lon is not a finite number"
    refuses(shared_town, parquet(shared_town, lon=wild, street=wild), {1: reason, 3: reason}, landed=1)


@pytest.mark.parametrize(
    "at",
    [
        pa.array([1_735_786_800_000, 2**62, -(2**62)]).cast(pa.timestamp("ms")),
        pa.array([1_735_786_800_000_000, 2**62, -(2**62)]).cast(pa.timestamp("us")),
        pa.array([20_000, 2**30, -(2**30)], pa.int32()).cast(pa.date32()),
    ],
    ids=["ms", "us", "days"],
)
def test_a_time_that_no_calendar_holds_is_refused_in_any_unit(shared_town, at):
    said = "occurred_at '{}' is not an ISO 8601 time; times lie from 0001-01-02 to 9999-12-29"
    reasons = {2: said.format("9999-12-31 23:59:59"), 3: said.format("0001-01-01 00:00:00")}
    refuses(shared_town, parquet(shared_town, at=at, street=at), reasons, landed=1)


def test_geometries_that_cannot_be_read_are_refused_and_deep_ones_do_not_end_the_process(shared_town):
    point = shapely.to_wkb(shapely.Point(10.02, 50.02))
    curve = struct.pack("<BII6d", 1, 8, 3, 10, 50, 10.01, 50.01, 10.02, 50)
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 200_000
    column = pa.array([point, point[:-3], b"garbage", curve, nested, None])
    reasons = {
        2: "geometry cannot be read: Input buffer is smaller than requested object size",
        3: "geometry cannot be read: Unexpected EOF parsing WKB",
        4: "geometry has curves, which are not read; make them lines first",
        5: "geometry has parts that have parts, which are not read",
        6: "geometry is missing",
    }
    geo = {b"geo": b'{"primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}'}
    refuses(shared_town, parquet(shared_town, geo, g=column), reasons, landed=1)


def test_cells_of_a_workbook_that_are_no_time_or_an_error_are_refused(shared_town):
    cells = [datetime(2025, 1, 2, 3, 4), 45658, "#VALUE!", date(1899, 12, 30), True, 0]
    book = openpyxl.Workbook()
    book.active.append(list(call()))
    for number, at in enumerate(cells):
        book.active.append([f"c{number}", "noise", at, 10.02, 50.02, None, "=1+1"])
    book.save(shared_town.folder / "calls.xlsx")
    said = "occurred_at '{}' is not an ISO 8601 time"
    reasons = {
        2: said.format(45658) + "; it looks like a spreadsheet's serial number",
        3: "occurred_at is missing",
        4: said.format("00:00:00"),
        5: said.format("true"),
        6: said.format(0),
    }
    base = INCIDENTS | {"file": "calls.xlsx", "format": "xlsx"}
    refuses(shared_town, lambda town: declared(town, base), reasons, landed=1)


def test_a_shapefile_whose_texts_are_not_what_its_cpg_says_is_refused_row_by_row(shared_town):
    with zipfile.ZipFile(FIXTURES / "towns.zip") as archive:
        archive.extractall(shared_town.folder)
    shared_town.write("gbk/towns.cpg", "UTF-8")
    base = pointed(INCIDENTS, file="gbk/towns.shp", format="shapefile", key=[], attributes={}, datum="EPSG:4490")
    columns = {"category": "name", "occurred_at": "day"}
    reason = "column 'name' is not text in utf-8"
    result = shared_town.run(declared(shared_town, base, columns=columns))
    found = shared_town.reasons(result.run_id)
    assert (found[1], found[2], result.account.balanced) == ([reason], [reason], True)
