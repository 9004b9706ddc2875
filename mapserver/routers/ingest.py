"""`/ingest/{source}`: rows that another system pushes. Their form is answered at once, the rest by the job."""

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response

from layers.core import jobs
from layers.core.errors import Conflict, NotFound
from layers.records import pushed
from mapserver.body import json_body
from mapserver.deps import AClock, Db, Pusher
from mapserver.links import ALinks
from mapserver.models.jobs import AcceptedShape
from mapserver.negotiate import JSON, json_bytes

router = APIRouter(tags=["jobs"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "rows with every column that the source names, be it null; further columns are dropped",
        "content": {
            JSON: {
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": pushed.MOST_ROWS,
                    "items": {
                        "type": "object",
                        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
                    },
                }
            }
        },
    }
}


@router.post("/ingest/{source}", status_code=202, response_model=AcceptedShape, openapi_extra=_BODY)
async def post_rows(
    request: Request,
    db: Db,
    audience: Pusher,
    clock: AClock,
    links: ALinks,
    source: Annotated[str, Path(description="id of a source that takes pushes")],
    idempotency_key: Annotated[
        str, Header(pattern=r"^[!-~]{1,200}$", description="1 to 200 visible characters; the same push once more")
    ],
) -> Response:
    """Take rows in, once for each key; the job that loads them says what became of every row."""
    declared = await db.row(audience, jobs.source(source))
    if declared is None:
        raise NotFound(f"there is no source '{source[:60]}'", source=source[:60])
    if declared["format"] != "push":
        raise Conflict(f"'{source}' is read as {declared['format']}, not pushed", source=source)
    body = await json_body(request)
    taken = pushed.Declared(declared["taken"], declared["key"], declared["texts"])
    found = await asyncio.to_thread(pushed.read, body, taken)
    masked = [(column, kind, count) for (column, kind), count in found.masked.items()]
    push = jobs.Push(source, idempotency_key, hashlib.sha256(body).hexdigest(), found.rows, masked)
    accepted = await db.row(audience, jobs.accept(push, clock.now()))
    if accepted is None:
        raise NotFound(f"there is no source '{source}' any more", source=source)
    if not accepted["same"]:
        raise Conflict(
            "this Idempotency-Key came with another body before",
            parameter="Idempotency-Key",
            job=accepted["job_id"],
        )
    path = f"/jobs/{accepted['job_id']}"
    answer = json_bytes({"job": accepted["job_id"], "status": links.href(path)})
    return Response(answer, 202, {"Location": path, "Cache-Control": "no-store"}, JSON)
