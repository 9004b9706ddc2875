"""Content codings: which one a client takes, and bytes in it; the same bytes every time."""

import gzip
from functools import lru_cache

import zstandard

IDENTITY = ""
LEAST_BYTES = 1000
"""Less is not worth the work."""

_GZIP_LEVEL = 6
_ZSTD_LEVEL = 6
_ZSTD, _GZIP = "zstd", "gzip"


@lru_cache(maxsize=256)
def chosen(accept: bytes) -> str:
    """The best coding of an Accept-Encoding header, the smaller and quicker one first."""
    taken = _taken(accept)
    best = max(taken, key=lambda coding: taken[coding])
    return best if taken[best] > 0 else IDENTITY


def takes_gzip(accept: bytes) -> bool:
    """Whether a client with that Accept-Encoding header takes gzip at all."""
    return _taken(accept)[_GZIP] > 0


def encoded(body: bytes, coding: str) -> bytes:
    """`body` in a coding that `chosen` names."""
    if coding == _ZSTD:
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    return gzip.compress(body, _GZIP_LEVEL, mtime=0) if coding == _GZIP else body


def _taken(accept: bytes) -> dict[str, float]:
    """How much each coding is wanted."""
    weights = {}
    for part in accept.decode("latin-1").lower().split(","):
        name, _, rest = part.partition(";")
        weights[name.strip()] = _weight(rest)
    return {coding: weights.get(coding, weights.get("*", 0.0)) for coding in (_ZSTD, _GZIP)}


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
