"""Errors as Open311 has them: a list of codes and descriptions, in the format that was asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from layers.core.errors import OnemapError
from mapserver.errors import status_of
from mapserver.open311.wire import MEDIA, Form, written

_AS = {401: 403, 409: 400, 422: 400}
"""The standard knows 404 for what is not there, 403 for a wrong key, and 400 for what else the caller can mend."""

_BUSY = (429, 503)
_RETRY_AFTER_S = 2


class Open311Route(APIRoute):
    """A route whose errors clients of Open311 can read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, with its errors told."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answer(request)
            except OnemapError as exc:
                status = status_of(type(exc))
                return _refusal(request, status, str(exc), exc.context.get("retry_after_s", _RETRY_AFTER_S))
            except HTTPException as exc:
                return _refusal(request, exc.status_code, str(exc.detail))
            except RequestValidationError as exc:
                first = exc.errors()[0]
                if first["loc"] == ("path", "form"):
                    return _refusal(request, 404, "the formats are xml and json")
                where = ".".join(map(str, first["loc"][1:]))
                return _refusal(request, 400, f"{where}: {first['msg']}")

        return handler


def _refusal(request: Request, status: int, said: str, retry_after_s: object = _RETRY_AFTER_S) -> Response:
    status = _AS.get(status, status)
    form: Form = "json" if request.path_params.get("form") == "json" else "xml"
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(retry_after_s)} if status in _BUSY else {})
    body = written(form, "errors", [{"code": status, "description": said}])
    return Response(body, status, headers, MEDIA[form])
