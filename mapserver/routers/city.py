"""The city and who is asking: what a screen reads first."""

from typing import Any

from fastapi import APIRouter, Request, Response

from layers.core.clock import Clock, ReplayClock
from mapserver.build import BUILD
from mapserver.deps import ACity, AClock, AnAudience, ASettings
from mapserver.models.shapes import CityShape
from mapserver.negotiate import JSON, json_bytes, respond

router = APIRouter(tags=["city"])

_TOLD = {
    "code", "name", "languages", "time_zone", "extent", "attribution", "notice", "synthetic", "zone_types",
}  # fmt: skip


def _replay(clock: Clock) -> dict[str, Any] | None:
    replay = clock.replay if isinstance(clock, ReplayClock) else None
    return None if replay is None else {"speed": replay.speed, "until": replay.until}


@router.get("/city", response_model=CityShape)
async def get_city(
    request: Request, city: ACity, audience: AnAudience, clock: AClock, settings: ASettings
) -> Response:
    """Names, levels, zone types and categories of the city, and the caller's audience."""
    body = {
        **city.model_dump(include=_TOLD),
        "levels": [level.model_dump(include={"code", "name"}) for level in city.levels],
        "categories": [
            category.model_dump(include={"code", "name", "weight", "sensitive"}) for category in city.categories
        ],
        "reports": settings.intake.public,
        "photo_days": city.report.photo_days if city.report.photos else None,
        "resource_kinds": [kind.model_dump(include={"code", "name", "colour"}) for kind in city.resource_kinds],
        "audience": {"role": audience.role.slug, "area": audience.area_id},
        "now": clock.now(),
        "replay": _replay(clock),
        "build": BUILD,
    }
    return respond(request, audience, json_bytes(body), JSON)
