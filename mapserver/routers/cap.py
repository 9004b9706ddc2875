"""Alerts for community offices: the feed, and each alert by the Common Alerting Protocol."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from layers.core.audience import Audience
from layers.core.errors import Forbidden, NotFound
from layers.push import cap
from layers.push.cap import ATOM_TYPE, CAP_TYPE, Crier
from layers.push.words import Language, Words
from mapserver.cases import ALoop
from mapserver.deps import ACity, AClock, AnAudience, Db, spend
from mapserver.links import ALinks
from mapserver.negotiate import respond

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])


async def _crier(city: ACity, loop: ALoop) -> Crier:
    return Crier(city, Words.of(city, loop.workflows))


ACrier = Annotated[Crier, Depends(_crier)]


def _reader(audience: Audience) -> None:
    if not audience.policy.incidents:
        raise Forbidden("alerts are of single events, which are not for the public", needs="room")


@router.get("/cap/feed", response_class=Response)
async def get_feed(  # noqa: PLR0913
    request: Request,
    db: Db,
    audience: AnAudience,
    city: ACity,
    clock: AClock,
    crier: ACrier,
    links: ALinks,
    lang: Annotated[Language | None, Query(description="of the titles; else the city's first")] = None,
) -> Response:
    """The alerts that are for the caller and have not expired, as an Atom feed, newest first."""
    _reader(audience)
    language: Language = lang or ("zh" if city.languages[0] == "zh" else "en")
    now = clock.now()
    rows = await db.rows(audience, cap.current(now))
    body = crier.feed(rows, links.href("/cap/feed"), language, now)
    return respond(request, audience, body, ATOM_TYPE)


@router.get("/cap/{alert_id}.xml", response_class=Response)
async def get_alert(
    request: Request,
    db: Db,
    audience: AnAudience,
    crier: ACrier,
    alert_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="number of an alert")],
) -> Response:
    """One alert, as OASIS CAP 1.2 has it."""
    _reader(audience)
    row = await db.row(audience, cap.one(alert_id))
    if row is None:
        raise NotFound(f"there is no alert {alert_id}", alert=alert_id)
    return respond(request, audience, crier.alert(row), CAP_TYPE)
