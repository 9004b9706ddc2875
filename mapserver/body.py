"""The body of a request, no longer than may be."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from layers.core.errors import BadValue, TooLarge
from layers.records.personal import find
from mapserver.negotiate import JSON

MOST_BYTES = 10_000_000

Given = TypeVar("Given", bound=BaseModel)


def described(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body that `parsed` reads."""
    content = {JSON: {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


async def parsed(request: Request, model: type[Given]) -> Given:
    """The body as a model. Raises as `json_body` does.

    Raises
    ------
    BadValue : it is no such thing, or holds a NUL, which no text here can have; names the first field that does.
    """
    try:
        given = model.model_validate_json(await json_body(request))
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise BadValue(f"{where}: {first['msg']}", parameter=where) from exc
    for name, value in given:
        if _holds_nul(value):
            raise BadValue(f"{name}: it holds a NUL", parameter=name)
    return given


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, BaseModel):
        return any(_holds_nul(each) for _, each in value)
    if isinstance(value, Mapping):
        return any(map(_holds_nul, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_nul, value))


async def json_body(request: Request) -> bytes:
    """The bytes of a body that is declared as plain JSON. Raises as `body_of` does."""
    return await body_of(request, JSON)


async def body_of(request: Request, media_type: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of a body that is declared as that; one that is too long is not read to its end.

    Raises
    ------
    HTTPException : 415 where it is declared as something else, or compressed; 400 where it ends too early.
    TooLarge : it has more than `most`.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != media_type:
        raise HTTPException(415, f"the body has to be {media_type}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "a compressed body is not taken")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal():
        raise BadValue("Content-Length is no number", parameter="Content-Length")
    body = bytearray()
    try:
        if int(declared) <= most:
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    break
            else:
                return bytes(body)
    except ClientDisconnect as exc:
        raise HTTPException(400, "the body ends too early") from exc
    raise TooLarge(f"the body is longer than {most:,} bytes: push it in parts", most=most)


def nobody(name: str, text: str) -> str:
    """The text of a field, where it names no person.

    Raises
    ------
    BadValue : it does; names the field, and not the person.
    """
    if spans := find(text):
        kinds = ", ".join(sorted({span.kind for span in spans}))
        raise BadValue(f"{name}: it names a person ({kinds})", parameter=name)
    return text
