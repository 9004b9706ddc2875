import pytest
import shapely

from etl.readers.registry import read
from etl.validate.places import check
from tests.workshop import NOW, SPOTS, spot


@pytest.fixture
def checked(shop):
    def made(*rows, **changes):
        shop.csv("spots.csv", rows)
        source = shop.source(SPOTS, **changes)
        return check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)

    return made


def test_a_place_has_a_point_and_either_name_may_be_missing(checked):
    found = checked(spot(1), spot(2, name_en=""), spot(3, name_zh="", name_en=""))
    assert found.findings.bad() == []
    assert found.table["name_en"].to_pylist() == ["Library", None, None]
    assert found.table["name_zh"].to_pylist() == ["图书馆", "图书馆", None]
    assert shapely.from_wkb(found.table["geom"][0].as_py()) == shapely.Point(10.02, 50.02)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": ""}, "kind is missing"),
        ({"id": " "}, "key id is missing"),
        ({"lon": ""}, "lon is missing"),
        ({"lon": "50.02", "lat": "10.02"}, "lies outside the extent of toy; lon and lat look swapped"),
    ],
)
def test_a_bad_place_is_told_and_the_others_pass(checked, changes, reason):
    found = checked(spot(1), spot(2, **changes))
    assert len(found.findings.of(1)) == 1
    assert reason in found.findings.of(1)[0]
    assert found.findings.bad() == [1]


def test_the_point_of_a_bad_place_is_missing(checked):
    assert checked(spot(1, lon="x")).table["geom"].to_pylist() == [None]
