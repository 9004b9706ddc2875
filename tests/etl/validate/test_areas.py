import math

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from etl.readers.registry import read
from etl.validate.areas import check, check_parents
from tests.workshop import AREAS, NOW, TREE, area, tree


@pytest.fixture
def checked(shop):
    def made(features, known=frozenset(), **changes):
        shop.geojson("tree.geojson", features)
        source = shop.source(AREAS, **changes)
        found = check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)
        check_parents(found, found.findings.good.copy(), shop.city, set(known))
        return found

    return made


def changed(place, **changes):
    features = tree()
    geometry = changes.pop("geometry", features[place]["geometry"])
    features[place] = features[place] | {
        "properties": features[place]["properties"] | changes,
        "geometry": geometry,
    }
    return features


def test_a_tree_passes_whatever_the_order_of_its_rows(checked):
    found = checked(tree()[::-1])
    assert found.findings.bad() == []
    assert found.table["level_rank"].to_pylist() == [2, 2, 1, 1, 0]
    shapes = shapely.from_wkb(found.table["geom"].to_pylist())
    assert set(shapely.get_type_id(shapes)) == {shapely.GeometryType.MULTIPOLYGON}
    assert set(shapely.get_srid(shapes)) == {4326}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"level": "province"}, "level 'province' is not known"),
        ({"code": "X9"}, "code 'X9' is not of the form of level grid"),
        ({"code": None}, "code is missing"),
        ({"name_zh": ""}, "name_zh is missing"),
        ({"parent_code": None}, "parent_code is missing"),
        ({"parent_code": "V9"}, "parent_code 'V9' is no village"),
        ({"geometry": None}, "geometry is missing"),
        ({"geometry": {"type": "Point", "coordinates": [10.02, 50.02]}}, "geometry is a point"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry is empty"),
        (
            {"geometry": {"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 50.06], [10, 50]]]}},
            "coordinate 11.00000, 50.00000 lies outside the extent of toy",
        ),
        (
            {"geometry": {"type": "Polygon", "coordinates": [[[10, 50], [10.1, 50.06], [10, 50], [10, 50]]]}},
            "geometry is broken beyond repair",
        ),
    ],
)
def test_a_bad_area_is_told_and_the_others_pass(checked, changes, reason):
    found = checked(changed(3, **changes))
    assert reason in found.findings.of(3)
    assert found.findings.bad() == [3]


def test_a_corner_at_infinity_is_told(shop):
    shop.geojson("tree.geojson", tree())
    source = shop.source(AREAS)
    raw = read(source, shop.folder / source.file).whole()
    raw.shapes[3] = shapely.Polygon([(10, 50), (math.inf, 50), (10.1, 50.06)])
    assert "geometry has a coordinate that is not finite" in check(raw, source, shop.city, NOW).findings.of(3)


def test_an_area_falls_with_its_parent(checked):
    found = checked(changed(1, name_en=""))
    assert found.findings.of(1) == ["name_en is missing"]
    assert found.findings.of(3) == ["parent_code 'V1' is no village"]
    assert found.findings.bad() == [1, 3, 4]


def test_the_top_has_no_parent(checked):
    assert checked(changed(0, parent_code="Z")).findings.of(0) == [
        "parent_code is given, but the level is the top"
    ]


def test_a_parent_may_be_known_from_before(checked):
    grids = [area(*row) for row in TREE[3:]]
    assert checked(grids).findings.bad() == [0, 1]
    assert checked(grids, known={(1, "V1")}).findings.bad() == []


BOW_TIE = {"type": "Polygon", "coordinates": [[[10, 50], [10.05, 50.03], [10.05, 50], [10, 50.03], [10, 50]]]}


def test_a_bow_tie_is_mended_counted_and_told_with_its_row_and_code(checked):
    found = checked(changed(3, geometry=BOW_TIE))
    assert found.findings.bad() == []
    assert found.notes["repaired"] == 1
    (entry,) = found.entries
    assert (entry.kind, entry.changed, entry.row_number, entry.subject) == ("self_crossing", True, 4, "V1G1")
    assert entry.place.equals_exact(shapely.Point(10.025, 50.015), 1e-9)


def test_of_a_row_that_does_not_pass_no_repair_is_told(checked):
    found = checked(changed(3, geometry=BOW_TIE, name_zh=""))
    assert found.findings.bad() == [3]
    assert found.entries == []
    assert "repaired" not in found.notes


def test_validity_is_a_span(checked):
    columns = AREAS["columns"] | {"valid_from": "valid_from", "valid_to": "valid_to"}
    features = changed(3, valid_from="2025-02-01", valid_to="2025-01-01")
    features[4]["properties"] |= {"valid_from": "2025-01-01", "valid_to": "2025-02-01"}
    found = checked(features, columns=columns)
    assert found.findings.of(3) == ["valid_from is not before valid_to"]
    assert found.findings.bad() == [3]


def test_a_file_in_another_datum_lands_where_it_belongs(shop, checked):
    corners = [(10.0, 50.0), (10.1, 50.0), (10.1, 50.06), (10.0, 50.0)]
    utm = Transformer.from_crs(4326, 32632, always_xy=True)
    shape = {"type": "Polygon", "coordinates": [[utm.transform(*corner) for corner in corners]]}
    # The corners come back a hair beside where they were: the extent is a little wider here.
    toml = shop.folder / "city.toml"
    toml.write_text(toml.read_text().replace("[10.0, 50.0, 10.1, 50.06]", "[9.99, 49.99, 10.11, 50.07]"))
    found = checked([area("district", "D", None, (0, 0, 1, 1)) | {"geometry": shape}], datum="EPSG:32632")
    assert found.findings.bad() == []
    (landed,) = shapely.from_wkb(found.table["geom"].to_pylist())
    np.testing.assert_allclose(shapely.get_coordinates(landed), corners, atol=1e-9)


def test_an_area_may_say_how_many_households_it_has(checked):
    columns = AREAS["columns"] | {"households": "homes"}
    found = checked(changed(3, homes=1200), columns=columns)
    assert found.findings.bad() == []
    assert found.table["households"].to_pylist() == [None, None, None, 1200, None]
    for value, reason in ((-1, "households is below zero"), ("many", "households 'many' is not a whole number")):
        found = checked(changed(3, homes=value), columns=columns)
        assert found.findings.of(3) == [reason]
        assert found.findings.bad() == [3]
