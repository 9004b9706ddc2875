"""`/live`: what just happened, to every screen that follows."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from mapserver.deps import AnAudience, AToken, TheHub
from mapserver.stream import EventStream

router = APIRouter(tags=["live"])


@router.get("/live", status_code=200, response_class=EventStream)
async def get_live(
    audience: AnAudience,
    token: AToken,
    hub: TheHub,
    last_event_id: Annotated[str | None, Header(description="id of the last event that was seen")] = None,
) -> Response:
    """Server-Sent Events.

    `hello` {now, build, role} comes first, `beat` {now} every 5 s. `layer` {layer, version} says that a layer
    changed, `incident` {id, category, occurred_at, lon, lat, area} that something happened, and `reset` {} that
    more was missed than can be told: ask for everything again. With `Last-Event-ID` what was missed comes first.
    """
    return EventStream(hub.follow(audience, token, last_event_id))
