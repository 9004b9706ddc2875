"""Key figures of an area in a span, against the period before and the year before."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from layers.core.audience import SENSITIVE_RES
from layers.core.errors import Forbidden, NotFound
from layers.core.span import Span
from layers.heat import public
from layers.heat.question import Question
from layers.query import area, summary
from mapserver.deps import spend
from mapserver.heat import AnAsker, Asker
from mapserver.models.shapes import SummaryShape
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.params import From, To
from mapserver.scope import area_in_scope, hides_sensitive
from mapserver.window import Windows

router = APIRouter(tags=["summary"], dependencies=[Depends(spend)])


@router.get("/summary", response_model=SummaryShape)
async def get_summary(
    request: Request,
    asker: AnAsker,
    area_id: Annotated[int | None, Query(alias="area", description="id of an area", ge=1, le=2**63 - 1)] = None,
    start: From = None,
    to: To = None,
) -> Response:
    """Totals, mix and comparison; the public gets the published totals of the whole city."""
    db, audience, now = asker.db, asker.audience, asker.clock.now()
    if area_id is not None and not audience.policy.incidents:
        raise Forbidden("area: the public's figures are for the whole city", parameter="area", needs="room")
    span = await Windows(db, asker.city, asker.clock, audience).resolve(start, to)
    wanted = area_id if area_id is not None else audience.area_id
    about = await db.row(audience, area.top(now)) if wanted is None else await area_in_scope(db, audience, wanted)
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
        body |= await _exact(asker, span, wanted, about["size_m2"])
    else:
        body |= await _published(asker, span)
    return respond(request, audience, json_bytes(body), JSON)


async def _exact(asker: Asker, span: Span, area_id: int | None, size_m2: float) -> dict[str, Any]:
    city, db, audience = asker.city, asker.db, asker.audience
    whole = Question("all", span, min(SENSITIVE_RES, city.base_resolution), with_sensitive=True)
    spans = [span.before(), summary.year_before(span)]
    asked = [
        *(replace(whole, span=each) for each in spans),
        *(replace(whole, categories=frozenset({category.code})) for category in city.categories),
        *(replace(whole, layer=zone.code) for zone in city.zone_types),
    ]
    total, *rest = await asker.totals([whole, *asked], area_id)
    previous, year_before, *rest = rest
    counts = iter(rest)
    with_sensitive = not hides_sensitive(city, audience, size_m2)
    standing = await db.row(
        audience, summary.open_items(asker.clock.now(), area_id, with_sensitive=with_sensitive)
    )
    return {
        "total": total,
        "by_category": [{"code": each.code, "count": next(counts)} for each in city.categories],
        "by_zone_type": [{"code": each.code, "count": next(counts)} for each in city.zone_types],
        "open": standing["open"] if standing else None,
        "overdue": standing["overdue"] if standing else None,
        "previous": _period(spans[0], previous),
        "year_before": _period(spans[1], year_before),
        "newest_at": await db.value(audience, summary.newest(with_sensitive=audience.policy.sensitive_points)),
        "rounded_to": None,
    }


def _period(span: Span, total: int) -> dict[str, Any]:
    return {"from": span.start, "to": span.end, "total": total}


async def _published(asker: Asker, span: Span) -> dict[str, Any]:
    rows = await asker.db.rows(asker.audience, public.totals(span.start, span.end, asker.clock.now()))
    totals = {row["layer"]: row["total"] for row in rows}
    return {
        "total": totals.get("all", 0),
        "by_category": None,
        "by_zone_type": [{"code": zone.code, "count": totals.get(zone.code, 0)} for zone in asker.city.zone_types],
        "open": None,
        "overdue": None,
        "previous": None,
        "year_before": None,
        "newest_at": None,
        "rounded_to": public.ROUND_TO,
    }
