"""The closed loop: the queue, one case with its history, registering and moving."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from layers.cases import duplicates, intake, photos, queue, store
from layers.cases.queue import Filter, Place
from layers.cases.sla import Colour, Deadline, is_over
from layers.cases.workflow import Move
from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.errors import BadValue, Conflict, Forbidden, NotFound
from layers.records.personal import personal
from mapserver.body import described, parsed
from mapserver.cases import ACaseDesk, CaseDesk
from mapserver.deps import ACity, Pusher, spend
from mapserver.models.cases import (
    CaseFileShape,
    ChoicesShape,
    NamedAreasShape,
    NewCase,
    NewMove,
    QueueShape,
    RegisteredShape,
    WorkflowsShape,
)
from mapserver.negotiate import JSON, json_bytes, respond

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])

_SOURCE = "desk"
CaseId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a case")]
Text = Annotated[str | None, Query(max_length=100)]


def _reader(audience: Audience) -> None:
    if not audience.policy.incidents:
        raise Forbidden("cases are not for the public", needs="room")


@router.get("/cases", response_model=QueueShape)
async def get_cases(  # noqa: PLR0913
    request: Request,
    desk: ACaseDesk,
    state: Text = None,
    category: Text = None,
    unit: Text = None,
    workflow: Text = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    late: Annotated[bool | None, Query(description="over their term now")] = None,
    area: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="id of an area, and all below it")] = None,
    limit: Annotated[int, Query(ge=1, description="most cases of a page; more is clamped")] = 100,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
) -> Response:
    """Cases, soonest due first; those without a term come last."""
    _reader(desk.audience)
    now = desk.clock.now()
    policy = desk.audience.policy
    may = (policy.sensitive_points, policy.exact_points)
    wanted = Filter(now, state, is_open, late, category, unit, area, workflow, *may)
    most = min(limit, queue.MOST)
    rows = await desk.rows(queue.page(wanted, most, None if after is None else Place.parse(after)))
    shown = rows[:most]
    further = str(Place(shown[-1]["due_at"], shown[-1]["case_id"])) if len(rows) > most else None
    counted = await desk.db.value(desk.audience, queue.count(wanted)) if after is None else None
    total = None if counted is None or counted > queue.MOST_COUNTED else counted
    body = {"cases": [_case(row, desk) for row in shown], "next": further, "total": total}
    return respond(request, desk.audience, json_bytes(body), JSON)


@router.get("/cases/workflows", response_model=WorkflowsShape)
async def get_workflows(request: Request, desk: ACaseDesk) -> Response:
    """The workflows that cases of this city follow."""
    body = [
        {
            "code": each.code,
            "name": each.name.model_dump(),
            "states": [
                {"code": state.code, "name": state.name.model_dump(), "open": state.open} for state in each.states
            ],
            "moves": list(map(_move, each.moves)),
        }
        for each in desk.loop.workflows.values()
    ]
    return respond(request, desk.audience, json_bytes({"workflows": body}), JSON)


@router.get("/cases/choices", response_model=ChoicesShape)
async def get_choices(request: Request, desk: ACaseDesk) -> Response:
    """The offices that the queue can be narrowed to."""
    _reader(desk.audience)
    shown = Filter(desk.clock.now(), with_sensitive=desk.audience.policy.sensitive_points)
    body = {"units": [row["unit"] for row in await desk.rows(queue.units(shown))]}
    return respond(request, desk.audience, json_bytes(body), JSON)


@router.get("/cases/areas", response_model=NamedAreasShape)
async def get_areas(
    request: Request,
    desk: ACaseDesk,
    text: Annotated[str, Query(max_length=100, description="a part of its name, or how its code begins")] = "",
) -> Response:
    """The areas of that name that the queue can be narrowed to, from the top of the tree down."""
    areas = [
        {
            "id": row["area_id"],
            "level": row["level"],
            "code": row["code"],
            "name": {"zh": row["zh"], "en": row["en"]},
        }
        for row in await desk.rows(queue.areas(text))
    ]
    return respond(request, desk.audience, json_bytes({"areas": areas}), JSON)


@router.get("/cases/{case_id}", response_model=CaseFileShape)
async def get_case(request: Request, case_id: CaseId, desk: ACaseDesk) -> Response:
    """One case; its history and its text are for those who may read texts."""
    _reader(desk.audience)
    return respond(request, desk.audience, json_bytes(await _file(desk, case_id)), JSON)


@router.post(
    "/cases",
    status_code=201,
    response_model=RegisteredShape,
    responses={200: {"model": RegisteredShape}},
    openapi_extra=described(NewCase),
)
async def post_case(request: Request, desk: ACaseDesk, audience: Pusher, city: ACity) -> Response:  # noqa: ARG001
    """Register a case, once for each key; 409 names the case that an incident has already."""
    given = await parsed(request, NewCase)
    case_id, fresh = await desk.register(await _report(given, city, desk))
    body = json_bytes({"id": case_id, "fresh": fresh})
    headers = {"Location": f"/cases/{case_id}", "Cache-Control": "no-store"}
    return Response(body, 201 if fresh else 200, headers, JSON)


@router.post("/cases/{case_id}/moves", response_model=CaseFileShape, openapi_extra=described(NewMove))
async def post_move(request: Request, case_id: CaseId, desk: ACaseDesk) -> Response:
    """Make a move; 409 names the state that the case is in where somebody moved it first."""
    if not desk.audience.policy.pushes:
        raise Forbidden("cases are moved by dispatchers and offices", needs="dispatcher")
    given = await parsed(request, NewMove)
    told = {"reason": intake.masked(given.reason), "unit": intake.masked(given.unit), "rating": given.rating}
    await desk.move(case_id, given.move, given.version, told)
    return Response(json_bytes(await _file(desk, case_id)), headers={"Cache-Control": "no-store"}, media_type=JSON)


async def _report(given: NewCase, city: City, desk: CaseDesk) -> store.Report:
    if kinds := personal(given.source_key):
        raise BadValue(f"source_key: it names a person ({', '.join(sorted(kinds))})", parameter="source_key")
    facts = {name: getattr(given, name) for name in ("category", "lon", "lat", "origin")}
    if given.incident is not None:
        return await _of_incident(given, given.incident, facts, desk)
    for name in ("category", "lon", "lat"):
        if facts[name] is None:
            raise BadValue(f"{name}: it is needed, where there is no incident", parameter=name)
    return intake.reported(
        city,
        facts["category"],
        (facts["lon"], facts["lat"]),
        desk.clock.now(),
        source=_SOURCE,
        source_key=given.source_key,
        workflow=given.workflow,
        origin=given.origin or "hotline",
        text=given.report,
    )


async def _of_incident(given: NewCase, incident_id: int, facts: Mapping[str, Any], desk: CaseDesk) -> store.Report:
    if told := next((name for name, value in facts.items() if value is not None), None):
        raise BadValue(f"{told}: the incident says that", parameter=told)
    rows = await desk.rows(intake.incident(incident_id))
    if not rows:
        raise BadValue(f"incident: there is no incident {incident_id}", parameter="incident")
    if rows[0]["closed_at"] is not None:
        raise Conflict(f"incident {incident_id} was closed by its source", incident=incident_id)
    return intake.of_incident(
        rows[0], source=_SOURCE, source_key=given.source_key, workflow=given.workflow, text=given.report
    )


async def _file(desk: CaseDesk, case_id: int) -> dict[str, Any]:
    policy = desk.audience.policy
    wanted = Filter(desk.clock.now(), with_sensitive=policy.sensitive_points, with_ratings=policy.exact_points)
    rows = await desk.rows(queue.one(case_id, wanted))
    if not rows:
        raise NotFound(f"there is no case {case_id}", case=case_id)
    found: dict[str, Any] = {"case": _case(rows[0], desk), "report": None, "photo": False}
    found |= {"steps": [], "terms": [], "moves": []}
    merged = duplicates.merged_into(case_id, with_sensitive=policy.sensitive_points)
    found["merged"] = [row["case_id"] for row in await desk.rows(merged)]
    if policy.exact_points:
        (told,) = await desk.rows(store.text(case_id))
        found |= told
        found["steps"] = await desk.rows(store.steps(case_id))
        found["terms"] = [_term(each, case_id, desk) for each in await desk.rows(store.deadlines(case_id))]
        found["photo"] = await desk.db.value(desk.audience, photos.there(case_id))
        found["moves"] = list(map(_move, desk.moves(await desk.kept(case_id))))
    return found


def _case(row: Mapping[str, Any], desk: CaseDesk) -> dict[str, Any]:
    same = ("workflow", "category", "severity", "origin", "reported_at", "area", "lon", "lat", "state", "version",
            "changed_at", "unit", "bounces", "rating", "due_at", "warn_at", "red_at",
            "merged_into")  # fmt: skip
    late = row["is_open"] and is_over(row["due_at"], desk.clock.now())
    facts = {name: row[name] for name in same}
    name = row["area"] and {"zh": row["area_zh"], "en": row["area_en"]}
    own = {"id": row["case_id"], "incident": row["incident_id"], "open": row["is_open"], "late": late}
    return facts | own | {"area_name": name}


def _term(row: Mapping[str, Any], case_id: int, desk: CaseDesk) -> dict[str, Any]:
    moments = {name: row[name] for name in ("stage", "start_at", "due_at", "warn_at", "red_at", "met_at")}
    term = Deadline(row["stage"], row["start_at"], row["due_at"], row["warn_at"], row["red_at"])
    colour: Colour = term.colour(row["met_at"] or desk.clock.now())
    return moments | {"colour": colour.value, "of": None if row["own_id"] == case_id else row["own_id"]}


def _move(move: Move) -> dict[str, Any]:
    return {"code": move.code, "name": move.name.model_dump(), "needs": list(move.needs)}
