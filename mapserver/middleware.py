"""What every answer goes through, as plain ASGI: nothing here waits, copies a body or knows a route."""

import logging
import time
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapserver.cache import coding
from mapserver.errors import problem
from mapserver.metrics import Metrics

LONGEST_URL = 8192
"""Bytes of path and query together."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

SAFE_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

_log = logging.getLogger(__name__)


class Measured:
    """Counts every answer and the time to its first byte; a stream that lasts for hours counts when it begins."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at the start of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, method = time.perf_counter(), scope["method"]

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                took = time.perf_counter() - begun
                self._metrics.request(method, _route(scope), message["status"], took)
            await send(message)

        await self._app(scope, receive, measured)


class SafeHeaders:
    """Tells browsers to load nothing from elsewhere, to guess no types and to let nobody frame a screen."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add the headers to the answer."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safe if scope["type"] == "http" else send)


class LastResort:
    """Answers what nobody foresaw with a problem document that gives nothing away, and logs it whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and catch."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if started or scope["type"] != "http":
                raise  # too late for an answer of ours: the server cuts the connection
            _log.exception("unforeseen", extra={"method": scope["method"], "path": scope["path"]})
            await problem(500, "internal", "something went wrong here; it is in the log")(scope, receive, send)


class PlainUrl:
    """Refuses a URL that is too long, or that holds a NUL or no UTF-8, before anything reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is plain."""
        refusal = None
        if scope["type"] == "http":
            path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
            if len(path) + len(query) > LONGEST_URL:
                refusal = problem(414, "uri-too-long", f"the URL is longer than {LONGEST_URL} bytes")
            elif not (_is_plain(path) and _is_plain(query)):
                refusal = problem(400, "bad-url", "the URL holds a NUL or is not UTF-8")
        await (refusal or self._app)(scope, receive, send)


class Compressed(GZipMiddleware):
    """Compresses for whoever takes gzip: by the word in its header alone, `gzip;q=0` would be one who does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and compress."""
        if scope["type"] != "http" or coding.takes_gzip(
            Headers(scope=scope).get("accept-encoding", "").encode("latin-1")
        ):
            await super().__call__(scope, receive, send)
        else:
            plain = IdentityResponder(
                self.app, self.minimum_size, exclude_content_types=self.exclude_content_types
            )
            await plain(scope, receive, send)


def _route(scope: Scope) -> str:
    """The path's pattern; of a plain route, which does not say it, the endpoint's name."""
    plain = getattr(scope.get("endpoint"), "__name__", "unmatched")
    return str(getattr(scope.get("route"), "path", plain))


def _is_plain(text: bytes) -> bool:
    raw = unquote_to_bytes(text)
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in raw
