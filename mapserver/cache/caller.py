"""One request with the one who asks it, as the cache answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from layers.core.audience import Audience
from mapserver.budget import ASK, Budgets
from mapserver.cache.cache import Cache, Make, T


@dataclass(frozen=True)
class Caller:
    """Asks the cache, and pays for what has to be made anew."""

    request: Request
    audience: Audience
    token: str | None
    cache: Cache
    budgets: Budgets

    async def answer(self, subject: str, make: Make, *, form: str = "", cost: float = ASK) -> Response:
        """The answer to this request, kept or made by `make`. Raises as `Cache.answer` does.

        Parameters
        ----------
        subject : the layer that it tells of.
        form : whatever it depends on beside URL and audience, as where a header chose its format.
        cost : what is paid where it has to be made.

        Raises
        ------
        TooMany : it has to be made, and the caller has spent its budget.
        """
        pay = partial(self.budgets.ask, self.request.scope, self.token, cost)
        return await self.cache.answer(self.request, self.audience, subject, make, pay, form)

    async def fact(self, subject: str, what: str, find: Callable[[], Awaitable[T]]) -> T:
        """What `find` finds out of a layer for this audience, as `Cache.fact` keeps it."""
        return await self.cache.fact(self.audience, subject, what, find)

    def number(self, subject: str) -> int:
        """The number of the layer's version that those URLs name; 0 before its first load."""
        return self.cache.versions.line(subject).number

    def version(self, subject: str) -> str:
        """The `v` of this caller's URLs to what tells of that layer."""
        return self.cache.versions.tag(subject, self.audience)
