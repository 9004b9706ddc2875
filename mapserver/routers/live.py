"""`/live`: what just happened, to every screen that follows."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
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
    seen: Annotated[
        str | None,
        Query(alias="last_event_id", description="the same, for who cannot send the header", max_length=40),
    ] = None,
) -> Response:
    """Server-Sent Events.

    `hello` {now, replay, build, role} comes first, `beat` {now, replay} every 5 s; `replay` is the speed of a past
    that is shown as if it were now, else null. `layer` {layer, version} says that a layer changed,
    `heat` {version, at, cells} in which H3 cells counts have changed, null where it may be any, and `incident` is
    the GeoJSON feature of something that happened. `reset` {} says that more was missed than can be told: ask for
    everything again. With `Last-Event-ID`, or else `last_event_id`, what was missed comes first.
    """
    # A browser that comes back by itself asks for the address of before, and says in the header what it saw since.
    return EventStream(hub.follow(audience, token, seen if last_event_id is None else last_event_id))
