"""Errors become problem documents (RFC 9457) here, and nowhere else."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from layers.core.errors import (
    Conflict,
    Forbidden,
    InputError,
    NotFound,
    OnemapError,
    SourceError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from mapserver.auth import cookie

PROBLEM = "application/problem+json"

STATUS: dict[type[OnemapError], int] = {
    OnemapError: 500,
    InputError: 400,
    TooLarge: 413,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    SourceError: 422,
    Unavailable: 503,
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "a problem document that names what was wrong",
        "content": {
            PROBLEM: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string", "description": "urn:onemap: and a stable slug"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                    },
                }
            }
        },
    }
}
"""How the OpenAPI document describes every error of every operation."""

_RETRY_AFTER_S = 2

_Handler = Callable[[Request, Exception], Awaitable[Response]]


def status_of(kind: type[OnemapError]) -> int:
    """Status of the nearest ancestor that has one."""
    return next(STATUS[k] for k in kind.__mro__ if k in STATUS)


def problem(
    status: int,
    code: str,
    title: str,
    context: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; `code` is our slug, never a Python name, and `context` its further members."""
    body = {**(context or {}), "type": f"urn:onemap:{code}", "title": title, "status": status}
    return Response(
        orjson.dumps(body, default=str),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type=PROBLEM,
    )


def install(app: FastAPI, told: Callable[[Request, Response], Response]) -> None:
    """Have `app` answer every error that it or we raise on purpose; the unexpected ones are `LastResort`'s.

    told : makes of a problem document what this caller can read.
    """

    def told_by(answer: _Handler) -> _Handler:
        async def handler(request: Request, exc: Exception) -> Response:
            return told(request, await answer(request, exc))

        return handler

    app.add_exception_handler(OnemapError, told_by(_of_ours))
    app.add_exception_handler(HTTPException, told_by(_of_the_router))
    app.add_exception_handler(RequestValidationError, told_by(_of_a_parameter))


async def _of_ours(request: Request, exc: Exception) -> Response:
    error = cast("OnemapError", exc)
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="onemap", error="invalid_token"'
    if isinstance(error, Unavailable | TooMany):
        headers["Retry-After"] = str(error.context.get("retry_after_s", _RETRY_AFTER_S))
    answer = problem(status_of(type(error)), error.code, str(error), error.context, headers)
    if isinstance(error, Unauthenticated) and cookie.decides(request):
        cookie.clear(answer)
    return answer


async def _of_the_router(request: Request, exc: Exception) -> Response:
    error = cast("HTTPException", exc)
    phrase = HTTPStatus(error.status_code).phrase
    title = f"{request.method} {request.url.path}: {error.detail}"
    return problem(error.status_code, phrase.lower().replace(" ", "-"), title, headers=error.headers)


async def _of_a_parameter(_: Request, exc: Exception) -> Response:
    first = cast("RequestValidationError", exc).errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return problem(400, "bad-value", f"{where}: {first['msg']}", {"parameter": where, "in": first["loc"][0]})
