"""Key figures of an area in a span, against the period before and the year before."""

from collections import Counter
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import Forbidden, NotFound
from layers.core.span import Span
from layers.heat import public
from layers.query import area, summary
from layers.query.summary import Figures
from mapserver.deps import ACity, AClock, AnAudience, Db
from mapserver.models.shapes import SummaryShape
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.params import From, To
from mapserver.scope import area_in_scope, hides_sensitive
from mapserver.window import Windows

router = APIRouter(tags=["summary"])


@router.get("/summary", response_model=SummaryShape)
async def get_summary(  # noqa: PLR0913
    request: Request,
    db: Db,
    city: ACity,
    audience: AnAudience,
    clock: AClock,
    area_id: Annotated[int | None, Query(alias="area", description="id of an area", ge=1, le=2**63 - 1)] = None,
    start: From = None,
    to: To = None,
) -> Response:
    """Totals, mix and comparison; the public gets the published totals of the whole city."""
    if area_id is not None and not audience.policy.incidents:
        raise Forbidden("area: the public's figures are for the whole city", parameter="area", needs="room")
    span = await Windows(db, city, clock, audience).resolve(start, to)
    wanted = area_id if area_id is not None else audience.area_id
    about = (
        await db.row(audience, area.top(clock.now()))
        if wanted is None
        else await area_in_scope(db, audience, wanted)
    )
    if about is None:
        raise NotFound("the city has no areas yet")
    body = {
        "area": {
            "id": about["id"],
            "code": about["code"],
            "level": about["level"],
            "name": {"zh": about["name_zh"], "en": about["name_en"]},
        },
        "from": span.start,
        "to": span.end,
        "version": await db.value(audience, summary.layer_version("incidents")) or 0,
    }
    if audience.policy.incidents:
        with_sensitive = not hides_sensitive(city, audience, about["size_m2"])
        body |= await _exact(db, city, clock, audience, Figures(span, wanted, with_sensitive))
    else:
        body |= await _published(db, city, clock, audience, span)
    return respond(request, audience, json_bytes(body), JSON)


async def _exact(db: Database, city: City, clock: Clock, audience: Audience, figures: Figures) -> dict[str, Any]:
    mix = await db.rows(audience, summary.mix(figures))
    categories: Counter[str] = Counter()
    zones: Counter[str] = Counter()
    for row in mix:
        categories[row["category"]] += row["count"]
        for bit, zone in enumerate(city.zone_types):
            zones[zone.code] += row["count"] if row["zones"] >> bit & 1 else 0
    standing = await db.row(audience, summary.open_items(clock.now(), figures))
    return {
        "total": categories.total(),
        "by_category": [{"code": each.code, "count": categories[each.code]} for each in city.categories],
        "by_zone_type": [{"code": each.code, "count": zones[each.code]} for each in city.zone_types],
        "open": standing["open"] if standing else None,
        "overdue": standing["overdue"] if standing else None,
        "previous": await _period(db, audience, replace(figures, span=figures.span.before())),
        "year_before": await _period(db, audience, replace(figures, span=summary.year_before(figures.span))),
        "newest_at": await db.value(audience, summary.newest()),
        "rounded_to": None,
    }


async def _period(db: Database, audience: Audience, figures: Figures) -> dict[str, Any]:
    count = await db.value(audience, summary.total(figures))
    return {"from": figures.span.start, "to": figures.span.end, "total": count}


async def _published(db: Database, city: City, clock: Clock, audience: Audience, span: Span) -> dict[str, Any]:
    rows = await db.rows(audience, public.totals(span.start, span.end, clock.now()))
    totals = {row["layer"]: row["total"] for row in rows}
    return {
        "total": totals.get("all", 0),
        "by_category": None,
        "by_zone_type": [{"code": zone.code, "count": totals.get(zone.code, 0)} for zone in city.zone_types],
        "open": None,
        "overdue": None,
        "previous": None,
        "year_before": None,
        "newest_at": None,
        "rounded_to": public.ROUND_TO,
    }
