"""Bad inputs 45-48, 53 and 56-58: bodies that cannot be read, and those that are not even looked at."""

import json

import pytest

from mapserver.body import MOST_BYTES
from tests.mapserver.hostile.conftest import refused
from tests.workshop import call


async def push(api, body, **headers):
    given = {"Content-Type": "application/json", "Idempotency-Key": "k1", **headers}
    return await api.post("/ingest/desk", content=body, headers=given)


def row(**changes):
    return json.dumps([call(1, **changes)])


UNREADABLE = {
    45: ["[" * 200_000, "[" * 200_000 + "]" * 200_000, '{"a":' * 100_000, ""],
    46: [row(lon="X").replace('"X"', word) for word in ("NaN", "Infinity", "-Infinity", "1e999")],
    47: [row(street="X").replace("X", "\\ud800"), row(id="X").replace("X", "\\udfff\\ud800")],
    48: [row(street="X").replace("X", "\\u0000"), row(id="X").replace("X", "a\\u0000b")],
    53: [
        row().replace('"id": "c1"', '"id": "c1", "id": "c2"'),
        row().replace('"lat"', '"other": 1, "other": 2, "lat"'),
    ],
}


@pytest.mark.parametrize(
    ("number", "body"), [(number, body) for number, bodies in UNREADABLE.items() for body in bodies]
)
async def test_a_body_that_cannot_be_read_is_refused(api, number, body):
    refused(await push(api, body), 400)


@pytest.mark.parametrize("body", [b"\xff\xfe[\x00]\x00", b"\xef\xbb\xbf[]", "[1]".encode("utf-16"), b"[\xc0\xaf]"])
async def test_47_a_body_in_another_encoding_is_refused(api, body):
    refused(await push(api, body), 400)


async def test_56_a_body_of_50_mb_is_refused_before_it_is_read(api):
    read = 0

    async def endless():
        nonlocal read
        while read < 50_000_000:
            read += 1_000_000
            yield b" " * 1_000_000

    refused(await push(api, endless()), 413)
    assert read <= MOST_BYTES + 2_000_000
    refused(await push(api, b"[]", **{"Content-Length": "50000000"}), 413)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"]
)
async def test_57_another_type_of_body_is_refused(api, kind):
    refused(await push(api, row(), **{"Content-Type": kind}), 415)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity"])
async def test_58_a_compressed_body_is_not_unpacked(api, coding):
    refused(await push(api, b"\x1f\x8b" + bytes(1000), **{"Content-Encoding": coding}), 415)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "", "99999999999999999999999999"])
async def test_59_a_length_that_is_none_is_refused(api, length):
    answer = await push(api, row(), **{"Content-Length": length})
    refused(answer, answer.status_code)
    assert answer.status_code in {400, 413}
