"""The OpenAPI document of this server."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from mapserver.deps import AnAudience
from mapserver.links import ALinks
from mapserver.negotiate import chosen, json_bytes, respond
from mapserver.oas30 import as_30
from mapserver.operations import OAS30, OPERATIONS
from mapserver.params import Format

router = APIRouter(tags=["capabilities"])

_FORMS = OPERATIONS["get_api"].formats


@router.get("/api")
async def get_api(
    request: Request,
    audience: AnAudience,
    links: ALinks,
    f: Format = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Every operation, as OpenAPI 3.1; or as 3.0, which the OGC's test suites read."""
    form = chosen(request, f, _FORMS)
    if f is None and OAS30 in accept.replace(" ", ""):
        form = "oas30"
    document = {**request.app.openapi(), "servers": [{"url": links.base, "description": "this server"}]}
    return respond(request, audience, json_bytes(as_30(document) if form == "oas30" else document), _FORMS[form])
