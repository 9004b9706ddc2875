"""Questions to one feed over HTTP: asked again when line or server falter, and answered in JSON or not at all.

Only the feed's own origin is ever asked: a link or redirect that leads elsewhere is refused.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx

from etl.feed_options import FeedOptions
from layers.core.errors import BadSource, FeedError

ATTEMPTS = 6
LONGEST_WAIT_S = 300.0
MAX_BODY_BYTES = 64 << 20
_FIRST_WAIT_S = 1.0
_MAX_REDIRECTS = 5
_PASSING = frozenset({429, 502, 503, 504})
_EXCERPT = 200

Params = Mapping[str, str | int]


@dataclass(frozen=True)
class Answer:
    """What was answered: the address, the body as it came and as JSON, and the headers."""

    url: str
    body: bytes
    value: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """One feed's line. `sleep` takes seconds, and `jitter` gives 0 to 1."""

    http: httpx.Client
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    origin: tuple[str, str, int | None]

    def get(self, url: str, params: Params | None = None) -> Answer:
        """Ask by GET; `params` join those that the address has. A redirect is followed within the origin."""
        request = self.http.build_request("GET", httpx.URL(url).copy_merge_params(dict(params or {})))
        for _ in range(_MAX_REDIRECTS):
            response, body = self._ask(request)
            if response.next_request is None:
                return _answer(request.url, response, body)
            request = response.next_request
        raise failure(request.url, f"more than {_MAX_REDIRECTS} redirects")

    def post(self, url: str, *, form: Params | None = None, body: object = None) -> Answer:
        """Ask by POST, with a form or a JSON body."""
        request = self.http.build_request("POST", url, data=form, json=body)
        return _answer(request.url, *self._ask(request))

    def _ask(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        if origin(request.url) != self.origin:
            raise failure(request.url, "it is not where the feed is; only its own host is asked")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response, body = self._send(request)
            except httpx.TransportError as exc:
                why, asked = str(exc) or type(exc).__name__, None
            except httpx.HTTPError as exc:
                raise failure(request.url, f"the answer cannot be read: {exc}") from exc
            else:
                if response.status_code not in _PASSING:
                    return response, body
                why, asked = f"it answers {response.status_code}", _retry_after(response.headers)
            if attempt < ATTEMPTS:
                self.sleep(self._wait(attempt, asked))
        raise failure(request.url, f"{why}; asked {ATTEMPTS} times")

    def _send(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = self.http.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise failure(
                        request.url, f"it answers more than {MAX_BODY_BYTES >> 20} MiB; ask for smaller pages"
                    )
        finally:
            response.close()
        return response, bytes(body)

    def _wait(self, attempt: int, asked: float | None) -> float:
        """Seconds: twice as long each time, half of it by chance so that clients part; not less than asked."""
        backoff = _FIRST_WAIT_S * 2 ** (attempt - 1) * (0.5 + self.jitter() / 2)
        return float(min(max(backoff, asked or 0.0), LONGEST_WAIT_S))


@contextmanager
def connect(
    options: FeedOptions, sleep: Callable[[float], None] = time.sleep, jitter: Callable[[], float] = random.random
) -> Iterator[Client]:
    """A line to the feed, with the headers that the environment holds for it.

    Raises
    ------
    BadSource : one of its environment variables is not set, or holds what no header can carry.
    """
    headers = {"Accept": "application/geo+json, application/json", "User-Agent": "onemap"}
    for header, name in options.headers_env.items():
        if name not in os.environ:
            raise BadSource(f"feed.headers_env: the environment has no {name}, which holds {header}", key=header)
        headers[header] = os.environ[name].strip()
        if not (headers[header].isascii() and headers[header].isprintable()):  # the line would tell it to say so
            raise BadSource(f"feed.headers_env: {name} holds what no header can carry", key=header)
    with httpx.Client(headers=headers, timeout=options.timeout) as http:
        yield Client(http, sleep, jitter, origin(httpx.URL(options.url)))


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address; a port is none where it is the scheme's own."""
    return url.scheme, url.host, url.port


def explained(value: Any) -> str:
    """What an answer says of its failure, in the words of any of the feeds; empty if nothing."""
    if isinstance(value, list) and value:
        return explained(value[0])
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("error"), dict):
        return explained(value["error"])
    words = [value.get(name) for name in ("code", "message", "msg", "description", "title", "detail", "details")]
    said = [str(word) for word in words if isinstance(word, str | int) and str(word).strip()]
    return ": ".join(said)[:_EXCERPT]


def _answer(url: httpx.URL, response: httpx.Response, body: bytes) -> Answer:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    # ArcGIS calls its JSON text/plain.
    if response.is_success and kind and "json" not in kind and kind != "text/plain":
        raise failure(url, f"it answers {kind}, not JSON")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        if response.is_success:
            raise failure(url, f"its JSON of {len(body)} bytes cannot be read: {exc}") from exc
        value = None
    if not response.is_success:
        said = explained(value)
        raise failure(url, f"it answers {response.status_code}" + (f", {said}" if said else ""))
    return Answer(str(url), body, value, response.headers)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that the server asks to wait, by its own clock where it names a time."""
    said = headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return wait.total_seconds()


def failure(url: str | httpx.URL, why: str) -> FeedError:
    """The error that says what a feed did wrong; an address may carry a key in its query, so that is not told."""
    place = str(httpx.URL(url).copy_with(query=None))
    return FeedError(f"{place}: {why}", url=place)
