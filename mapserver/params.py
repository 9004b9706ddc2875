"""Query and path parameters that several routers share, each read by one function."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator

from layers.geo.bbox import Bbox
from layers.geo.tiles import Tile
from layers.query.interval import Interval

Version = Annotated[
    str | None,
    Query(
        alias="v",
        description="version that the answer is of, as TileJSON names it; it then holds for ever",
        max_length=40,
    ),
]

_WHOLE = re.compile(r"[+-]?[0-9]+")


def _plain(text: object) -> object:
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("not a whole number")
    return text


Whole = Annotated[int, BeforeValidator(_plain)]
"""A whole number in plain digits; Python's int() would take underscores, spaces and other scripts' digits too."""

LIMIT_DEFAULT = 100
LIMIT_MOST = 10_000

From = Annotated[
    str | None, Query(alias="from", description="start of the span, RFC 3339, included", max_length=40)
]
To = Annotated[str | None, Query(description="end of the span, RFC 3339, not included", max_length=40)]
LayerId = Annotated[str, Path(description="id of a collection")]
Format = Annotated[str | None, Query(alias="f", description="format of the answer", max_length=20)]


async def _bbox(
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees", max_length=200)] = None,
) -> Bbox | None:
    return None if bbox is None else Bbox.parse(bbox)


async def _interval(
    at: Annotated[
        str | None,
        Query(alias="datetime", description="RFC 3339 instant or closed interval a/b, .. is open", max_length=100),
    ] = None,
) -> Interval | None:
    return None if at is None else Interval.parse(at)


async def _limit(
    limit: Annotated[Whole, Query(ge=1, description="most features of a page; more is clamped")] = LIMIT_DEFAULT,
) -> int:
    return min(limit, LIMIT_MOST)


async def _tile(z: Annotated[Whole, Path()], x: Annotated[Whole, Path()], y: Annotated[Whole, Path()]) -> Tile:
    return Tile.at(z, x, y)


ABbox = Annotated[Bbox | None, Depends(_bbox)]
AnInterval = Annotated[Interval | None, Depends(_interval)]
ALimit = Annotated[int, Depends(_limit)]
ATile = Annotated[Tile, Depends(_tile)]
