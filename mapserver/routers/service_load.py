"""Service load: counts of areas, classes and periods, small ones hidden from the room."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from layers.cases import service
from layers.cases.service import Wanted
from layers.core.audience import FEWEST
from layers.core.errors import BadValue, Forbidden
from layers.core.span import Span
from mapserver.deps import ACity, AnAudience, Db, spend
from mapserver.models.service_load import ServiceLoadShape
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.scope import area_in_scope

router = APIRouter(tags=["measures"], dependencies=[Depends(spend)])


@router.get("/service-load", response_model=ServiceLoadShape)
async def get_service_load(  # noqa: PLR0913
    request: Request,
    db: Db,
    audience: AnAudience,
    city: ACity,
    start: Annotated[str, Query(alias="from", description="start of the span, RFC 3339, included", max_length=40)],
    to: Annotated[str, Query(description="end of the span, RFC 3339, not included", max_length=40)],
    kind: Annotated[str | None, Query(alias="class", max_length=40, description="code of a class")] = None,
    level: Annotated[str | None, Query(max_length=40, description="code of a level of areas")] = None,
    area_id: Annotated[
        int | None, Query(alias="area", ge=1, le=2**63 - 1, description="id of an area, and all below it")
    ] = None,
) -> Response:
    """Counts of all periods that lie in a span, as offices have delivered them; nothing is added up."""
    if not audience.policy.incidents:
        raise Forbidden("service load is not for the public", needs="room")
    classes = [] if city.service is None else city.service.classes
    _one_of("class", kind, [each.code for each in classes])
    _one_of("level", level, city.service_levels)
    if area_id is not None:
        await area_in_scope(db, audience, area_id)
    span = Span.parse(start, to)
    wanted = Wanted(span, kind, level, area_id)
    rows = await db.rows(audience, service.counts(wanted, with_small=audience.policy.small_counts))
    if len(rows) > service.MOST:
        raise BadValue(f"to: that is more than {service.MOST:,} counts; ask for a shorter span", parameter="to")
    body = {
        "from": span.start,
        "to": span.end,
        "fewest": FEWEST,
        "classes": [each.model_dump() for each in classes],
        "counts": [{"area_name": {"zh": row.pop("name_zh"), "en": row.pop("name_en")}, **row} for row in rows],
    }
    return respond(request, audience, json_bytes(body), JSON)


def _one_of(name: str, given: str | None, known: list[str]) -> None:
    if given is not None and given not in known:
        raise BadValue(f"{name}: '{given}' is none of {', '.join(known)}", parameter=name, known=known)
