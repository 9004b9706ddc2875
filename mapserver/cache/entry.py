"""One answer as it is kept: what it says, of which version it is, and its bytes in every coding asked for."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from mapserver.cache import coding
from mapserver.cache.disk import Record
from mapserver.versions import Line

HIT, MISS, STALE = "hit", "miss", "stale"

_FOR_EVER = "max-age=31536000, immutable"
_AS_LONG = "no-cache"
_OVERHEAD_BYTES = 2000

Reply = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers as ASGI has them, and body."""


@dataclass(frozen=True)
class Made:
    """An answer that was just made; without content there is nothing to show."""

    content: bytes | None
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Entry:
    """An answer that is kept.

    stamp : the version that was known when it was asked for; it is of that one or of a later one.
    named : the version that URLs named then.
    made_at : seconds since 1970.
    route : pattern of the path that it was asked by.
    """

    made: Made
    route: str
    stamp: str
    named: str
    made_at: float
    line: Line
    public: bool

    def __post_init__(self) -> None:
        """Name the bytes."""
        content = self.made.content or b""
        self.coded = {coding.IDENTITY: content}
        self.encoding = asyncio.Lock()
        self._hash = hashlib.blake2b(content, digest_size=12).hexdigest()
        self._ready: dict[tuple[str, bool], Reply] = {}

    @classmethod
    def of(cls, record: Record, content: bytes, line: Line, *, public: bool) -> Self:
        """From what `record` gave."""
        given: dict[str, Any] = dict(record)
        made = Made(content or None, given["media_type"], given["headers"])
        return cls(made, given["route"], given["stamp"], given["named"], given["made_at"], line, public)

    def record(self) -> Record:
        """Everything but the content and who may read it, as JSON takes it."""
        return {
            "media_type": self.made.media_type,
            "headers": dict(self.made.headers),
            "route": self.route,
            "stamp": self.stamp,
            "named": self.named,
            "made_at": self.made_at,
        }

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return _OVERHEAD_BYTES + sum(map(len, self.coded.values()))

    @property
    def age_s(self) -> int:
        """Seconds since it was made."""
        return max(0, int(time.time() - self.made_at))

    def holds(self, *, named: bool) -> bool:
        """Whether it is still the answer: to a URL that names the present version, or to one that names none."""
        if not named:
            return self.stamp == self.line.newest
        self.line.settle(time.monotonic())
        return self.line.named in (self.named, self.stamp)

    def coding_for(self, accept: bytes) -> str:
        """The coding to answer in, by an Accept-Encoding header."""
        worth = len(self.coded[coding.IDENTITY]) >= coding.LEAST_BYTES
        return coding.chosen(accept) if worth else coding.IDENTITY

    def encoded(self, chosen: str) -> bytes:
        """Its bytes in a coding; `coded` takes them."""
        return coding.encoded(self.coded[coding.IDENTITY], chosen)

    def reply(self, chosen: str, known: bytes | None, state: str = HIT, *, named: bool = False) -> Reply:
        """The whole answer in a coding that `coded` has; 304 where `known`, an If-None-Match header, has it."""
        if state != HIT:
            return self._reply(chosen, known, state, named=named)
        ready = self._ready.get((chosen, named)) if known is None else None
        if ready is None:
            ready = self._reply(chosen, known, state, named=named)
            if known is None:
                self._ready[chosen, named] = ready
        return ready

    def _reply(self, chosen: str, known: bytes | None, state: str, *, named: bool) -> Reply:
        etag = f'"{self._hash}-{chosen}"' if chosen else f'"{self._hash}"'
        lasts = _FOR_EVER if named and state != STALE else _AS_LONG
        head = {
            "etag": etag,
            "cache-control": f"{'public' if self.public else 'private'}, {lasts}",
            "vary": "Accept, Authorization, Cookie, Accept-Encoding",
            "x-cache": state,
            **{name.lower(): value for name, value in self.made.headers.items()},
        }
        if state == STALE:
            head["age"] = str(self.age_s)
        body = self.coded[chosen]
        status = HTTPStatus.OK if body else HTTPStatus.NO_CONTENT
        had = {tag.strip().removeprefix(b"W/") for tag in known.split(b",")} if known is not None else set()
        if had & {etag.encode(), b"*"}:
            status, body = HTTPStatus.NOT_MODIFIED, b""
        if status == HTTPStatus.OK:
            head |= {"content-type": self.made.media_type, "content-length": str(len(body))}
            if chosen:
                head["content-encoding"] = chosen
        return (
            int(status),
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.items()],
            body,
        )
