from datetime import UTC, datetime, timedelta

import pytest

from etl.feeds import instalment
from layers.core.errors import FeedError
from tests.station import Reply

FEED = {"watermark": "requested_datetime", "begin": "2025-01-01", "window": "90d", "overlap": "7d"}
COLUMNS = {
    "category": "service_code", "occurred_at": "requested_datetime", "state": "status", "lon": "long", "lat": "lat"
}  # fmt: skip


def request(number, at):
    return {
        "service_request_id": str(number),
        "status": "open",
        "service_name": "Street or Sidewalk Cleaning",
        "service_code": "518d5892601827e3880000c5",
        "requested_datetime": at.isoformat(),
        "lat": 37.7797,
        "long": -122.42,
        "attributes": [{"label": "Object", "value": "Other Loose Garbage"}],
    }


def city(requests, *, pages=True, cap=1000):
    """A GeoReport v2 server; one that knows no pages answers what it answers."""

    times = [datetime.fromisoformat(r["requested_datetime"]) for r in requests]

    def answer(asked):
        span = [datetime.fromisoformat(asked.params[name]) for name in ("start_date", "end_date")]
        if span[1] - span[0] > timedelta(days=90, seconds=1):
            return Reply(b'[{"code": 400, "description": "more than 90 days"}]', 400)
        found = [r for r, at in zip(requests, times, strict=True) if span[0] <= at <= span[1]]
        size = min(int(asked.params["page_size"]), cap) if pages else cap
        at = (int(asked.params["page"]) - 1) * size if pages else 0
        return found[at : at + size]

    return answer


@pytest.fixture
def source(calls, station):
    return calls(
        "open311", FEED | {"url": station.url + "/open311/v2/"}, key=["service_request_id"], columns=COLUMNS
    )


def keys(parts):
    return [int(key) for part in parts for key in part.raw.table.column("service_request_id").to_pylist()]


START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("pages", "cap"), [(True, 1000), (True, 50), (False, 1000), (False, 100)])
def test_every_request_comes_whatever_the_server_knows_of_pages_and_however_few_it_answers(
    station, source, take, pages, cap
):
    # 3000 in one week, and some in each month.
    requests = [request(n, START + timedelta(days=60, minutes=3 * n)) for n in range(3000)]
    requests += [request(3000 + n, START + timedelta(days=30 * n)) for n in range(14)]
    station.answer = city(requests, pages=pages, cap=cap)
    parts = take(source)
    assert sorted(set(keys(parts))) == list(range(3014))
    assert parts[-1].watermark == (START + timedelta(days=390)).isoformat()
    assert {a.path for a in station.asked} == {"/open311/v2/requests.json"}


def test_a_thousand_requests_of_one_second_cannot_be_split_and_are_told(station, source, take):
    station.answer = city([request(n, START + timedelta(days=5)) for n in range(1001)], pages=False)
    with pytest.raises(FeedError, match="it answers only 1000 of the records"):
        take(source, now=START + timedelta(days=5, minutes=1))


def test_fields_are_taken_by_their_names_in_the_standard(station, source, take):
    station.answer = city([request(1, START)])
    (part,) = take(source)
    assert part.raw.table.to_pylist()[0] == {
        "lat": "37.7797",
        "long": "-122.42",
        "requested_datetime": "2025-01-01T00:00:00+00:00",
        "service_code": "518d5892601827e3880000c5",
        "service_request_id": "1",
        "status": "open",
    }


def test_a_server_can_be_asked_by_the_time_of_updates(station, calls, take):
    feed = FEED | {
        "watermark": "updated_datetime",
        "since_param": "updated_after",
        "until_param": "updated_before",
    }
    take(calls("open311", feed, key=["service_request_id"], columns=COLUMNS), now=START + timedelta(days=1))
    assert station.asked[0].params == {
        "updated_after": "2024-12-31T23:59:59Z",
        "updated_before": "2025-01-02T00:00:00Z",
        "page": "1",
        "page_size": "1000",
    }


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b'[{"code": 403, "description": "invalid api_key"}]', 403), "403, 403: invalid api_key"),
        (Reply(b"<?xml version='1.0'?><service_requests/>", kind="text/xml"), "it answers text/xml, not JSON"),
        (Reply(b'{"service_requests": []}'), "its answer has no list of records"),
        (
            Reply(b'[{"service_request_id": "1"}]'),
            "none of the records of an answer has a time in 'requested_datetime'",
        ),
    ],
)
def test_a_server_that_answers_otherwise_is_told(station, source, take, reply, said):
    station.answer = lambda _: reply
    with pytest.raises(FeedError, match=said):
        take(source)


def test_a_failure_in_the_middle_loses_nothing_and_the_next_run_reads_on(station, source, take, monkeypatch):
    monkeypatch.setattr(instalment, "LIMIT_ROWS", 2000)
    requests = [request(n, START + timedelta(minutes=140 * n)) for n in range(4200)]
    served = city(requests, cap=100)
    station.answer = lambda asked: Reply(b"", 500) if len(station.asked) == 40 else served(asked)
    landed = []
    with pytest.raises(FeedError, match="it answers 500"):
        take(source, landed=landed)
    assert 2000 - 100 < len(keys(landed)) <= 2000
    station.answer = served
    rest = take(source, landed[-1].watermark)
    assert set(keys(landed)) | set(keys(rest)) == set(range(4200))
    assert len(keys(rest)) < 4200
    assert all(len(part.raw) <= 2000 for part in landed + rest)
    assert [part.last for part in rest] == [False] * (len(rest) - 1) + [True]
