import gzip

import pytest

from etl.feed_options import FeedOptions
from etl.feeds import client as module
from etl.feeds.client import ATTEMPTS, connect
from layers.core.errors import BadSource, FeedError
from tests.station import Reply

OK = Reply(b'{"fine": true}')


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(station, waits):
    with connect(FeedOptions(url=station.url), waits.append, lambda: 1.0) as line:
        yield line


def turns(*replies):
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_falters_is_asked_again_after_twice_the_time(station, client, waits, status):
    station.answer = turns(*[Reply(b"busy", status, kind="text/html")] * 3, OK)
    assert client.get(station.url).value == {"fine": True}
    assert waits == [1.0, 2.0, 4.0]


def test_chance_takes_up_to_half_of_the_wait(station, waits):
    station.answer = turns(Reply(b"", 503), Reply(b"", 503), OK)
    with connect(FeedOptions(url=station.url), waits.append, lambda: 0.0) as line:
        line.get(station.url)
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT", "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 30.0),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT", "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
    ],
)
def test_the_wait_that_a_server_asks_for_is_kept_up_to_five_minutes(station, client, waits, headers, wait):
    station.answer = turns(Reply(b"", 429, headers), OK)
    client.get(station.url)
    assert waits == [wait]


def test_a_server_that_does_not_recover_is_given_up_and_told(station, client, waits):
    station.answer = lambda _: Reply(b"", 503)
    with pytest.raises(FeedError, match=rf"{station.url}.*: it answers 503; asked {ATTEMPTS} times"):
        client.get(station.url)
    assert len(station.asked) == ATTEMPTS
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_closed_port_is_asked_again_and_then_told(waits):
    with (
        connect(FeedOptions(url="http://127.0.0.1:9"), waits.append, lambda: 1.0) as line,
        pytest.raises(FeedError, match="refused; asked 6 times"),
    ):
        line.get("http://127.0.0.1:9")
    assert len(waits) == ATTEMPTS - 1


def test_an_answer_that_breaks_off_is_asked_for_again(station, client):
    station.answer = turns(Reply(b'{"fine"', headers={"Content-Length": "14"}), OK)
    assert client.get(station.url).value == {"fine": True}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'[{"code": 404, "description": "no such request"}]', "it answers 404, 404: no such request"),
        (b'{"error": {"code": 498, "message": "Invalid token."}}', "it answers 404, 498: Invalid token."),
        (b'{"title": "Not found", "detail": "no collection"}', "it answers 404, Not found: no collection"),
        (b"<html>", "it answers 404$"),
    ],
)
def test_a_refusal_is_told_in_the_feeds_own_words_and_not_repeated(station, client, body, said):
    station.answer = lambda _: Reply(body, 404)
    with pytest.raises(FeedError, match=said):
        client.get(station.url)
    assert len(station.asked) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b"<requests/>", kind="text/xml"), "it answers text/xml, not JSON"),
        (Reply(b"<html>", kind="text/html; charset=utf-8"), "it answers text/html, not JSON"),
        (Reply(b'[{"id": 1'), "its JSON of 9 bytes cannot be read"),
        (Reply(b""), "its JSON of 0 bytes cannot be read"),
        (Reply(b'[{"lon": NaN}]'), "NaN is no JSON"),
        (Reply(b'[{"lon": -Infinity}]'), "-Infinity is no JSON"),
        (Reply('["中"]'.encode("gb18030")), "utf-8"),
        (Reply(b"[" * 100_000), "cannot be read"),
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "the answer cannot be read"),
    ],
)
def test_an_answer_that_is_no_json_is_told(station, client, reply, said):
    station.answer = lambda _: reply
    with pytest.raises(FeedError, match=said):
        client.get(station.url)
    assert len(station.asked) == 1


@pytest.mark.parametrize("kind", ["application/geo+json", "text/plain;charset=utf-8", None])
def test_json_by_another_name_and_with_a_byte_order_mark_is_read(station, client, kind):
    station.answer = lambda _: Reply(b"\xef\xbb\xbf[]", kind=kind)
    assert client.get(station.url).value == []


def test_an_answer_that_swells_beyond_the_limit_is_refused(station, client, monkeypatch):
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 1 << 20)
    station.answer = lambda _: Reply(gzip.compress(b" " * (2 << 20)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(FeedError, match="more than 1 MiB; ask for smaller pages"):
        client.get(station.url)


def test_a_redirect_is_followed_within_the_origin_alone(station, client):
    station.answer = lambda asked: OK if asked.path == "/new" else Reply(b"", 302, {"Location": "/new"})
    assert client.get(station.url + "/old").value == {"fine": True}
    for elsewhere in ("http://169.254.169.254/", "http://127.0.0.1:9/", station.url.replace("http", "https")):
        station.answer = lambda _, to=elsewhere: Reply(b"", 302, {"Location": to})
        with pytest.raises(FeedError, match="it is not where the feed is"):
            client.get(station.url)


def test_redirects_that_go_round_end(station, client):
    station.answer = lambda _: Reply(b"", 302, {"Location": "/again"})
    with pytest.raises(FeedError, match="more than 5 redirects"):
        client.get(station.url)


def test_headers_come_from_the_environment_and_are_never_told(station, monkeypatch):
    options = FeedOptions(url=station.url, headers_env={"Authorization": "HOTLINE_TOKEN"})
    with pytest.raises(BadSource, match="the environment has no HOTLINE_TOKEN"), connect(options):
        pass
    for odd in ("Bearer hush\nX: y", "Bearer 嘘"):
        monkeypatch.setenv("HOTLINE_TOKEN", odd)
        with (
            pytest.raises(BadSource, match="HOTLINE_TOKEN holds what no header can carry") as caught,
            connect(options),
        ):
            pass
        assert odd not in str(caught.value)
    monkeypatch.setenv("HOTLINE_TOKEN", "Bearer hush\n")
    station.answer = lambda _: Reply(b"", 403)
    with connect(options) as line, pytest.raises(FeedError) as caught:
        line.get(station.url + "?key=hush")
    assert station.asked[0].headers["Authorization"] == "Bearer hush"
    assert station.asked[0].params == {"key": "hush"}
    assert "hush" not in str(caught.value) + str(caught.value.context)
