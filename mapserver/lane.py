"""The short lane: what is kept in memory and still holds is answered before anything else looks at the request."""

import time
from functools import lru_cache

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from layers.core.audience import PUBLIC, Audience
from layers.core.errors import InputError, Unauthenticated
from mapserver.auth import cookie
from mapserver.auth.keys import Keys
from mapserver.cache.cache import Cache
from mapserver.cache.entry import HIT, Reply
from mapserver.cache.question import asked
from mapserver.deps import token_in
from mapserver.metrics import Metrics
from mapserver.middleware import SAFE_HEADERS

_COOKIE = cookie.NAME.encode()


class Lane:
    """Answers hits of the cache, and passes everything else on."""

    def __init__(self, app: ASGIApp, cache: Cache, keys: Keys, metrics: Metrics) -> None:
        self._app = app
        self._cache = cache
        self._keys = keys
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        begun = time.perf_counter()
        found = self._found(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        route, (status, head, body) = found
        self._metrics.request("GET", route, status, time.perf_counter() - begun)
        self._metrics.cached(HIT, len(body))
        await send({"type": "http.response.start", "status": status, "headers": head + SAFE_HEADERS})
        await send({"type": "http.response.body", "body": body})

    def _found(self, scope: Scope) -> tuple[str, Reply] | None:
        accept = b""
        known = authorization = cookies = None
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accept = value
            elif name == b"if-none-match":
                known = value
            elif name == b"authorization":
                authorization = authorization or value
            elif name == b"cookie":
                cookies = value if cookies is None else cookies + b"; " + value
        audience = self._someone(authorization, cookies)
        if audience is None:
            return None
        try:
            key, version = asked(scope, audience)
        except InputError:
            return None
        entry = self._cache.memory.get(key)
        if entry is None or not self._cache.versions.confirmed:
            return None
        named = version is not None
        if (named and version != entry.line.tag(audience)) or not entry.holds(named=named):
            return None
        coding = entry.coding_for(accept)
        return (entry.route, entry.reply(coding, known, named=named)) if coding in entry.coded else None

    def _someone(self, authorization: bytes | None, cookies: bytes | None) -> Audience | None:
        """Who asks with a token that was looked up just now; none where that has to be done anew."""
        if authorization is None and (cookies is None or _COOKIE not in cookies):
            return PUBLIC
        try:
            token = _token(authorization, cookies)
        except Unauthenticated:
            return None
        grant = None if token is None else self._keys.fresh(token)
        return None if grant is None else grant.audience


@lru_cache(maxsize=1024)
def _token(authorization: bytes | None, cookies: bytes | None) -> str | None:
    given = ((b"authorization", authorization), (b"cookie", cookies))
    headers = [(name, value) for name, value in given if value is not None]
    return token_in(Request({"type": "http", "headers": headers}))
