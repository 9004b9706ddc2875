"""Open311 GeoReport v2 over the cases of the closed loop.

Who reads cases reads them here, each as far as it may; whoever reports without a key gets a token, and with it how
that one report stands. The public reads no list: single reports are not for it.

Source: https://wiki.open311.org/GeoReport_v2/ and its page of extensions.
"""

from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from layers.cases import intake, photos, requests
from layers.cases.requests import Between, Wanted
from layers.core.errors import BadValue, Forbidden, NotFound
from layers.core.span import parse_instant
from mapserver.budget import REPORT
from mapserver.deps import ACity, ASettings, TheBudgets
from mapserver.errors import RESPONSES
from mapserver.links import ALinks
from mapserver.models.open311 import ErrorsShape
from mapserver.negotiate import respond
from mapserver.open311 import service
from mapserver.open311.caller import AReader, Client, reporter
from mapserver.open311.form import FIELDS, FORM, Posted, uploads
from mapserver.open311.requests import of_case, of_token
from mapserver.open311.route import Open311Route
from mapserver.open311.upload import MULTIPART, developed
from mapserver.open311.wire import MEDIA, Form, written
from mapserver.open311.words import notice

_ROOT = "/open311/v2"
_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_CHANGESET = datetime(2026, 11, 24, tzinfo=UTC)  # when what is served here changed last
_WORKFLOW = "closed_loop"
_DIGITS = 18
_MOST_PAGE = 1_000_000
_ERRORS: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": ErrorsShape,
        "description": "codes and descriptions; of what is refused before it gets here, a problem document",
        "content": {"text/xml": {"schema": {"type": "string"}}, **RESPONSES["default"]["content"]},
    }
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["service_code", "lat", "long"],
    "properties": {name: {"type": "string"} for name in ("api_key", *FIELDS)},
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "fields for persons, addresses and addresses of pictures are taken and dropped; "
        "attribute[CODE] answers the service's questions; media is a photo, where the city takes them",
        "content": {
            FORM: {"schema": _SCHEMA},
            MULTIPART: {
                "schema": _SCHEMA
                | {"properties": _SCHEMA["properties"] | {"media": {"type": "string", "format": "binary"}}}
            },
        },
    }
}

router = APIRouter(tags=["open311"], route_class=Open311Route)

AForm = Annotated[Form, Path(alias="form", description="xml or json")]
Text = Annotated[str | None, Query(max_length=4000)]
Instant = Annotated[str | None, Query(max_length=40, description="RFC 3339, included")]
Extensions = Annotated[bool, Query(description="with the history, as notes")]


def _answer(request: Request, client: Client, form: Form, root: str, value: object) -> Response:
    answer = respond(request, client.audience, written(form, root, value), MEDIA[form])
    answer.headers["Vary"] += ", Accept-Language"
    return answer


@router.get("/open311/discovery.{form}", responses=_ERRORS)
async def get_discovery(
    request: Request, form: AForm, client: AReader, links: ALinks, settings: ASettings
) -> Response:
    """Where Open311 is served, in which versions and formats."""
    keys = "reports need no api_key" if settings.intake.public else "reports need an api_key"
    body = {
        "changeset": _CHANGESET,
        "contact": settings.intake.contact,
        "key_service": f"{keys}; one is a token, as `onemap token create` prints it",
        "endpoints": [
            {
                "specification": _SPECIFICATION,
                "url": links.href(_ROOT),
                "changeset": _CHANGESET,
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }
    return _answer(request, client, form, "discovery", body)


@router.get(_ROOT + "/services.{form}", responses=_ERRORS)
async def get_services(request: Request, form: AForm, client: AReader) -> Response:
    """What can be reported: the city's categories, in the language of the caller."""
    body = [service.service(category, client.lang) for category in client.services]
    return _answer(request, client, form, "services", body)


@router.get(_ROOT + "/services/{service_code}.{form}", responses=_ERRORS)
async def get_definition(
    request: Request,
    form: AForm,
    client: AReader,
    service_code: Annotated[str, Path(description="code of a service")],
) -> Response:
    """What is asked of whoever reports something of a service."""
    found = next((category for category in client.services if category.code == service_code), None)
    if found is None:
        raise NotFound(f"there is no service '{service_code[:40]}'")
    return _answer(request, client, form, "service_definition", service.definition(found, client.lang))


@router.post(_ROOT + "/requests.{form}", status_code=201, openapi_extra=_BODY, responses=_ERRORS)
async def post_request(request: Request, form: AForm, budgets: TheBudgets, city: ACity) -> Response:
    """Report something: with a key that registers cases, or without one where the city is open to all.

    A form that may hold a photo is paid for before it is read.
    """
    taken = city.report
    if uploads(request):
        if not taken.photos:
            raise BadValue(f"media: this city takes no photos; send the form as {FORM}", parameter="media")
        budgets.ask(request.scope, None, REPORT)
    posted = await Posted.of(request)
    client = await reporter(request, posted.fields.get("api_key"), budgets)
    category = posted.service(client.services)
    answers = posted.answers_to(category.questions)
    token = intake.new_token()
    report = intake.reported(
        client.city,
        category.code,
        posted.place(),
        client.desk.clock.now(),
        source=intake.SOURCE,
        source_key=intake.key_of(token),
        workflow=_WORKFLOW,
        origin="citizen",
        text=posted.description(),
    )
    keep = None
    if posted.media is not None:
        jpeg = await developed(posted.media)
        keep = photos.keep(report.source_key, jpeg, report.reported_at, taken.photos_per_hour)
    case_id, kept = await client.desk.file(report, answers, keep)
    reads = client.audience.policy.incidents
    linked = bool(posted.fields.get("media_url"))
    told = notice(client.lang, token=not reads, linked=linked, unkept=keep is not None and not kept)
    known = {"service_request_id": str(case_id)} if reads else {"token": token}
    body = [{**known, "service_notice": told, "account_id": None}]
    headers = {"Cache-Control": "no-store"}
    return Response(written(form, "service_requests", body), 201, headers, MEDIA[form])


@router.get(_ROOT + "/tokens/{token}.{form}", responses=_ERRORS)
async def get_token(
    request: Request,
    form: AForm,
    client: AReader,
    token: Annotated[str, Path(description="as it was given when something was reported")],
) -> Response:
    """Under which id to ask for a report: its number for those who read true places, else the token itself."""
    rows = await client.desk.rows(intake.standing([token]))
    if not rows:
        raise NotFound("there is no report of that token")
    reads = client.audience.policy.exact_points and client.audience.area_id is None
    number = str(rows[0]["case_id"]) if reads else token
    body = [{"service_request_id": number, "token": token}]
    return _answer(request, client, form, "service_requests", body)


@router.get(_ROOT + "/requests.{form}", responses=_ERRORS)
async def get_requests(  # noqa: PLR0913
    request: Request,
    form: AForm,
    client: AReader,
    service_request_id: Text = None,
    service_code: Text = None,
    status: Text = None,
    start_date: Instant = None,
    end_date: Instant = None,
    updated_after: Instant = None,
    updated_before: Instant = None,
    page: Annotated[int, Query(ge=1, le=_MOST_PAGE)] = 1,
    page_size: Annotated[int, Query(ge=1, description="more than 1000 is taken as 1000")] = requests.MOST,
    extensions: Extensions = False,  # noqa: FBT002
) -> Response:
    """Reports of at most 90 days, the latest first; without a key only those whose tokens are named as ids."""
    if service_request_id is not None:
        found = await _named(client, _listed(service_request_id), extensions=extensions)
        return _answer(request, client, form, "service_requests", found)
    policy = client.audience.policy
    if not policy.incidents:
        raise Forbidden("single reports are not public: name the tokens of your own as service_request_id")
    at = {
        name: None if text is None else parse_instant(text, name)
        for name, text in (
            ("start_date", start_date),
            ("end_date", end_date),
            ("updated_after", updated_after),
            ("updated_before", updated_before),
        )
    }
    by_update, now = bool(updated_after or updated_before), client.desk.clock.now()
    by_report = bool(start_date or end_date) or not by_update
    wanted = Wanted(
        categories=None if service_code is None else _listed(service_code),
        is_open=None if status is None else _status(_listed(status)),
        reported=Between.capped(at["start_date"], at["end_date"], now, "start_date") if by_report else None,
        updated=Between.capped(at["updated_after"], at["updated_before"], now, "updated_after")
        if by_update
        else None,
        with_texts=policy.exact_points,
        with_sensitive=policy.sensitive_points,
    )
    size = min(page_size, requests.MOST)
    rows = await client.desk.rows(requests.page(wanted, size, (page - 1) * size))
    body = await _shown(client, rows, extensions=extensions)
    return _answer(request, client, form, "service_requests", body)


@router.get(_ROOT + "/requests/{service_request_id}.{form}", responses=_ERRORS)
async def get_request(
    request: Request,
    form: AForm,
    client: AReader,
    service_request_id: Annotated[str, Path(description="a number, or the token of a report")],
    extensions: Extensions = False,  # noqa: FBT002
) -> Response:
    """One report, in a list."""
    found = await _named(client, [service_request_id], extensions=extensions)
    if not found:
        raise NotFound(f"there is no request '{service_request_id[:40]}'")
    return _answer(request, client, form, "service_requests", found)


async def _named(client: Client, ids: list[str], *, extensions: bool) -> list[dict[str, Any]]:
    """Those of the ids that are there for the caller: numbers for who reads cases, tokens for who holds them."""
    policy = client.audience.policy
    numbers = [int(each) for each in ids if each.isascii() and each.isdigit() and len(each) <= _DIGITS]
    found = []
    if numbers and policy.incidents:
        wanted = Wanted(numbers, with_texts=policy.exact_points, with_sensitive=policy.sensitive_points)
        rows = await client.desk.rows(requests.page(wanted, requests.MOST))
        found += await _shown(client, rows, extensions=extensions)
    tokens = {intake.key_of(each): each for each in ids}
    for row in await client.desk.rows(intake.standing(list(tokens.values()))):
        found.append(of_token(client, row, tokens[row["source_key"]], extensions=extensions))
    return found


async def _shown(client: Client, rows: list[dict[str, Any]], *, extensions: bool) -> list[dict[str, Any]]:
    if not extensions:
        return [of_case(client, row, None) for row in rows]
    ids = [row["case_id"] for row in rows]
    steps = await client.desk.rows(requests.steps(ids)) if client.audience.policy.exact_points else []
    by_case = {case_id: list(own) for case_id, own in groupby(steps, lambda step: step["case_id"])}
    return [of_case(client, row, by_case.get(row["case_id"], [])) for row in rows]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _status(given: list[str]) -> bool | None:
    """Whether open ones are asked for; none for both."""
    if not given or not set(given) <= {"open", "closed"}:
        raise BadValue("status: open, closed, or both with a comma", parameter="status")
    return None if len(set(given)) > 1 else given[0] == "open"
