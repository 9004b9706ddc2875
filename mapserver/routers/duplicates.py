"""Cases that tell of one thing: suggestions, and merging that can be undone."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from layers.cases import duplicates
from layers.core.errors import BadValue, Forbidden
from mapserver.body import described, parsed
from mapserver.cases import ACaseDesk, CaseDesk
from mapserver.deps import spend
from mapserver.models.duplicates import DuplicatesShape, MergedShape, NewMerge
from mapserver.negotiate import JSON, json_bytes, respond

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])

CaseId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a case")]


@router.get("/cases/{case_id}/duplicates", response_model=DuplicatesShape)
async def get_duplicates(request: Request, case_id: CaseId, desk: ACaseDesk) -> Response:
    """Open cases that may tell of the same thing, each with its distance, time and category."""
    _reader(desk)
    await desk.kept(case_id)
    rows = await desk.rows(duplicates.suggested(case_id))
    body = {
        "duplicates": [{"id": row.pop("case_id"), **row} for row in rows],
        "reach_m": duplicates.REACH_M,
        "days": duplicates.APART / timedelta(days=1),
    }
    return respond(request, desk.audience, json_bytes(body), JSON)


@router.post("/cases/{case_id}/merge", response_model=MergedShape, openapi_extra=described(NewMerge))
async def post_merge(request: Request, case_id: CaseId, desk: ACaseDesk) -> Response:
    """Merge a case into its main one; it is counted and moved with that one until it is split off again."""
    _reader(desk)
    given = await parsed(request, NewMerge)
    if given.into == case_id:
        raise BadValue("into: a case is not merged into itself", parameter="into")
    await desk.merge(case_id, given.into)
    return await _merged(desk, case_id)


@router.post("/cases/{case_id}/split", response_model=MergedShape)
async def post_split(case_id: CaseId, desk: ACaseDesk) -> Response:
    """Take a case out of its main one; it is as it was before it was merged."""
    _reader(desk)
    await desk.split(case_id)
    return await _merged(desk, case_id)


def _reader(desk: CaseDesk) -> None:
    if not desk.audience.policy.exact_points:
        raise Forbidden("duplicates are for those who read true places", needs="dispatcher")


async def _merged(desk: CaseDesk, case_id: int) -> Response:
    kept = await desk.kept(case_id)
    told = duplicates.merged_into(case_id, with_sensitive=desk.audience.policy.sensitive_points)
    merged = [row["case_id"] for row in await desk.rows(told)]
    body = json_bytes({"id": case_id, "merged_into": kept.merged_into, "merged": merged})
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=JSON)
