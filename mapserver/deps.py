"""What an endpoint may ask for: the database, the city, the clock, and who is asking."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_dependant, get_flat_params
from fastapi.params import Query

from layers.catalog.city import City
from layers.core.audience import PUBLIC, Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import BadValue, Forbidden, Unauthenticated
from layers.core.settings import Settings
from mapserver.auth import cookie
from mapserver.auth.keys import Grant, Keys
from mapserver.budget import Budgets
from mapserver.cache.cache import Cache
from mapserver.cache.caller import Caller
from mapserver.live import Hub
from mapserver.metrics import Metrics
from mapserver.screens import Screens

_SAFE = frozenset({"GET", "HEAD"})


async def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


async def _city(request: Request) -> City:
    return cast("City", request.app.state.city)


async def _db(request: Request) -> Database:
    return cast("Database", request.app.state.db)


async def _clock(request: Request) -> Clock:
    return cast("Clock", request.app.state.clock)


async def _keys(request: Request) -> Keys:
    return cast("Keys", request.app.state.keys)


async def _budgets(request: Request) -> Budgets:
    return cast("Budgets", request.app.state.budgets)


async def _answers(request: Request) -> Cache:
    return cast("Cache", request.app.state.cache)


async def _hub(request: Request) -> Hub:
    return cast("Hub", request.app.state.hub)


async def _screens(request: Request) -> Screens:
    return cast("Screens", request.app.state.screens)


async def _metrics(request: Request) -> Metrics:
    return cast("Metrics", request.app.state.metrics)


async def token_of(request: Request) -> str | None:
    """The token that a request carries. Raises as `token_in` does."""
    return token_in(request)


def token_in(request: Request) -> str | None:
    """The token of a request, from its Authorization header or else from its cookie; none: nobody's.

    Raises
    ------
    Unauthenticated : an Authorization header that is no bearer token; it must not pass as nobody's.
    """
    header = request.headers.get("authorization")
    if header is None:
        return request.cookies.get(cookie.NAME)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("the Authorization header is not 'Bearer' and a token")
    return token.strip()


async def grant_of(request: Request, token: str) -> Grant:
    """What a token gives; who tries many that give nothing is told to wait, while good ones go on to be taken.

    Raises
    ------
    Unauthenticated : the token is unknown, expired or revoked.
    TooMany : that, and so were many before it from the same address.
    Unavailable : the database does not answer.
    """
    keys = await _keys(request)
    try:
        return await keys.grant(token)
    except Unauthenticated:
        (await _budgets(request)).guess(request.scope)
        raise


async def audience_of(request: Request) -> Audience:
    """Who is asking. Without a token: the public; with a bad one: nobody. Raises as `grant_of` does."""
    token = await token_of(request)
    return PUBLIC if token is None else (await grant_of(request, token)).audience


async def pusher(request: Request) -> Audience:
    """Who is asking, where that one may push rows in.

    Raises
    ------
    Unauthenticated : there is no token, or a bad one.
    Forbidden : the token is of a lower role, or confined to an area.
    """
    if await token_of(request) is None:
        raise Unauthenticated("a token is needed")
    audience = await audience_of(request)
    if not audience.policy.pushes or audience.area_id is not None:
        raise Forbidden("this is for dispatchers and administrators of the whole city", needs="dispatcher")
    return audience


async def same_origin(request: Request) -> None:
    """Refuse what another site's page has a browser send with our cookie; a token in a header is no browser's.

    Raises
    ------
    Forbidden : it would change something, and comes from elsewhere.
    """
    origin = request.headers.get("origin")
    if request.method in _SAFE or origin is None or not cookie.decides(request):
        return
    settings = await _settings(request)
    own = urlsplit(settings.server.public_url or str(request.base_url))
    if origin.lower() != f"{own.scheme}://{own.netloc}".lower():
        raise Forbidden("a page of another site may not ask for this with a cookie of ours", origin=origin[:200])


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not declare, or that is there twice.

    Raises
    ------
    BadValue : names the parameter.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    route = request.scope["route"]
    known = _declared(route.path, route.endpoint, *(each.dependency for each in route.dependencies))
    for name in given:
        if name not in known:
            raise BadValue(f"unknown parameter '{name[:40]}'", parameter=name[:40], known=sorted(known))
        if given.count(name) > 1:
            raise BadValue(f"parameter '{name}' is given {given.count(name)} times", parameter=name)


@cache
def _declared(path: str, *calls: Callable[..., Any]) -> frozenset[str]:
    """Query parameters of what a route calls; the framework would work them out anew for each request."""
    fields = [field for call in calls for field in get_flat_params(get_dependant(path=path, call=call))]
    return frozenset(field.alias for field in fields if isinstance(field.field_info, Query))


ASettings = Annotated[Settings, Depends(_settings)]
ACity = Annotated[City, Depends(_city)]
Db = Annotated[Database, Depends(_db)]
AClock = Annotated[Clock, Depends(_clock)]
TheHub = Annotated[Hub, Depends(_hub)]
TheScreens = Annotated[Screens, Depends(_screens)]
TheMetrics = Annotated[Metrics, Depends(_metrics)]
AToken = Annotated[str | None, Depends(token_of)]
Pusher = Annotated[Audience, Depends(pusher)]
AnAudience = Annotated[Audience, Depends(audience_of)]
TheCache = Annotated[Cache, Depends(_answers)]
TheBudgets = Annotated[Budgets, Depends(_budgets)]


async def spend(request: Request, token: AToken, budgets: TheBudgets, audience: AnAudience) -> None:  # noqa: ARG001
    """Pay for an answer that has to be worked out, once the audience says that the token is good.

    Raises
    ------
    TooMany : the caller has spent its budget.
    """
    budgets.ask(request.scope, token)


async def _caller(
    request: Request, audience: AnAudience, token: AToken, answers: TheCache, budgets: TheBudgets
) -> Caller:
    return Caller(request, audience, token, answers, budgets)


ACaller = Annotated[Caller, Depends(_caller)]
