"""`/jobs/{id}`: how far a job is, and what came of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from layers.core import jobs
from layers.core.errors import NotFound
from mapserver.deps import Db, Pusher
from mapserver.models.jobs import JobShape
from mapserver.negotiate import JSON, json_bytes, respond

router = APIRouter(tags=["jobs"])

_STATE = {"todo": "queued", "doing": "running", "succeeded": "done"}


@router.get("/jobs/{job_id}", response_model=JobShape)
async def get_job(
    request: Request, db: Db, audience: Pusher, job_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> Response:
    """State, times and progress of a job; once it has ended, the account of its rows or why it failed."""
    row = await db.row(audience, jobs.job(job_id))
    if row is None:
        raise NotFound(f"there is no job {job_id}", job=job_id)
    body = {
        "id": row["id"],
        "task": row["task"],
        "source": row["source"],
        "file": row["file"],
        "state": _STATE.get(row["status"], "failed"),
        "attempts": row["attempts"],
        "created": row["created_at"],
        "started": row["started_at"],
        "finished": row["finished_at"],
        "progress": {"step": row["step"], "share": row["share"], "rows": row["row_count"]}
        if row["step"]
        else None,
        "runs": row["run_ids"] or [],
        "account": row["account"],
        "message": row["message"],
    }
    return respond(request, audience, json_bytes(body), JSON)
