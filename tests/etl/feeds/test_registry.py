from datetime import UTC, datetime, timedelta

import pytest

from etl import pipeline
from etl.feeds import instalment
from layers.core.errors import BadSource, FeedError
from tests.station import Reply
from tests.workshop import INCIDENTS

FEED = {
    "watermark": "at", "begin": "2025-01-01", "since_param": "since", "until_param": "until",
    "paging": "offset", "page_param": "skip", "page_size": 5, "total": "count", "items": "calls",
}  # fmt: skip
CALLS = [
    {"id": n, "kind": "noise", "at": f"2025-01-{n // 3 + 1:02}T0{n % 3 + 1}:00:00Z", "lon": 10.02, "lat": 50.02}
    for n in range(60)
]


def line(asked):
    calls = [c for c in CALLS if asked.params["since"] <= c["at"] <= asked.params["until"]]
    at = int(asked.params["skip"])
    return {"count": len(calls), "calls": calls[at : at + 5]}


def test_a_feed_that_dies_midway_is_landed_whole_by_the_next_run_with_nothing_twice(
    town, station, calls, monkeypatch
):
    monkeypatch.setattr(instalment, "LIMIT_ROWS", 20)
    monkeypatch.setattr("etl.feeds.client.ATTEMPTS", 1)
    town.load_tree()
    source = calls("json", FEED | {"window": "5d"}, columns=INCIDENTS["columns"] | {"state": "kind"})
    station.answer = lambda asked: Reply(b"", 503) if len(station.asked) == 9 else line(asked)
    with pytest.raises(FeedError, match="it answers 503"):
        town.run(source)
    (there,) = town.rows("select count(*) as n, min(f.watermark) as mark from onemap.incident, onemap.feed f")
    assert 0 < there["n"] < 60
    asked = len(station.asked)
    results = pipeline.run(town.url, town.city, source, town.clock)
    assert len(results) > 1
    resumed = datetime.fromisoformat(there["mark"]) - timedelta(days=2, seconds=1)
    assert station.asked[asked].params["since"] == f"{resumed:%Y-%m-%dT%H:%M:%SZ}"
    found = town.rows("select source_key from onemap.incident")
    assert sorted(int(row["source_key"]) for row in found) == list(range(60))


def test_a_state_that_gave_way_to_that_of_a_later_page_is_in_the_account(town, station, calls):
    source = calls(
        "json", FEED | {"window": "60d", "page_size": 1}, columns=INCIDENTS["columns"] | {"state": "kind"}
    )
    states = [
        CALLS[0] | {"kind": kind, "at": f"2025-01-0{day}T01:00:00Z"} for day, kind in ((1, "noise"), (2, "theft"))
    ]
    station.answer = lambda asked: {
        "count": 2 * (asked.params["since"] < "2025-01-02"),
        "calls": states[int(asked.params["skip"]) :][:1] if asked.params["since"] < "2025-01-02" else [],
    }
    town.write_words()
    results = pipeline.run(town.url, town.city, source, town.clock)
    accounts = [result.account for result in results]
    assert sum(account.rows_read for account in accounts) > sum(account.inserted for account in accounts) == 1
    assert sum(account.superseded for account in accounts) >= 1
    assert all(account.balanced for account in accounts)
    assert town.rows("select category from onemap.incident") == [{"category": "theft"}]


def test_a_feed_that_is_asked_again_since_a_day_goes_back_and_its_watermark_does_not(town, station, calls):
    source = calls("json", FEED | {"window": "60d"}, columns=INCIDENTS["columns"] | {"state": "kind"})
    station.answer = line
    town.write_words()
    pipeline.run(town.url, town.city, source, town.clock)
    before = town.rows("select watermark, run_id from onemap.feed")
    asked = len(station.asked)
    since = datetime(2025, 1, 10, tzinfo=UTC)
    results = pipeline.run(town.url, town.city, source, town.clock, since=since)
    assert station.asked[asked].params["since"] < "2025-01-10T00:00:00Z"
    assert sum(result.account.unchanged for result in results) > 0
    assert {result.account.changed for result in results} == {0}
    assert town.rows("select watermark from onemap.feed") == [{"watermark": before[0]["watermark"]}]


def test_a_feed_that_lacks_what_its_kind_needs_is_refused_by_file_and_key(calls):
    with pytest.raises(BadSource, match=r"calls\.toml: feed\.until_param: a feed paged by offset is asked"):
        calls("json", {key: value for key, value in FEED.items() if key != "until_param"})
