"""Who asks over Open311: by a token of ours as its `api_key`, or in the ways that the rest of the map knows."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request

from layers.catalog.city import Category, City
from layers.core.audience import PUBLIC, Audience
from layers.core.errors import Forbidden
from mapserver.budget import REPORT
from mapserver.cases import CaseDesk, Loop
from mapserver.deps import AToken, TheBudgets, grant_of
from mapserver.links import Links, links_of
from mapserver.open311.words import language_of


@dataclass(frozen=True)
class Client:
    """One who asks: what that one may see, and in which language."""

    desk: CaseDesk
    city: City
    lang: str
    links: Links

    @property
    def audience(self) -> Audience:
        """Who it is."""
        return self.desk.audience

    @property
    def services(self) -> list[Category]:
        """Categories that are offered; sensitive ones are no matter of a web form, only for who sees them."""
        sensitive = self.audience.policy.sensitive_points
        return [category for category in self.city.categories if sensitive or not category.sensitive]


async def _reader(
    request: Request,
    token: AToken,
    budgets: TheBudgets,
    api_key: Annotated[str | None, Query(max_length=200, description="a token of ours")] = None,
    jurisdiction_id: Annotated[  # noqa: ARG001
        str | None, Query(max_length=200, description="not used: a server has one city")
    ] = None,
) -> Client:
    key = api_key or token
    audience = PUBLIC if key is None else (await grant_of(request, key)).audience
    budgets.ask(request.scope, key)
    return client(request, audience)


AReader = Annotated[Client, Depends(_reader)]


async def reporter(request: Request, api_key: str | None, budgets: TheBudgets) -> Client:
    """Who may report something: whoever may register cases, or anybody where that is open.

    A cookie does not count: a screen of the command room in the same browser is not who reports.

    Raises
    ------
    Unauthenticated : the key is a bad one.
    Forbidden : it is one that may not report, or there is none and the city takes no reports of the public.
    TooMany : the caller has spent its budget, of which a report without a key takes a hundred times a question's.
    """
    key = api_key or _bearer(request)
    if key is None:
        if not request.app.state.settings.intake.public:
            raise Forbidden("reports need an api_key: this city takes none of the public", needs="dispatcher")
        budgets.ask(request.scope, None, REPORT)
        return client(request, PUBLIC)
    audience = (await grant_of(request, key)).audience
    budgets.ask(request.scope, key)
    if not audience.policy.pushes or audience.area_id is not None:
        raise Forbidden("this api_key is for reading", needs="dispatcher")
    return client(request, audience)


def client(request: Request, audience: Audience) -> Client:
    """A client of that audience."""
    state = request.app.state
    desk = CaseDesk(state.db, state.clock, audience, cast("Loop", state.loop))
    return Client(desk, state.city, language_of(request, state.city.languages[0]), links_of(request))


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
