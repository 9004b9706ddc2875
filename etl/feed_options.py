"""How a feed is asked, as a source's TOML says it under [feed].

A feed with a `watermark` is read on: its times are walked in windows from `begin`, or from where the last run
got to less an `overlap` for what came late, and the watermark moves when a window is wholly read. A feed
without one is read whole each time.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Paging = Literal["page", "offset", "cursor", "next"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_OPEN311_SPAN = timedelta(days=90)
_READ_ON = {"begin", "window", "overlap"}
_ASKED = {"since_param", "until_param"}
_JSON = {"times", "method", "body", "items", "total", "paging", "page_param", "size_param", "first_page", "next"}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d{1,6})([mhd])", value)
    if found is None:
        raise ValueError(f"'{value}' is no length of time; write it like 30m, 12h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Day = Annotated[date, BeforeValidator(_day)]


class FeedOptions(BaseModel):
    """One feed over HTTP; frozen. It holds no secret: `headers_env` names the environment variables that do.

    `url` is the endpoint of GeoReport v2, the layer of a FeatureServer, the items of a collection, or the address
    of a JSON answer. `timeout` is in seconds. `page_size` is how many records are asked for at a time, and the
    most that one answer is believed to hold.

    `watermark` is the column whose time the feed can be asked by, `since_param` and `until_param` are the
    parameters that ask. `times` says how columns write their times where that is not ISO 8601: `epoch_ms`, or a
    pattern like `%Y-%m-%d %H:%M:%S` in the source's zone. Columns, `items`, `total` and `next` are dotted paths
    in the answer, and parameters are dotted paths in the `body` of a POST. `next` leads to the next cursor or
    link, and `page_param` carries the page, offset or cursor.

    Where the watermark is a time that updates leave alone, as with `requested_datetime`, they are seen only
    within the `overlap`: it should be as long as cases stay open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: str
    headers_env: dict[str, str] = {}
    timeout: float = Field(30, gt=0, le=600)
    page_size: int = Field(1000, ge=1, le=10_000)
    watermark: str | None = None
    begin: Day | None = None
    window: Duration = Field(timedelta(days=30), gt=timedelta(0))
    overlap: Duration = timedelta(days=2)
    since_param: str | None = None
    until_param: str | None = None
    times: dict[str, str] = {}
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] = {}
    items: str = ""
    total: str | None = None
    paging: Paging | None = None
    page_param: str | None = None
    size_param: str | None = None
    first_page: int = Field(1, ge=0, le=1)
    next: str | None = None

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address begins with https:// or http:// and a host")
        if "@" in parts.netloc:
            raise ValueError("an address holds no password; see headers_env")
        return url

    @model_validator(mode="after")
    def _promises_hold(self) -> Self:
        for name in sorted(_READ_ON & self.model_fields_set):
            if self.watermark is None:
                raise ValueError(f"{name}: only a feed with a watermark is read on")
        if self.watermark is not None and self.begin is None:
            raise ValueError("begin: a feed with a watermark needs a day from which it is read")
        if self.body and self.method == "GET":
            raise ValueError("body: only a POST has one")
        return self

    def misfits(self, kind: str, mode: str, *, keyed: bool) -> Iterator[str]:
        """What a feed of this kind, loaded in this mode, with or without a key, lacks or has no use for."""
        useful = {"open311": _ASKED, "json": _ASKED | _JSON}.get(kind, set())
        for name in sorted((_ASKED | _JSON) & self.model_fields_set - useful):
            yield f"{name}: {kind} has no use for it"
        if self.watermark is not None and mode == "snapshot":
            yield "watermark: a snapshot is read whole"
        if self.watermark is not None and not keyed:
            yield "watermark: what is read again is known by its key, and there is none"
        if kind == "open311" and self.watermark is None:
            yield "watermark: open311 cannot be read whole, only by the days of its requests"
        if kind == "open311" and self.window > _OPEN311_SPAN:
            yield "window: open311 answers for 90 days at most"
        if kind == "json":
            yield from self._json_misfits()

    def _json_misfits(self) -> Iterator[str]:
        if (self.watermark is None) != (self.since_param is None):
            yield "since_param: it goes together with watermark"
        # A row that is updated while its window is paged leaves it, which shows; an open one it only moves within.
        if self.since_param and not self.until_param and self.paging in {"page", "offset"}:
            yield f"until_param: a feed paged by {self.paging} is asked for closed windows, so that no row is lost"
        if self.until_param and not self.since_param:
            yield "until_param: it goes together with since_param"
        style = f"paging by {self.paging}" if self.paging else "a feed without paging"
        for name, needed in {
            "page_param": self.paging in {"page", "offset", "cursor"},
            "next": self.paging in {"cursor", "next"},
        }.items():
            if needed != (getattr(self, name) is not None):
                yield f"{name}: {style} {'needs it' if needed else 'has no use for it'}"
