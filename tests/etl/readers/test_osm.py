from pathlib import Path

import osmium
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way

from etl.readers import osm
from etl.readers.osm import read_osm
from layers.core.errors import MissingColumn, UnreadableFile

FIXTURE = Path(__file__).parent / "fixtures" / "crossroads.osm.pbf"
EXTRACTS = Path(__file__).parents[4] / "shared" / "data" / "osm"
ROAD = ["id", "class", "name", "name_zh", "name_en", "oneway", "layer", "bridge", "tunnel"]
PLACE = ["id", "kind", "name", "name_zh", "name_en"]

NODES = [
    Node(id=1, location=(10.00, 50.00)),
    Node(id=2, location=(10.01, 50.00)),
    Node(id=3, location=(10.01, 50.01)),
    Node(id=4, location=(10.00, 50.01), tags={"place": "suburb", "name": "Altstadt", "name:zh": "老城"}),
    Node(id=5, location=(10.02, 50.02), tags={"amenity": "school", "name": "第一小学", "name:en": "First School"}),
    Node(id=6, location=(10.03, 50.02), tags={"highway": "traffic_signals", "railway": "signal"}),
]
WAYS = [
    Way(id=10, nodes=[1, 2, 3], tags={"highway": "primary", "name": "长江路", "name:en": "Changjiang Road"}),
    Way(id=11, nodes=[3, 4], tags={"highway": "residential", "bridge": "viaduct", "oneway": "-1"}),
    Way(id=12, nodes=[1, 4], tags={"highway": "construction"}),
    Way(id=13, nodes=[1, 2, 3, 4, 1], tags={"leisure": "park", "name": "人民公园"}),
    Way(id=14, nodes=[1, 2], tags={"amenity": "bench"}),
]


def pbf(folder, objects, name="f.osm.pbf"):
    path = folder / name
    with osmium.SimpleWriter(str(path)) as writer:
        for one in objects:
            writer.add(one)
    return path


def whole(path, columns, kind):
    return read_osm(path, columns, kind).whole()


def test_roads_are_the_ways_that_one_can_move_along(tmp_path):
    raw = whole(pbf(tmp_path, NODES + WAYS), ROAD, "roads")
    assert raw.table.to_pylist() == [
        {"id": "way/10", "class": "primary", "name": "长江路", "name_zh": None, "name_en": "Changjiang Road",
         "oneway": "no", "layer": 0, "bridge": False, "tunnel": False},
        {"id": "way/11", "class": "residential", "name": None, "name_zh": None, "name_en": None,
         "oneway": "backward", "layer": 1, "bridge": True, "tunnel": False},
    ]  # fmt: skip
    assert shapely.to_wkt(raw.shapes).tolist() == [
        "LINESTRING (10 50, 10.01 50, 10.01 50.01)",
        "LINESTRING (10.01 50.01, 10 50.01)",
    ]
    assert raw.rows.tolist() == [1, 2]


def test_places_are_nodes(tmp_path):
    raw = whole(pbf(tmp_path, NODES + WAYS), PLACE, "places")
    assert raw.table.to_pylist() == [
        {"id": "node/4", "kind": "suburb", "name": "Altstadt", "name_zh": "老城", "name_en": None}
    ]
    assert shapely.to_wkt(raw.shapes).tolist() == ["POINT (10 50.01)"]


def test_points_of_interest_are_nodes_and_points_inside_closed_ways(tmp_path):
    raw = whole(pbf(tmp_path, NODES + WAYS), ["id", "kind"], "pois")
    assert raw.table.to_pydict() == {"id": ["node/5", "way/13"], "kind": ["amenity=school", "leisure=park"]}
    assert shapely.to_wkt(raw.shapes[0]) == "POINT (10.02 50.02)"
    assert shapely.box(10, 50, 10.01, 50.01).contains_properly(raw.shapes[1])


@pytest.mark.parametrize("nodes", [[1, 3, 2, 4, 1], [1, 2, 1], [1, 2, 2, 1]])
def test_a_closed_way_that_is_no_area_still_has_a_point(tmp_path, nodes):
    way = Way(id=1, nodes=nodes, tags={"amenity": "parking"})
    (point,) = whole(pbf(tmp_path, [*NODES, way]), ["id"], "pois").shapes[1:]
    assert shapely.box(10, 50, 10.01, 50.01).covers(point)


def test_a_file_states_its_reference_system_and_gives_only_the_columns_asked_for(tmp_path):
    reading = read_osm(pbf(tmp_path, NODES + WAYS), ["name"], "roads")
    assert reading.crs == "EPSG:4326"
    assert reading.whole().table.column_names == ["name"]


def test_a_way_without_its_nodes_is_a_broken_row_that_names_it(tmp_path):
    tags = {"highway": "primary"}
    ways = [
        Way(id=n, nodes=nodes, tags=tags) for n, nodes in enumerate([[1, 2], [1, 99], [1], [2, 2], [], [2, 3]], 1)
    ]
    raw = whole(pbf(tmp_path, NODES + ways), ["id"], "roads")
    assert raw.table["id"].to_pylist() == ["way/1", "way/6"]
    assert raw.rows.tolist() == [1, 6]
    assert raw.broken == [
        (2, "way/2: its node/99 is not in the file"),
        (3, "way/3 has fewer than two nodes"),
        (4, "way/4 has fewer than two nodes"),
        (5, "way/5 has fewer than two nodes"),
    ]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6])
def test_objects_come_in_batches_that_number_them_through(tmp_path, monkeypatch, count):
    monkeypatch.setattr(osm, "BATCH_ROWS", 3)
    nodes = [Node(id=n, location=(10, 50), tags={"place": "village"}) for n in range(1, count + 1)]
    batches = list(read_osm(pbf(tmp_path, nodes or NODES[:1]), ["id"], "places").batches)
    assert [len(batch) for batch in batches] == {0: [0], 1: [1], 3: [3], 4: [3, 1], 6: [3, 3]}[count]
    assert [int(n) for batch in batches for n in batch.rows] == list(range(1, count + 1))


def test_relations_do_not_come(tmp_path):
    lake = Relation(id=1, members=[("w", 13, "outer")], tags={"type": "multipolygon", "leisure": "garden"})
    assert whole(pbf(tmp_path, [*NODES, *WAYS, lake]), ["id"], "pois").table["id"].to_pylist() == [
        "node/5",
        "way/13",
    ]


def test_a_column_that_the_kind_lacks_is_named(tmp_path):
    with pytest.raises(MissingColumn, match=r"f\.osm\.pbf: there is no column 'class'; it has id, name"):
        read_osm(pbf(tmp_path, NODES), ["class"], "places")


@pytest.mark.parametrize(
    "content",
    [b"", b"id,name\n1,x\n" * 99, b'<osm version="0.6"></osm>' * 9, FIXTURE.read_bytes()[:-9], b"\0" * 300],
    ids=["empty", "csv", "xml", "truncated", "zeros"],
)
def test_what_is_no_whole_pbf_is_named(tmp_path, content):
    (tmp_path / "f.osm.pbf").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"f\.osm\.pbf: this PBF cannot be read: "):
        whole(tmp_path / "f.osm.pbf", ["id"], "roads")


def test_a_history_of_objects_is_refused(tmp_path):
    versions = [Node(id=1, version=n, visible=True, location=(10, 50)) for n in (1, 2)]
    with pytest.raises(UnreadableFile, match="holds the history of its objects"):
        read_osm(pbf(tmp_path, versions, "f.osh.pbf"), ["id"], "places")


def test_the_crossroads_of_the_fixture_are_there():
    raw = whole(FIXTURE, ROAD, "roads")
    assert raw.table["id"].to_pylist() == ["way/10", "way/11"]


@pytest.mark.skipif(not EXTRACTS.is_dir(), reason="the extracts of real cities are not here")
@pytest.mark.parametrize(
    ("city", "extent", "roads", "broken"),
    [("helsinki", (24.9, 60.1, 25.0, 60.2), 2207, 170), ("porto", (-8.8, 41.0, -8.4, 41.3), 3452, 0)],
)
def test_a_real_city_is_read(city, extent, roads, broken):
    path = EXTRACTS / f"{city}.osm.pbf"
    raw = whole(path, ROAD, "roads")
    assert (len(raw), len(raw.broken)) == (roads, broken)
    assert {"primary", "residential", "footway"} <= set(raw.table["class"].to_pylist())
    assert set(raw.table["oneway"].to_pylist()) <= {"no", "forward", "backward"}
    pois = whole(path, PLACE, "pois")
    assert "amenity=restaurant" in pois.table["kind"].to_pylist()
    assert shapely.within(pois.shapes, shapely.box(*extent)).mean() > 0.9
    assert "suburb" in whole(path, PLACE, "places").table["kind"].to_pylist()
