"""`/enter` and `/leave`: from the token of a link to a cookie, and back to nobody."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from layers.core.errors import BadValue
from mapserver.auth import cookie
from mapserver.deps import ASettings, grant_of

router = APIRouter(tags=["session"])

# A browser reads `\` as `/` and drops tabs and line ends, so `/\x` and `/<tab>/x` would lead to another host.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@router.get("/enter", status_code=303, response_class=RedirectResponse)
async def enter(
    request: Request,
    settings: ASettings,
    token: Annotated[str, Query(description="as `onemap token create` printed it")],
    to: Annotated[str, Query(description="path of this server to go to")] = "/",
) -> Response:
    """Exchange the token of a link for a cookie that scripts cannot read, and go to a page of this server."""
    if not _LOCAL.fullmatch(to):
        raise BadValue("to: not a path of this server", parameter="to")
    grant = await grant_of(request, token)
    answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
    secure = (settings.server.public_url or "").startswith("https:")
    cookie.give(answer, token, grant.expires_at, secure=secure)
    return answer


@router.post("/leave", status_code=204, response_class=Response)
async def leave() -> Response:
    """Forget the cookie; whoever else uses the token keeps it."""
    answer = Response(status_code=204)
    cookie.clear(answer)
    return answer
