import pytest
import shapely

from etl.readers.registry import read
from etl.validate.roads import check
from tests.workshop import NOW, ROADS, road


@pytest.fixture
def checked(shop):
    def made(*features, **changes):
        shop.geojson("roads.geojson", features)
        source = shop.source(ROADS, **changes)
        return check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)

    return made


def test_a_road_has_its_line_and_what_is_not_said_has_its_default(checked):
    found = checked(road(1), road(2, oneway="forward", layer=-1, name_en=None))
    assert found.findings.bad() == []
    assert found.table["oneway"].to_pylist() == ["no", "forward"]
    assert found.table["layer"].to_pylist() == [0, -1]
    assert found.table["name_zh"].to_pylist() == ["长街", "长街"]
    assert found.table["name_en"].to_pylist() == ["Long Street", None]
    assert {shape.geom_type for shape in shapely.from_wkb(found.table["geom"].to_pylist())} == {"MultiLineString"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"class": ""}, "class is missing"),
        ({"oneway": "sometimes"}, "oneway 'sometimes' is none of no, forward, backward"),
        ({"layer": "deep"}, "layer is no whole number from -9 to 9"),
        ({"layer": 40_000}, "layer is no whole number from -9 to 9"),
        ({"id": None}, "key id is missing"),
        ({"line": [(10.0, 50.0), (10.0, 50.0)]}, "geometry has no length"),
        ({"line": [(10.0, 50.0), (10.0, 52.0)]}, "coordinate 10.00000, 52.00000 lies outside the extent of toy"),
    ],
)
def test_a_bad_road_is_told_and_the_others_pass(checked, changes, reason):
    found = checked(road(1), road(2, **changes))
    assert found.findings.of(1) == [reason]
    assert found.findings.bad() == [1]


def test_a_polygon_is_no_road(checked):
    square = road(1) | {
        "geometry": {"type": "Polygon", "coordinates": [[[10, 50], [10, 50.1], [10.1, 50], [10, 50]]]}
    }
    assert checked(square).findings.of(0) == ["geometry is a polygon"]


def test_of_a_road_in_parts_the_part_without_length_is_left_out(checked):
    parts = [[[10.0, 50.0], [10.01, 50.0]], [[10.02, 50.0], [10.02, 50.0]]]
    many = road(1) | {"geometry": {"type": "MultiLineString", "coordinates": parts}}
    (shape,) = shapely.from_wkb(checked(many).table["geom"].to_pylist())
    assert shape.equals(shapely.LineString(parts[0]))


def test_a_file_without_a_single_line_is_no_trouble(checked):
    found = checked(road(1) | {"geometry": None})
    assert found.findings.of(0) == ["geometry is missing"]
    assert found.table["geom"].to_pylist() == [None]


def test_words_of_the_source_stand_for_the_three_ways_to_drive(checked):
    words = {"oneway": {"yes": "forward", "-1": "backward"}}
    found = checked(road(1, oneway="yes"), road(2, oneway="-1"), values=words)
    assert found.table["oneway"].to_pylist() == ["forward", "backward"]
