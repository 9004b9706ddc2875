import pytest
import shapely

from etl.readers.registry import read
from etl.validate.resources import check
from tests.workshop import NOW, RESOURCES, camera, station


@pytest.fixture
def checked(shop):
    def made(*rows):
        shop.csv("stations.csv", rows)
        source = shop.source(RESOURCES)
        return check(read(source, shop.folder / source.file).whole(), source, shop.city, NOW)

    return made


def test_a_teams_home_and_a_camera_pass_as_they_are(checked):
    found = checked(station(), camera(), station("T2", name_zh="", unit=""))
    assert found.findings.bad() == []
    assert found.table["unit"].to_pylist() == ["team one", None, None]
    assert found.table["device_id"].to_pylist() == [None, "34020000001320000001", None]
    assert found.table["link"].to_pylist()[1] == "https://video.test/view?id=34020000001320000001"
    assert [shape.geom_type for shape in shapely.from_wkb(found.table["geom"].to_pylist())] == ["Point"] * 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (station(kind="moon"), "kind 'moon' is not known"),
        (station(code=""), "code is missing"),
        (station(device_id="34020000001320000001"), "a team has no device_id"),
        (camera(device_id=""), "a camera has a device_id"),
        (camera(device_id="3402000000132000000"), "is not of 20 digits"),
        (camera(device_id="340200000013200000011"), "is not of 20 digits"),
        (camera(device_id="3402000000132000000x"), "is not of 20 digits"),
        (camera(device_id="3.402000000132E+19"), "is not of 20 digits"),
        (camera(link="rtsp://video.test/1"), "link is no http or https address"),
        (camera(link="https://operator:secret@video.test/1"), "link is no http or https address"),
        (camera(link="javascript:alert(1)"), "link is no http or https address"),
        (camera(link="https://video.test/ask/13812345678"), "link names a person"),
        (station(lon="11"), "lies outside the extent of toy"),
    ],
)
def test_a_bad_resource_is_told_and_the_others_pass(checked, row, reason):
    found = checked(station("T0"), row)
    assert any(reason in told for told in found.findings.of(1))
    assert found.findings.bad() == [1]


def test_a_team_is_called_by_no_persons_number(checked):
    found = checked(station(unit="call 13812345678"))
    assert found.table["unit"].to_pylist() == ["call [phone]"]
    assert found.masked == {("unit", "phone"): 1}
