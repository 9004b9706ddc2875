"""Who is near enough to be sent to a case, and which team gave it to which."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from layers.cases import dispatch
from layers.cases.queue import Filter
from layers.core.errors import Forbidden, NotFound
from layers.core.span import parse_instant
from mapserver.cases import ACaseDesk
from mapserver.deps import spend
from mapserver.models.cases import HandoversShape
from mapserver.models.shapes import NearestShape
from mapserver.nearest import USUAL, ANearby
from mapserver.negotiate import JSON, json_bytes, respond

MOST = 1000

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])


@router.get("/cases/{case_id}/nearest", response_model=NearestShape)
async def get_nearest(
    request: Request,
    case_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a case")],
    desk: ACaseDesk,
    nearby: ANearby,
    kind: Annotated[str | None, Query(max_length=100, description="code of a kind of resource")] = None,
    limit: Annotated[int, Query(ge=1, description="most resources; more is clamped")] = USUAL,
) -> Response:
    """The resources that are nearest to a case, with the teams that it can be dispatched to."""
    policy = desk.audience.policy
    if not policy.incidents:
        raise Forbidden("cases are not for the public", needs="room")
    wanted = Filter(desk.clock.now(), with_sensitive=policy.sensitive_points)
    rows = await desk.rows(dispatch.place(case_id, wanted, exact=policy.exact_points))
    if not rows:
        raise NotFound(f"there is no case {case_id}", case=case_id)
    body = await nearby.nearest(rows[0]["lon"], rows[0]["lat"], kind, limit)
    return respond(request, desk.audience, json_bytes(body), JSON)


@router.get("/handovers", response_model=HandoversShape)
async def get_handovers(
    request: Request,
    desk: ACaseDesk,
    unit: Annotated[str | None, Query(max_length=100, description="the team that gave or took")] = None,
    start: Annotated[str | None, Query(alias="from", max_length=40, description="RFC 3339, included")] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40, description="RFC 3339, not included")] = None,
    limit: Annotated[int, Query(ge=1, description="most hand-overs; more is clamped")] = 100,
) -> Response:
    """The log of hand-overs between teams, newest first, each with what followed it."""
    if not desk.audience.policy.pushes:
        raise Forbidden("hand-overs are for dispatchers and offices", needs="dispatcher")
    since = None if start is None else parse_instant(start, "from")
    until = None if end is None else parse_instant(end, "to")
    asked = dispatch.handed_over(desk.loop.workflows.values(), unit, since, until, min(limit, MOST))
    body = {"handovers": [{"id": row.pop("case_id"), **row} for row in await desk.rows(asked)]}
    return respond(request, desk.audience, json_bytes(body), JSON)
