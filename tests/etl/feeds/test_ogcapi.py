from datetime import datetime, timedelta, timezone

import pytest
import shapely

from layers.core.errors import FeedError
from tests.station import Reply

FEED = {"watermark": "updated", "begin": "2025-06-01", "window": "400d", "page_size": 10}
COLUMNS = {"category": "kind", "occurred_at": "at"}
PATH = "/collections/calls/items"
START = datetime(2025, 6, 1, tzinfo=timezone(timedelta(hours=8)))


def feature(number):
    at = (START + timedelta(hours=number)).isoformat()
    return {
        "type": "Feature",
        "id": f"call.{number}",
        "geometry": {"type": "Point", "coordinates": [10 + number / 100, 50]},
        "properties": {"kind": "noise", "at": at, "updated": at, "phone": "13800000000"},
    }


def service(features, href=lambda at: f"{PATH}?limit=10&offset={at}", **members):
    """A collection in pages of ten, by `next` links."""

    def answer(asked):
        at = int(asked.params.get("offset", 0))
        following = [{"rel": "next", "href": href(at + 10)}] if at + 10 < len(features) else []
        links = [{"rel": "self", "href": "x"}, *following]
        return {"type": "FeatureCollection", "features": features[at : at + 10], "links": links} | members

    return answer


@pytest.fixture
def source(calls, station):
    return calls("ogcapi", FEED | {"url": station.url + PATH}, key=["id"], columns=COLUMNS)


def keys(parts):
    return [key for part in parts for key in part.raw.table.column("id").to_pylist()]


def test_features_come_by_their_links_with_id_and_point(station, source, take):
    station.answer = service([feature(n) for n in range(25)], numberMatched=25, numberReturned=10)
    (part,) = take(source)
    assert keys([part]) == [f"call.{n}" for n in range(25)]
    assert part.raw.shapes[3] == shapely.Point(10.03, 50)
    assert part.raw.table.column_names == ["at", "id", "kind"]
    assert (part.crs, part.watermark) == ("EPSG:4326", "2025-06-01T16:00:00+00:00")
    # A server must refuse parameters that it does not know.
    assert station.asked[0].params == {"datetime": "2025-06-01T00:00:00Z/2026-03-01T12:00:00Z", "limit": "10"}
    assert [a.params.get("offset") for a in station.asked] == [None, "10", "20"]


def test_the_next_run_asks_from_an_overlap_before_the_watermark(station, source, take):
    station.answer = service([])
    take(source, "2025-07-10T00:00:00+00:00")
    assert station.asked[0].params["datetime"] == "2025-07-08T00:00:00Z/2026-03-01T12:00:00Z"


def test_a_collection_without_a_watermark_is_one_whole_snapshot(station, calls, take):
    station.answer = service([feature(n) for n in range(25)])
    feed = {"url": station.url + PATH + "?filter=kind='noise'"}
    assert len(keys(take(calls("ogcapi", feed, key=["id"], columns=COLUMNS, mode="snapshot")))) == 25
    assert station.asked[0].params == {"filter": "kind='noise'", "limit": "1000"}


def test_a_property_named_id_comes_before_the_features_own(station, source, take):
    own = feature(1)
    own["properties"]["id"] = 7
    station.answer = service([own])
    assert keys(take(source)) == ["7"]


def test_shapes_that_cannot_be_read_are_broken_rows_and_none_is_no_shape(station, source, take):
    features = [feature(n) for n in range(4)]
    features[0]["geometry"] = {"type": "Point", "coordinates": ["east", 50]}
    features[1]["geometry"] = None
    features[2]["properties"] = "none"
    features[3]["geometry"] = {"type": "Circle"}
    station.answer = service(features)
    (part,) = take(source)
    assert part.raw.broken == [
        (1, "its geometry is no GeoJSON"),
        (3, "it is no JSON object"),
        (4, "its geometry is no GeoJSON"),
    ]
    assert part.raw.shapes.tolist() == [None]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (service([feature(1), feature(1)]), "feature 'call.1' comes 2 times in one answer"),
        (service([feature(n) for n in range(11)], href=lambda _: "http://127.0.0.1:9/items"), "it is not where the feed is"),
        (service([feature(n) for n in range(11)], href=lambda _: "//evil.example/items"), "it is not where the feed is"),
        (service([feature(n) for n in range(11)], href=lambda _: PATH), "repeats what was before it|do not end"),
        (service([feature(1)], numberMatched=2), "it answers only 1 of the records"),
        (lambda _: {"features": [feature(1)], "links": 7, "numberMatched": "many"}, "its total is many"),
        (lambda _: {"features": None}, "its answer has no list at 'features'"),
        (service([], crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}), "3857, not in CRS84"),
        (lambda _: Reply(b'{"features": []}', headers={"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/25832>"}), "25832, not in CRS84"),
        (lambda _: Reply(b'{"code": "InvalidParameterValue", "description": "datetime"}', 400), "it answers 400, InvalidParameterValue: datetime"),
        (lambda _: Reply(b"<html>", kind="text/html"), "it answers text/html, not JSON"),
    ],
)  # fmt: skip
def test_a_service_that_answers_otherwise_is_told(station, source, take, answer, said):
    station.answer = answer
    with pytest.raises(FeedError, match=said):
        take(source)


def test_crs84_may_be_said(station, source, take):
    said = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    station.answer = lambda _: Reply(b'{"features": []}', headers={"Content-Crs": said})
    assert len(take(source)) == 1
