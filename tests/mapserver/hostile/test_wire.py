"""Bad input 59, and the answer to HEAD: bytes on a socket of the real server."""

import socket

import httpx
import pytest

from layers.core.settings import Settings
from tests.mapserver.process import served


@pytest.fixture(scope="module")
def server(shared_toy, toy_settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    env = {
        "ONEMAP_HOME": str(folder / "home"),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": shared_toy.url,
        "ONEMAP_SCREENS": str(folder / "none"),
    }
    assert set(env) - {"ONEMAP_DB__URL"} <= {f"ONEMAP_{name}".upper() for name in Settings.model_fields}
    with served("serve", env=env, log=folder / "log") as started:
        yield httpx.URL(started.url)


@pytest.fixture(autouse=True)
def unharmed(server):
    """The next question is answered."""
    yield
    assert httpx.get(f"{server}/healthz").status_code == 200


def line(server):
    return socket.create_connection((server.host, server.port), timeout=10)


def spoken(server, sent):
    """What the server says to these bytes until it closes or rests."""
    with line(server) as wire:
        wire.sendall(sent)
        wire.settimeout(2)
        heard = b""
        try:
            while part := wire.recv(65536):
                heard += part
        except TimeoutError:
            pass
    return heard


SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: -1",
    b"Content-Length: x", b"Transfer-Encoding: xchunked", b"Content-Length : 5\r\nTransfer-Encoding: chunked",
])  # fmt: skip
def test_59_two_lengths_are_no_way_to_smuggle_a_second_request(server, head):
    body = b"0\r\n\r\n" + SMUGGLED
    request = b"POST /leave HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n" + body
    heard = spoken(server, request)
    assert b"onemap_requests_total" not in heard or heard.count(b"HTTP/1.1 ") <= 2
    assert heard.startswith((b"HTTP/1.1 400", b"HTTP/1.1 4", b"HTTP/1.1 204", b"HTTP/1.1 501")) or heard == b""
    if b"Transfer-Encoding: chunked" not in head:
        assert b"onemap_requests_total" not in heard


def test_the_head_of_an_answer_has_no_body_on_the_wire_and_the_next_request_of_the_line_is_answered(server):
    heard = spoken(
        server,
        b"HEAD /collections HTTP/1.1\r\nHost: x\r\n\r\nHEAD /live HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    assert heard.count(b"HTTP/1.1 200") == 3
    assert heard.endswith(b"ok\n")
    assert b'"collections"' not in heard
