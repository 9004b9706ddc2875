import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mapserver.cache import coding


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (b"", ""),
        (b"identity", ""),
        (b"gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"GZIP;Q=0.5, zstd;q=0.2", "gzip"),
        (b"zstd;q=0, gzip;q=0", ""),
        (b"zstd;q=0, *;q=0.1", "gzip"),
        (b"*", "zstd"),
        (b"br", ""),
        (b"gzip;q=nonsense", ""),
        (b"gzip ; q = 1", "gzip"),
        (b"xgzip", ""),
        (b"\xff,,;;=", ""),
    ],
)
def test_the_best_coding_that_a_client_takes_is_chosen(header, wanted):
    assert coding.chosen(header) == wanted


@given(st.binary(max_size=100))
def test_no_header_is_too_strange(header):
    assert coding.chosen(header) in {"", "gzip", "zstd"}
    assert coding.takes_gzip(header) in {True, False}


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (b"gzip", True), (b"zstd, gzip;q=0.1", True), (b"*", True), (b"*;q=0, gzip", True),
        (b"gzip;q=0", False), (b"zstd, gzip; q=0.0", False), (b"gzip;q=0, *", False), (b"identity", False), (b"", False),
    ],
)  # fmt: skip
def test_who_takes_gzip_is_told_from_who_only_names_it(header, taken):
    assert coding.takes_gzip(header) == taken


@given(st.binary(max_size=5000))
def test_bytes_come_back_from_every_coding_and_are_the_same_every_time(body):
    read = {"": bytes, "gzip": gzip.decompress, "zstd": zstandard.ZstdDecompressor().decompress}
    for name, decoded in read.items():
        encoded = coding.encoded(body, name)
        assert decoded(encoded) == body
        assert coding.encoded(body, name) == encoded
