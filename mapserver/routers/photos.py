"""The photo that came with a report, for those who handle its case."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from layers.cases import photos
from layers.cases.workflow import Actor
from layers.core.errors import Forbidden, NotFound
from mapserver.cases import ACaseDesk, seats
from mapserver.deps import spend

JPEG = "image/jpeg"
_NO_STORE = {"Cache-Control": "no-store"}  # what is removed must not stay anywhere
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "a JPEG", "content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}
}

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])

CaseId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a case")]


@router.get("/cases/{case_id}/photo", response_class=Response, responses=_PICTURE)
async def get_photo(case_id: CaseId, desk: ACaseDesk) -> Response:
    """The photo of a case."""
    if not desk.audience.policy.pushes:
        raise Forbidden("photos are for those who handle cases", needs="dispatcher")
    jpeg = await desk.db.value(desk.audience, photos.read(case_id))
    if jpeg is None:
        raise NotFound(f"case {case_id} has no photo", case=case_id)
    return Response(bytes(jpeg), headers=_NO_STORE, media_type=JPEG)


@router.delete("/cases/{case_id}/photo", status_code=204, response_class=Response)
async def delete_photo(case_id: CaseId, desk: ACaseDesk) -> Response:
    """Remove the photo of a case for good; the ledger says that one was removed."""
    if Actor.DISPATCHER not in seats(desk.audience):
        raise Forbidden("photos are removed by dispatchers of the whole city", needs="dispatcher")
    if not await desk.db.value(desk.audience, photos.remove(case_id, desk.clock.now())):
        raise NotFound(f"case {case_id} has no photo", case=case_id)
    return Response(status_code=204, headers=_NO_STORE)
