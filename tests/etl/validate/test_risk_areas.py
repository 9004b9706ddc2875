import numpy as np
import pytest
import shapely

from etl.readers.registry import read
from etl.validate.risk_areas import check
from tests.workshop import NOW, PLACES, RISK_AREAS


@pytest.fixture
def checked(shop):
    def made(*rows):
        shop.csv("places.csv", rows)
        source = shop.source(RISK_AREAS)
        return check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)

    return made


def test_a_place_has_its_point_and_the_polygon_it_reaches(checked):
    found = checked(*PLACES)
    assert found.findings.bad() == []
    geom, influence = (shapely.from_wkb(found.table[name].to_pylist()) for name in ("geom", "influence"))
    assert [shape.geom_type for shape in geom] == ["Point", "Point"]
    assert shapely.contains(influence, geom).all()
    assert found.table["influence_m"].to_pylist() == [300, 500]
    assert found.table["approximate"].to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"zone_type": "moon"}, "zone_type 'moon' is not known"),
        ({"influence_m": "-1"}, "influence_m is below zero"),
        ({"influence_m": "far"}, "influence_m 'far' is not a number"),
        ({"influence_m": ""}, "influence_m is missing"),
        ({"influence_m": "0"}, "influence_m is zero, so that the place covers nothing"),
        ({"approximate": "perhaps"}, "approximate is neither true nor false"),
        ({"code": ""}, "code is missing"),
        ({"lon": "50.02", "lat": "10.02"}, "lies outside the extent of toy; lon and lat look swapped"),
    ],
)
def test_a_bad_place_is_told_and_the_others_pass(checked, changes, reason):
    found = checked(PLACES[0], PLACES[1] | changes)
    assert reason in found.findings.of(1)[0]
    assert len(found.findings.of(1)) == 1
    assert found.findings.bad() == [1]


def test_a_place_may_be_a_polygon_or_a_line(shop):
    properties = {"code": "S1", "zone_type": "school", "name_zh": "x", "name_en": "x", "influence_m": 0}
    square = {"type": "Polygon", "coordinates": [[[10, 50], [10, 50.01], [10.01, 50.01], [10, 50]]]}
    line = {"type": "LineString", "coordinates": [[10.01, 50.01], [10.02, 50.01]]}
    mixed = {"type": "GeometryCollection", "geometries": [line]}
    features = [
        {"type": "Feature", "properties": properties | {"code": code, "influence_m": metres}, "geometry": shape}
        for code, metres, shape in (("S1", 0, square), ("S2", 50, line), ("S3", 50, mixed), ("S4", 50, None))
    ]
    shop.geojson("places.geojson", features)
    columns = {name: name for name in properties}
    source = shop.source(RISK_AREAS, format="geojson", file="places.geojson", columns=columns)
    found = check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)
    assert found.findings.bad() == [2, 3]
    assert found.findings.of(2) == ["geometry is a geometrycollection"]
    influence = shapely.from_wkb(found.table["influence"].to_pylist()[:2])
    assert set(shapely.get_type_id(influence)) == {shapely.GeometryType.MULTIPOLYGON}
    np.testing.assert_allclose(shapely.area(influence[0]), 5e-5)
    (entry,) = found.entries
    assert (entry.kind, entry.row_number, entry.subject) == ("ring_order", 1, "S1")
