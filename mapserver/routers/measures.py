"""Measures: the list, what is covered and what is overdue, registering, evidence and closing."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from layers.cases import measures
from layers.cases.measures import By, Campaign, Task, Wanted
from layers.cases.periods import Every, periods
from layers.cases.workflow import Actor
from layers.core.audience import Audience
from layers.core.errors import BadValue, Conflict, Forbidden, NotFound
from layers.core.span import parse_instant
from layers.records.desk import AHEAD
from layers.records.personal import mask
from mapserver.body import described, nobody, parsed
from mapserver.cases import ALoop, seats
from mapserver.deps import ACity, AClock, AnAudience, Db, spend
from mapserver.models.measures import (
    CampaignsShape,
    CoverageShape,
    EvidenceShape,
    KeptCampaignShape,
    KeptShape,
    MeasureFileShape,
    MeasuresShape,
    NewCampaign,
    NewClosing,
    NewEvidence,
    NewMeasure,
)
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.scope import area_in_scope, level_rank

router = APIRouter(tags=["measures"], dependencies=[Depends(spend)])

MeasureId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a measure")]
AreaId = Annotated[
    int | None, Query(alias="area", ge=1, le=2**63 - 1, description="id of an area, and all below it")
]
Text = Annotated[str | None, Query(max_length=100)]
Moment = Annotated[str | None, Query(description="as it stood then, RFC 3339; now, if not given", max_length=40)]

_FIGURES = ("measures", "terms", "kept", "due", "done", "in_time", "overdue")


def _reader(audience: Audience) -> None:
    if not audience.policy.incidents:
        raise Forbidden("measures are not for the public", needs="room")


def _writer(audience: Audience) -> None:
    if not audience.policy.pushes:
        raise Forbidden("measures are kept by dispatchers and offices", needs="dispatcher")


@router.get("/measures", response_model=MeasuresShape)
async def get_measures(  # noqa: PLR0913
    request: Request,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    zone_type: Text = None,
    area_id: AreaId = None,
    risk_area: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="id of a risk area")] = None,
    campaign: Text = None,
    unit: Text = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    overdue: Annotated[bool | None, Query(description="lacking something that was due")] = None,
    at: Moment = None,
    limit: Annotated[int, Query(ge=1, description="most measures of a page; more is clamped")] = 100,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the page before")] = 0,
) -> Response:
    """Measures in the order of their registration, as they stand."""
    _reader(audience)
    if area_id is not None:
        await area_in_scope(db, audience, area_id)
    when = clock.now() if at is None else parse_instant(at, "at")
    wanted = Wanted(when, zone_type, area_id, risk_area, campaign, unit, is_open, overdue)
    most = min(limit, measures.MOST)
    rows = await db.rows(audience, measures.page(wanted, most, after))
    further = rows[most - 1]["measure_id"] if len(rows) > most else None
    return respond(
        request, audience, json_bytes({"measures": list(map(_measure, rows[:most])), "next": further}), JSON
    )


@router.get("/measures/coverage", response_model=CoverageShape)
async def get_coverage(  # noqa: PLR0913
    request: Request,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    city: ACity,
    by: Annotated[By, Query(description="what to group by")] = "zone_type",
    level: Annotated[
        str | None, Query(max_length=40, description="code of the level of areas to group by")
    ] = None,
    area_id: AreaId = None,
    at: Moment = None,
    start: Annotated[
        str | None, Query(alias="from", max_length=40, description="only what was due after it")
    ] = None,
) -> Response:
    """What was owed by a moment, what of it was done, and what is overdue."""
    _reader(audience)
    if level is not None and by != "area":
        raise BadValue("level: only areas have one", parameter="level")
    rank = level_rank(city, level)
    if area_id is not None:
        await area_in_scope(db, audience, area_id)
    when = clock.now() if at is None else parse_instant(at, "at")
    since = None if start is None else parse_instant(start, "from")
    rows = await db.rows(audience, measures.coverage(by, when, since, rank, area_id))
    groups = [
        {"code": row["code"], "name": {"zh": row["name_zh"], "en": row["name_en"]}, **_figures(row)}
        for row in rows
        if row["code"] is not None
    ]
    body = {
        "at": when,
        "by": by,
        "level": city.levels[rank].code if by == "area" else None,
        "groups": groups,
        "total": _figures(rows[-1]),
    }
    return respond(request, audience, json_bytes(body), JSON)


@router.get("/measures/campaigns", response_model=CampaignsShape)
async def get_campaigns(request: Request, db: Db, audience: AnAudience) -> Response:
    """All campaigns (专项行动), the newest first."""
    _reader(audience)
    body = [
        {
            "code": row["code"],
            "name": {"zh": row["name_zh"], "en": row["name_en"]},
            "start_at": row["start_at"],
            "end_at": row["end_at"],
        }
        for row in await db.rows(audience, measures.campaigns())
    ]
    return respond(request, audience, json_bytes({"campaigns": body}), JSON)


@router.post(
    "/measures/campaigns",
    status_code=201,
    response_model=KeptCampaignShape,
    responses={200: {"model": KeptCampaignShape}},
    openapi_extra=described(NewCampaign),
)
async def post_campaign(request: Request, db: Db, audience: AnAudience, clock: AClock, loop: ALoop) -> Response:
    """Register a campaign, once for each code; that is for the whole city's dispatchers."""
    _writer(audience)
    if audience.area_id is not None:
        raise Forbidden("campaigns are the whole city's", needs="dispatcher")
    given = await parsed(request, NewCampaign)
    (span,) = periods(Every.ONCE, given.first_day, given.last_day, loop.policies.work)
    campaign = Campaign(given.code, mask(given.name_zh).text, mask(given.name_en).text, span.start_at, span.due_at)
    row = await db.row(audience, measures.begin(campaign, clock.now())) or {}
    return _kept({"code": given.code, "fresh": row["fresh"]}, "/measures/campaigns")


@router.get("/measures/{measure_id}", response_model=MeasureFileShape)
async def get_measure(
    request: Request, measure_id: MeasureId, db: Db, audience: AnAudience, clock: AClock, at: Moment = None
) -> Response:
    """One measure with its periods so far."""
    _reader(audience)
    when = clock.now() if at is None else parse_instant(at, "at")
    row = await db.row(audience, measures.one(measure_id, when))
    if row is None:
        raise _missing(measure_id)
    terms = await db.rows(audience, measures.terms(measure_id, when))
    return respond(request, audience, json_bytes({"measure": _measure(row), "terms": terms}), JSON)


@router.post(
    "/measures",
    status_code=201,
    response_model=KeptShape,
    responses={200: {"model": KeptShape}},
    openapi_extra=described(NewMeasure),
)
async def post_measure(request: Request, db: Db, audience: AnAudience, clock: AClock, loop: ALoop) -> Response:
    """Register a measure, once for each key."""
    _writer(audience)
    given = await parsed(request, NewMeasure)
    bound = ("zone_type", "area", "risk_area", "campaign")
    if all(getattr(given, name) is None for name in bound):
        raise BadValue(f"a measure is bound to one of {', '.join(bound)}", parameter="zone_type")
    task = Task(
        key=nobody("key", given.key),
        name_zh=mask(given.name_zh).text,
        name_en=mask(given.name_en).text,
        unit=nobody("unit", given.unit),
        every=given.every,
        target=given.target,
        registered_at=clock.now(),
        zone_type=given.zone_type,
        area_id=given.area,
        risk_area_id=given.risk_area,
        campaign=given.campaign,
    )
    terms = periods(Every(given.every), given.first_day, given.last_day, loop.policies.work)
    row = await db.row(audience, measures.register(task, terms)) or {}
    if row["refused"] == "apart":
        raise BadValue("area: it has no ground in common with the risk area", parameter="area")
    if row["refused"] == "scope":
        raise Forbidden("that measure is not inside your area", needs="dispatcher")
    if row["refused"] is not None:
        raise BadValue(
            f"{row['refused']}: there is none of that name, or it contradicts the risk area",
            parameter=row["refused"],
        )
    return _kept({"id": row["measure_id"], "fresh": row["fresh"]}, f"/measures/{row['measure_id']}")


@router.post(
    "/measures/{measure_id}/evidence",
    status_code=201,
    response_model=EvidenceShape,
    responses={200: {"model": EvidenceShape}},
    openapi_extra=described(NewEvidence),
)
async def post_evidence(
    request: Request, measure_id: MeasureId, db: Db, audience: AnAudience, clock: AClock
) -> Response:
    """Say that it was done, once for each key; the answer names the period that it counts for."""
    _writer(audience)
    given, now = await parsed(request, NewEvidence), clock.now()
    at = given.at or now
    if at > now + AHEAD:
        raise BadValue("at: it lies in the future", parameter="at")
    told = measures.tell(measure_id, nobody("key", given.key), at, given.count, now)
    row = await db.row(audience, told) or {}
    if row["refused"] == "missing":
        raise _missing(measure_id)
    if row["refused"] == "settled":
        days = measures.GRACE.days
        late = f"at: that period is settled, {days} days after it was due; told as of now it counts as late"
        raise BadValue(late, parameter="at")
    if row["refused"] is not None:
        why = {"closed": "it is closed", "early": "none of its periods had begun by then"}[row["refused"]]
        raise Conflict(f"measure {measure_id} takes no evidence: {why}", why=row["refused"])
    return _kept({"period": row["number"], "fresh": row["fresh"]}, f"/measures/{measure_id}")


@router.post(
    "/measures/{measure_id}/closing", response_model=MeasureFileShape, openapi_extra=described(NewClosing)
)
async def post_closing(
    request: Request, measure_id: MeasureId, db: Db, audience: AnAudience, clock: AClock
) -> Response:
    """Close a measure; what it owed until now stays in the figures of coverage, but is overdue no more.

    That is for dispatchers of the whole city, never for the office that owes it; where evidence is lacking in any
    of its periods, past or to come, for the supervisor.
    """
    own = seats(audience)
    if Actor.DISPATCHER not in own:
        raise Forbidden("measures are closed by dispatchers of the whole city", needs="dispatcher")
    given, now = await parsed(request, NewClosing), clock.now()
    reason, unmet = mask(given.reason).text, Actor.SUPERVISOR in own
    refused = await db.value(audience, measures.close(measure_id, reason, now, unmet=unmet))
    if refused == "missing":
        raise _missing(measure_id)
    if refused == "closed":
        raise Conflict(f"measure {measure_id} is closed already", why=refused)
    if refused is not None:
        raise Forbidden(
            "it lacks evidence; such a measure is closed by the supervisor", needs="admin", why=refused
        )
    return await get_measure(request, measure_id, db, audience, clock)


def _measure(row: Mapping[str, Any]) -> dict[str, Any]:
    names = {"measure_id", "name_zh", "name_en"}
    facts = {name: value for name, value in row.items() if name not in names}
    return {"id": row["measure_id"], "name": {"zh": row["name_zh"], "en": row["name_en"]}, **facts}


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _FIGURES} | {"coverage": row["done"] / row["due"] if row["due"] else None}


def _missing(measure_id: int) -> NotFound:
    return NotFound(f"there is no measure {measure_id}", measure=measure_id)


def _kept(body: Mapping[str, Any], where: str) -> Response:
    headers = {"Location": where, "Cache-Control": "no-store"}
    return Response(json_bytes(body), 201 if body["fresh"] else 200, headers, JSON)
