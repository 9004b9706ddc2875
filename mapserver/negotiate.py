"""Answers with their format, their freshness and their privacy."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request, Response

from layers.core.audience import Audience, Role
from layers.core.errors import BadValue

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML = "text/html"
MVT = "application/vnd.mapbox-vector-tile"
ARROW = "application/vnd.apache.arrow.stream"

_FORMULA = ("=", "+", "-", "@", "\t", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""What makes a formula of a cell; spreadsheets of East Asia take the full-width signs for the others."""


def chosen(request: Request, asked: str | None, offered: Mapping[str, str]) -> str:
    """The short name of the format to answer in: `f=` first, else Accept, else the first of `offered`.

    `offered` maps short names to media types.

    Raises
    ------
    BadValue : `f` names none of them.
    """
    if asked is not None:
        if asked not in offered:
            raise BadValue(f"f: '{asked[:40]}' is none of {', '.join(offered)}", parameter="f")
        return asked
    accepted = [part.split(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    for media in accepted:
        for short, ours in offered.items():
            if media == ours.split(";")[0]:
                return short
    return next(iter(offered))


def privacy(audience: Audience) -> dict[str, str]:
    """Headers that say who may keep an answer, and what it depends on; what is not public stays private."""
    return {
        "Cache-Control": "no-cache" if audience.role is Role.PUBLIC else "private, no-cache",
        "Vary": "Accept, Authorization, Cookie",
    }


def respond(request: Request, audience: Audience, body: bytes, media_type: str) -> Response:
    """An answer with an ETag, or 304 where the caller has it.

    The ETag is a weak one: on its way out the answer may be compressed, and is then of other bytes.
    """
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": f"W/{etag}", **privacy(audience)}
    known = request.headers.get("if-none-match", "").split(",")
    if {etag, "*"} & {tag.strip().removeprefix("W/") for tag in known}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def json_bytes(value: object) -> bytes:
    """JSON in UTF-8; instants end in Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY, default=str)


def csv_bytes(header: Sequence[str] | None, rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV in UTF-8; a text that a spreadsheet would take for a formula gets a quote before it.

    Without a header it goes on with what began before.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header is not None:
        writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # the writer leaves a bare one out of quotes
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value.isoformat() if hasattr(value, "isoformat") else value
