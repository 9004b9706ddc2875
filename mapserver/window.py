"""Which span of time a question means, and whether its audience may ask for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from layers.catalog.city import City
from layers.catalog.incidents import INCIDENTS
from layers.core.audience import Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import BadValue, Forbidden, NotFound
from layers.core.span import Span
from layers.heat import public
from layers.heat.question import check_seconds
from layers.query import features
from layers.query.selection import Selection

DEFAULT_LENGTH = timedelta(days=90)


@dataclass(frozen=True)
class Windows:
    """Resolves `from` and `to` for one audience."""

    db: Database
    city: City
    clock: Clock
    audience: Audience

    async def covered(self) -> Span | None:
        """All the time that this audience's incidents cover; none while there are none."""
        if self.audience.policy.incidents:
            selection = Selection(INCIDENTS, self.audience, self.clock.now())
            found = await self.db.row(self.audience, features.extent(selection))
            if found is None or found["first"] is None:
                return None
            return Span(found["first"], self._midnight_after(found["last"]))
        found = await self.db.row(self.audience, public.bins(self.clock.now()))
        return Span(found["start"], found["end"]) if found and found["start"] else None

    async def newest_bin(self) -> Span | None:
        """The newest published bin; none before the first."""
        found = await self.db.row(self.audience, public.newest_bin(self.clock.now()))
        return Span(found["start"], found["end"]) if found else None

    async def default(self) -> Span | None:
        """The span that is meant when none is given: the newest 90 days, for the public the newest bin."""
        if not self.audience.policy.incidents:
            return await self.newest_bin()
        covered = await self.covered()
        return Span(covered.end - DEFAULT_LENGTH, covered.end) if covered else None

    async def resolve(self, start: str | None, end: str | None) -> Span:
        """Read `from` and `to`, both or neither.

        Raises
        ------
        BadValue : only one of them, unreadable, or not of whole seconds.
        Forbidden : the public asked for something other than a published bin.
        NotFound : none given, and there is nothing to default to.
        """
        if (start is None) != (end is None):
            missing = "from" if start is None else "to"
            raise BadValue(f"{missing}: from and to belong together", parameter=missing)
        if start is None or end is None:
            span = await self.default()
            if span is None:
                raise NotFound("there are no incidents yet")
            return span
        span = check_seconds(Span.parse(start, end))
        if not self.audience.policy.incidents:
            totals = await self.db.rows(self.audience, public.totals(span.start, span.end, self.clock.now()))
            if not totals:
                raise Forbidden("the public reads whole published months only", parameter="from", needs="room")
        return span

    def _midnight_after(self, at: datetime) -> datetime:
        local = at.astimezone(self.city.zone)
        return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), self.city.zone)
