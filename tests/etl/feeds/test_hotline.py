import json
from datetime import UTC, datetime, timedelta

import pytest

from layers.core.errors import FeedError
from tests.station import Reply

LOCAL = "%Y-%m-%d %H:%M:%S"
FEED = {
    "method": "POST",
    "body": {"query": {"district": "110108"}, "sort": "asc"},
    "items": "data.list",
    "total": "data.total",
    "paging": "page",
    "page_param": "pageNo",
    "size_param": "pageSize",
    "page_size": 4,
    "watermark": "updateTime",
    "begin": "2026-02-01",
    "window": "10d",
    "since_param": "query.start",
    "until_param": "query.end",
    "times": {"updateTime": LOCAL, "callTime": "epoch_ms"},
}
COLUMNS = {"category": "kind.code", "occurred_at": "callTime", "lon": "place.lng", "lat": "place.lat"}
CALLED = datetime(2026, 1, 5, 8, 30, 0, 250_000, UTC)


def order(number, updated):
    return {
        "orderNo": number,
        "kind": {"code": "noise", "name": "噪音"},
        "callTime": int(CALLED.timestamp() * 1000),
        "updateTime": updated.strftime(LOCAL),
        "place": {"lng": 116.3, "lat": "39.9"},
        "caller": {"name": "王", "phone": "13800000000"},
    }


def bureau(orders):
    """A hotline that answers for a closed span of local times, in pages."""

    def answer(asked):
        query = asked.body["query"]
        found = [o for o in orders if query["start"] <= o["updateTime"] <= query["end"]]
        at = (asked.body["pageNo"] - 1) * asked.body["pageSize"]
        return {
            "code": 200,
            "data": {"total": str(len(found)), "list": found[at : at + asked.body["pageSize"]] or None},
        }

    return answer


@pytest.fixture
def hotline(calls):
    return calls("json", FEED, key=["orderNo"], columns=COLUMNS)


def keys(parts):
    return [key for part in parts for key in part.raw.table.column("orderNo").to_pylist()]


def test_a_hotline_is_read_page_by_page_and_window_by_window(station, hotline, take):
    start = datetime(2026, 2, 1, 0, 0)
    orders = [order(n, start + timedelta(hours=20 * n)) for n in range(30)]
    station.answer = bureau(orders)
    (part,) = take(hotline, zone="Asia/Shanghai")
    assert sorted(keys([part]), key=int) == [str(n) for n in range(30)]
    assert (part.last, part.watermark) == (True, "2026-02-24T20:00:00+00:00")
    assert len(part.sha256) == 64
    first = station.asked[0].body
    assert first == {
        "query": {"district": "110108", "start": "2026-01-31 23:59:59", "end": "2026-02-11 00:00:00"},
        "sort": "asc",
        "pageNo": 1,
        "pageSize": 4,
    }


def test_only_the_columns_that_are_taken_enter_as_text_with_times_in_iso(station, hotline, take):
    station.answer = bureau([order(7, datetime(2026, 2, 2))])
    (part,) = take(hotline)
    assert part.raw.table.to_pylist() == [
        {"callTime": "2026-01-05T08:30:00.250000+00:00", "kind.code": "noise", "orderNo": "7", "place.lat": "39.9", "place.lng": "116.3"}
    ]  # fmt: skip
    assert part.raw.rows.tolist() == [1]
    assert (part.raw.shapes, part.crs) == (None, None)


def test_a_hotline_that_has_nothing_gives_one_empty_instalment_that_leaves_the_watermark_alone(
    station, hotline, take
):
    station.answer = bureau([])
    (part,) = take(hotline)
    assert (len(part.raw), part.watermark, part.last) == (0, "", True)
    (part,) = take(hotline, "2026-02-24T20:00:00+00:00")
    assert part.watermark == "2026-02-24T20:00:00+00:00"


def test_a_run_starts_an_overlap_before_the_watermark(station, hotline, take):
    station.answer = bureau([])
    take(hotline, "2026-02-24T20:00:00+00:00")
    assert station.asked[0].body["query"]["start"] == "2026-02-22 19:59:59"


def test_what_cannot_be_read_keeps_its_row_number_and_says_why(station, hotline, take):
    good, nested, half = (order(n, datetime(2026, 2, 2)) for n in (1, 2, 3))
    nested["kind"]["code"] = ["noise"]
    half["kind"]["code"] = "\ud83d"
    station.answer = bureau([good])
    real = station.answer

    def answer(asked):
        found = real(asked)
        if found["data"]["list"] and asked.body["pageNo"] == 1:
            found["data"] = {"total": 4, "list": [nested, None, half, good]}
        return found

    station.answer = answer
    (part,) = take(hotline, now=datetime(2026, 2, 5, tzinfo=UTC))
    assert part.raw.broken == [
        (1, "kind.code holds a list, no plain value"),
        (2, "it is no JSON object"),
        (3, "kind.code holds half a character"),
    ]
    assert part.raw.rows.tolist() == [4]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"code": 500, "msg": "token expired", "data": None},
            "has no list at 'data.list'; it says 500: token expired",
        ),
        ({"data": {"list": {}, "total": 1}}, "has no list at 'data.list'"),
        ({"data": {"list": []}}, "its total is missing at 'data.total', no whole number"),
        ({"data": {"list": [], "total": -1}}, "its total is -1, no whole number"),
        ({"data": {"list": [], "total": 1.5}}, "its total is 1.5, no whole number"),
        ([], "has no list at 'data.list'"),
        (Reply(b'{"data": {"list": [{"lon": NaN}]}}'), "NaN is no JSON"),
    ],
)
def test_an_answer_that_breaks_the_promise_of_its_toml_is_told(station, hotline, take, answer, said):
    station.answer = lambda _: answer
    with pytest.raises(FeedError, match=said):
        take(hotline)


ROWS = [{"id": n, "kind": "noise", "at": "2026-02-01T00:00:00Z", "lon": 1, "lat": 2} for n in range(10)]


def ids(parts):
    return [int(key) for part in parts for key in part.raw.table.column("id").to_pylist()]


def test_a_feed_is_paged_by_offset_whatever_size_its_pages_have(station, calls, take):
    station.answer = lambda asked: ROWS[int(asked.params["skip"]) :][:3]
    assert ids(take(calls("json", {"paging": "offset", "page_param": "skip", "size_param": "n"}))) == list(
        range(10)
    )
    assert [(a.params["skip"], a.params["n"]) for a in station.asked] == [
        (s, "1000") for s in ("0", "3", "6", "9", "10")
    ]


def test_a_feed_is_paged_by_cursor(station, calls, take):
    def answer(asked):
        at = int(asked.params.get("after", 0))
        return {"rows": ROWS[at : at + 4], "page": {"next": str(at + 4) if at + 4 < 10 else ""}}

    station.answer = answer
    feed = {"paging": "cursor", "page_param": "after", "next": "page.next", "items": "rows"}
    assert ids(take(calls("json", feed))) == list(range(10))


def test_a_feed_is_paged_by_link_relative_or_not(station, calls, take):
    def answer(asked):
        at = int(asked.params.get("at", 0))
        link = f"?at={at + 5}" if at == 0 else f"{station.url}/?at={at + 2}"
        return {"rows": ROWS[at : at + 5], "next": link if at < 9 else None}

    station.answer = answer
    assert set(ids(take(calls("json", {"paging": "next", "next": "next", "items": "rows"})))) == set(range(10))


@pytest.mark.parametrize(
    ("feed", "answer", "said"),
    [
        ({"paging": "next", "next": "n"}, {"n": "http://169.254.169.254/latest"}, "it is not where the feed is"),
        ({"paging": "next", "next": "n"}, {"n": "file:///etc/passwd"}, "it is not where the feed is"),
        ({"paging": "next", "next": "n"}, {"n": "?a=1"}, "page 2 repeats what was before it"),
        ({"paging": "next", "next": "n"}, {"n": {"href": "?a=1"}}, "neither text nor number"),
        ({"paging": "cursor", "next": "n", "page_param": "c"}, {"n": "x"}, "page 2 repeats what was before it"),
        ({"paging": "cursor", "next": "n", "page_param": "c"}, {"n": "x", "items": []}, "its pages do not end"),
    ],
)
def test_a_link_or_cursor_that_leads_astray_is_told(station, calls, take, feed, answer, said):
    station.answer = lambda _: {"items": ROWS} | answer
    with pytest.raises(FeedError, match=said):
        take(calls("json", feed | {"items": "items"}))


def test_a_server_that_answers_its_full_first_page_for_ever_is_told(station, calls, take):
    station.answer = lambda _: ROWS
    with pytest.raises(FeedError, match="it answers only 10 of the records"):
        take(calls("json", {"paging": "page", "page_param": "p", "page_size": 10}))
    assert len(station.asked) == 2


def test_a_server_that_repeats_its_last_page_is_read_once(station, calls, take):
    station.answer = lambda asked: ROWS[:4] if asked.params["p"] == "1" else ROWS[4:]
    assert ids(take(calls("json", {"paging": "page", "page_param": "p", "page_size": 4}))) == list(range(10))


def test_a_server_that_goes_through_its_pages_in_a_circle_is_left(station, calls, take):
    station.answer = lambda asked: ROWS[4 * (int(asked.params["p"]) % 3) :][:4]
    feed = {"paging": "page", "page_param": "p", "page_size": 4, "first_page": 0}
    assert ids(take(calls("json", feed))) == list(range(10))
    assert len(station.asked) == 8


def test_alike_records_in_one_answer_stay_as_many_as_they_are(station, calls, take):
    station.answer = lambda _: [ROWS[0], ROWS[0]]
    assert ids(take(calls("json", {}))) == [0, 0]


def test_a_feed_without_a_watermark_is_read_whole_each_time(station, calls, take):
    station.answer = lambda _: ROWS
    (part,) = take(calls("json", {}, mode="snapshot"), watermark="2026-02-24T20:00:00+00:00")
    assert (ids([part]), part.watermark) == (list(range(10)), "")
    assert station.asked[0].params == {}


def test_parameters_join_those_of_the_address(station, calls, take):
    station.answer = lambda asked: ROWS if asked.params.get("page") == "0" else []
    take(
        calls(
            "json",
            {"url": station.url + "/list?type=open", "paging": "page", "page_param": "page", "first_page": 0},
        )
    )
    assert [a.params for a in station.asked] == [{"type": "open", "page": p} for p in ("0", "1")]


def test_a_number_of_any_length_stays_as_it_was_written(station, calls, take):
    long = 123456789012345678901234567890
    station.answer = lambda _: [ROWS[0] | {"id": long, "kind": True, "lon": 116.12345678901234}]
    (part,) = take(calls("json", {}))
    row = part.raw.table.to_pylist()[0]
    assert (row["id"], row["kind"], row["lon"]) == (str(long), "true", "116.12345678901234")
    assert json.loads(row["lon"]) == 116.12345678901234
