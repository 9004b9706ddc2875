import re
from datetime import UTC, datetime, timedelta

import pytest
import shapely

from layers.core.errors import FeedError, MissingColumn
from tests.station import Reply

START = datetime(2025, 6, 1, tzinfo=UTC)
FEED = {"watermark": "edited", "begin": "2025-06-01", "window": "120d"}
COLUMNS = {"category": "kind", "occurred_at": "at"}


def ms(at):
    return int(at.timestamp() * 1000)


class Server:
    """A FeatureServer with one layer of points, which answers few features at a time and knows neither pages nor order."""

    def __init__(self, count=0, most=7, **described):
        self.features = {oid: {"fid": oid, "kind": "noise", "at": ms(START), "edited": ms(START + timedelta(hours=oid))} for oid in range(1, count + 1)}  # fmt: skip
        self.most = most
        self.reference = {"wkid": 4326, "latestWkid": 4326}
        self.asked = []
        self.described = {
            "objectIdField": "fid",
            "geometryType": "esriGeometryPoint",
            "maxRecordCount": most,
            "fields": [
                {"name": "fid", "type": "esriFieldTypeOID"},
                {"name": "kind", "type": "esriFieldTypeString"},
                {"name": "at", "type": "esriFieldTypeDate"},
                {"name": "edited", "type": "esriFieldTypeDate"},
                {"name": "phone", "type": "esriFieldTypeString"},
            ],
            "advancedQueryCapabilities": {"supportsPagination": False, "supportsOrderBy": False},
        } | described

    def __call__(self, asked):
        params = asked.params
        assert params.pop("f") == "json"
        if not asked.path.endswith("/query"):
            return self.described
        self.asked.append(params)
        return self.ids(params["where"]) if "where" in params else self.some(params)

    def ids(self, where):
        span = [datetime.fromisoformat(t).replace(tzinfo=UTC) for t in re.findall(r"TIMESTAMP '([^']+)'", where)]
        found = [o for o, f in self.features.items() if not span or ms(span[0]) <= f["edited"] <= ms(span[1])]
        return {"objectIdFieldName": "fid", "objectIds": found[::-1] or None}

    def some(self, params):
        ids = [int(oid) for oid in params["objectIds"].split(",")]
        kept = set(params["outFields"].split(","))
        found = [
            {
                "attributes": {k: v for k, v in self.features[o].items() if k in kept},
                "geometry": {"x": o / 10, "y": 50},
            }
            for o in ids
            if o in self.features
        ]
        cut = len(found) > self.most
        more = {"exceededTransferLimit": True} if cut else {}
        return {"spatialReference": self.reference, "features": found[: self.most]} | more


@pytest.fixture
def source(calls, station):
    return calls("arcgis", FEED | {"url": station.url + "/FeatureServer/0"}, key=["fid"], columns=COLUMNS)


def keys(parts):
    return [int(key) for part in parts for key in part.raw.table.column("fid").to_pylist()]


def test_every_feature_comes_with_its_point_and_its_times(station, source, take):
    server = station.answer = Server(40)
    (part,) = take(source)
    assert keys([part]) == list(range(1, 41))
    assert part.raw.table.to_pylist()[1] == {"at": "2025-06-01T00:00:00+00:00", "fid": "2", "kind": "noise"}
    assert part.raw.shapes[1] == shapely.Point(0.2, 50)
    assert (part.crs, part.watermark) == ("EPSG:4326", (START + timedelta(hours=40)).isoformat())
    assert server.asked[1]["outFields"] == "at,edited,fid,kind"
    assert server.asked[1]["outSR"] == "4326"
    assert all(len(a["objectIds"].split(",")) <= 7 for a in server.asked if "objectIds" in a)


def test_the_next_run_asks_from_an_overlap_before_the_watermark(station, source, take):
    server = station.answer = Server(40)
    take(source, "2025-06-10T00:00:00+00:00", now=datetime(2025, 6, 11, 1, 2, 3, 4, UTC))
    assert server.asked[0]["where"] == (
        "edited >= TIMESTAMP '2025-06-08 00:00:00' AND edited <= TIMESTAMP '2025-06-11 01:02:04'"
    )


def test_features_beyond_the_servers_transfer_limit_are_asked_for_again(station, source, take):
    server = station.answer = Server(40)
    server.described["maxRecordCount"] = 1000
    server.most = 3
    assert keys(take(source)) == list(range(1, 41))


def test_a_feature_that_is_deleted_or_changed_while_the_layer_is_read_costs_no_other(station, source, take):
    server = station.answer = Server(40)
    some = server.some

    def meddle(params):
        server.features.pop(20, None)
        server.features[1]["edited"] = ms(datetime(2026, 3, 1, 13, tzinfo=UTC))
        return some(params)

    server.some = meddle
    parts = take(source)
    assert keys(parts) == [oid for oid in range(1, 41) if oid != 20]
    assert parts[-1].watermark <= "2026-03-01T12:00:00+00:00"


def test_a_layer_without_a_watermark_is_one_whole_snapshot(station, calls, take):
    server = station.answer = Server(40)
    (part,) = take(calls("arcgis", {}, key=["fid"], columns=COLUMNS, mode="snapshot"))
    assert len(part.raw) == 40
    assert server.asked[0]["where"] == "1=1"


def test_a_layer_that_reads_times_in_a_zone_is_asked_in_it(station, source, take):
    server = station.answer = Server(3, dateFieldsTimeReference={"timeZoneIANA": "Asia/Shanghai"})
    take(source, now=datetime(2025, 6, 11, tzinfo=UTC))
    assert "edited >= TIMESTAMP '2025-06-01 08:00:00'" in server.asked[0]["where"]
    station.answer = server = Server(3, dateFieldsTimeReference={"timeZone": "China Standard Time"})
    take(source, now=datetime(2025, 6, 11, tzinfo=UTC), zone="Asia/Shanghai")
    assert "edited >= TIMESTAMP '2025-06-01 00:00:00'" in server.asked[0]["where"]


def test_a_shape_that_cannot_be_read_is_a_broken_row(station, source, take):
    server = station.answer = Server(2)
    some = server.some

    def curved(params):
        found = some(params)
        found["features"][0]["geometry"] = {"curvePaths": []}
        return found

    server.some = curved
    (part,) = take(source)
    assert part.raw.broken == [(1, "its geometry has a curve ('curvePaths')")]
    assert keys([part]) == [2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"described": {"error": {"code": 499, "message": "Token Required", "details": []}}},
            "499: Token Required",
        ),
        ({"described": {"currentVersion": 11.4, "layers": []}}, "it is no layer with fields and object ids"),
        ({"described": []}, "it answers an error"),
        (
            {"ids": lambda _: {"error": {"code": 400, "message": "'Invalid query parameters'"}}},
            "400: 'Invalid query",
        ),
        ({"ids": lambda _: {"objectIds": ["a"]}}, "no list of whole numbers at 'objectIds'"),
        ({"ids": lambda _: Reply(b"<html>", kind="text/html")}, "it answers text/html, not JSON"),
        ({"some": lambda _: {"count": 3}}, "no list at 'features'"),
        ({"some": lambda _: {"exceededTransferLimit": True, "features": []}}, "it cannot answer feature 1"),
        ({"reference": {"wkid": 102100, "latestWkid": 3857}}, "3857.* not in 4326"),
        (
            {"some": lambda _: {"features": [{"attributes": {"fid": [1]}}], "spatialReference": {"wkid": 4326}}},
            "no whole number at 'fid'",
        ),
        ({"described": {"fields": [{"name": [], "type": 1}, 7]}}, "it is no layer with fields and object ids"),
        ({"reference": None}, "its shapes are in None"),
        ({"ids": lambda _: {"objectIds": [1, 99]}, "features": {}}, None),
    ],
)
def test_a_layer_that_answers_otherwise_is_told(station, source, take, changes, said):
    server = station.answer = Server(3)
    for name, value in changes.items():
        setattr(server, name, value)
    if said is None:
        assert keys(take(source)) == []
        return
    with pytest.raises(FeedError, match=said):
        take(source)


def test_a_feature_that_comes_twice_is_told(station, source, take):
    server = station.answer = Server(3)
    some = server.some
    server.some = lambda params: (found := some(params)) | {"features": found["features"] * 2}
    with pytest.raises(FeedError, match="feature 1 comes 2 times"):
        take(source)


def test_a_time_zone_that_is_none_is_told(station, source, take):
    station.answer = Server(3, dateFieldsTimeReference={"timeZoneIANA": "Mars/North"})
    with pytest.raises(FeedError, match="its dates are in 'Mars/North', which is no time zone"):
        take(source)


def test_a_field_that_is_missing_or_no_date_is_told(station, calls, take):
    station.answer = Server(3)
    with pytest.raises(MissingColumn, match="there is no column 'sort'; it has fid, kind, at, edited, phone"):
        take(calls("arcgis", FEED, key=["fid"], columns=COLUMNS | {"category": "sort"}))
    with pytest.raises(FeedError, match="its field 'kind' is no date"):
        take(calls("arcgis", FEED | {"watermark": "kind"}, key=["fid"], columns=COLUMNS))
