"""What HTTP asks of every resource: HEAD is GET without its body, and OPTIONS and each 405 say what there is."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD_ONLY = "onemap.head_only"
"""Key of a scope of which only the head of the answer will be sent, for what takes long to make a first part."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Answered(OSError):
    """The head of an answer is out, and nobody waits for the rest: to the app as if the client had left."""


class Methods:
    """Answers HEAD wherever GET is, and OPTIONS wherever anything is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            scope["method"], scope[HEAD_ONLY] = "GET", True
            try:
                await self._app(scope, receive, _without_body(send))
            except (_Answered, ClientDisconnect):
                return
        else:
            await self._app(scope, receive, _allowing(scope, send))


def _without_body(send: Send) -> Send:
    """The head of an answer, and an end to it at the first part of the body: a stream would have no end."""

    async def head(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if message.get("more_body", False):
            raise _Answered

    return head


def _served(scope: Scope) -> str:
    """The methods of a path, which may have a route for each."""
    routes = scope["app"].routes
    there = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(sorted({*there, "OPTIONS", *(["HEAD"] if "GET" in there else [])}))


def _allowing(scope: Scope, send: Send) -> Send:
    """Have a 405 name every method that is served; one that OPTIONS asked for is no mistake, but 204."""
    asked, told = scope["method"] == "OPTIONS", False

    async def allowed(message: Message) -> None:
        nonlocal told
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
            allow = _served(scope)
            if asked:
                told = True
                message = {
                    "type": "http.response.start",
                    "status": 204,
                    "headers": [(b"allow", allow.encode()), (b"cache-control", b"no-store")],
                }
            else:
                MutableHeaders(scope=message)["allow"] = allow
        elif told:
            message = {**message, "body": b""}
        await send(message)

    return allowed
