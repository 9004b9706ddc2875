"""The 360-degree view of a place: click anywhere and see what is known there."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from layers.core.errors import BadValue
from layers.geo import hexgrid
from layers.query import area, place
from mapserver.deps import ACity, AClock, AnAudience, Db, spend
from mapserver.models.shapes import PlaceShape
from mapserver.nearest import ANearby
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.params import From, To
from mapserver.window import Windows

router = APIRouter(tags=["place"], dependencies=[Depends(spend)])

AROUND_RES = 9


def _named(row: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in row.items() if key not in ("name_zh", "name_en", "size_m2")}
    return rest | {"name": {"zh": row["name_zh"], "en": row["name_en"]}}


@router.get("/place", response_model=PlaceShape)
async def get_place(  # noqa: PLR0913
    request: Request,
    db: Db,
    city: ACity,
    audience: AnAudience,
    clock: AClock,
    nearby: ANearby,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    start: From = None,
    to: To = None,
) -> Response:
    """Areas above the point, risk areas that reach it, what serves nearby, and incidents of the cell around it."""
    for name, value in (("lon", lon), ("lat", lat)):
        if not math.isfinite(value):
            raise BadValue(f"{name}: not a number", parameter=name)
    now = clock.now()
    above = await db.rows(audience, area.at_point(lon, lat, now))
    near = await db.rows(audience, place.risk_areas(lon, lat, now))
    body: dict[str, Any] = {
        "lon": lon,
        "lat": lat,
        "areas": [_named(row) for row in above],
        "risk_areas": [_named(row) for row in near],
        "resources": None,
        "incidents": None,
    }
    if audience.policy.incidents:
        body["resources"] = await nearby.nearest(lon, lat)
        span = await Windows(db, city, clock, audience).resolve(start, to)
        cell = hexgrid.at(lon, lat, AROUND_RES)
        counts = await db.rows(audience, place.incidents(cell, city.base_resolution, span, audience))
        body["incidents"] = {
            "cell": hexgrid.to_text([cell])[0],
            "from": span.start,
            "to": span.end,
            "total": sum(row["count"] for row in counts),
            "by_category": [{"code": row["category"], "count": row["count"]} for row in counts],
        }
    return respond(request, audience, json_bytes(body), JSON)
