"""One answer of a feed, as records."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

import shapely

from etl.feeds.client import Params
from etl.feeds.wording import Wording

DIGEST_BYTES = 16


@dataclass(frozen=True)
class Record:
    """What a feed says of one thing: its members, the digest of it all, its shape, or why it cannot be read."""

    said: Mapping[str, Any]
    digest: bytes
    shape: shapely.Geometry | None = None
    broken: str | None = None

    @classmethod
    def of(cls, value: Any, said: Any, shape: shapely.Geometry | None = None, broken: str | None = None) -> Self:
        """The record that came as the JSON `value`, whose members are `said`."""
        if not isinstance(said, Mapping):
            said, broken = {}, "it is no JSON object"
        digest = hashlib.blake2b(json.dumps(value).encode(), digest_size=DIGEST_BYTES).digest()
        return cls(said, digest, shape, broken)


@dataclass(frozen=True)
class Page:
    """One answer.

    total : how many records the feed says there are in the window.
    stuck : the next page was this one again, so that there may be more than can be had.
    full : and it holds as many as an answer holds at most, so that there are.
    """

    records: list[Record]
    body: bytes = b""
    total: int | None = None
    stuck: bool = False
    full: bool = False


@dataclass(frozen=True)
class Window:
    """A span of the watermark's time, ends included; an end that is none is open."""

    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.since or '..'}/{self.until or '..'}"


class Feed(Protocol):
    """What the kinds of feed have in common."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    @property
    def wording(self) -> Wording:
        """How it writes values."""
        ...

    @property
    def crs(self) -> str | None:
        """What its shapes are in; none where it has no shapes."""
        ...

    @property
    def closes(self) -> bool:
        """Whether it can be asked for a window with an end."""
        ...

    def question(self, window: Window) -> Params:
        """The parameters that ask for a window."""
        ...

    def pages(self, window: Window) -> Iterator[Page]:
        """What it answers for a window, once through."""
        ...
