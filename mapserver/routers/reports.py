"""What whoever holds the token of a report can do with it: the citizen's seat in its workflow."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from layers.cases import intake
from layers.core.audience import PUBLIC
from layers.core.errors import NotFound
from mapserver.body import described, parsed
from mapserver.budget import REPORT
from mapserver.deps import TheBudgets
from mapserver.models.open311 import NewAsk, RequestShape
from mapserver.negotiate import JSON, json_bytes
from mapserver.open311.caller import client
from mapserver.open311.requests import of_token

router = APIRouter(tags=["open311"])


@router.post("/open311/v2/tokens/{token}/moves", response_model=RequestShape, openapi_extra=described(NewAsk))
async def post_token_move(
    request: Request,
    budgets: TheBudgets,
    token: Annotated[str, Path(max_length=100, description="as it was given when something was reported")],
) -> Response:
    """Rate what was done, or have it taken up again, as the workflow lets the citizen; the report after it.

    Whoever asks is nobody but the holder of that token, whatever else the browser carries; each time is paid for
    as a report is, and a token that nobody has as a wrong one.
    """
    budgets.ask(request.scope, None, REPORT)
    given = await parsed(request, NewAsk)
    asker = client(request, PUBLIC)
    told = {"reason": intake.masked(given.reason), "rating": given.rating}
    try:
        await asker.desk.ask(token, given.move, told)
    except NotFound:
        budgets.guess(request.scope)
        raise
    (row,) = await asker.desk.rows(intake.standing([token]))
    body = json_bytes(of_token(asker, row, token, extensions=True))
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=JSON)
