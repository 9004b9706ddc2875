"""The resources near a place: the one way to ask for them, whatever their distance is measured by."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import BadValue
from layers.query import resources
from mapserver.deps import ACity, AClock, AnAudience, Db

USUAL = 5
MOST = 50


@dataclass(frozen=True)
class Nearby:
    """Looks for resources on behalf of one caller."""

    db: Database
    city: City
    clock: Clock
    audience: Audience

    async def nearest(self, lon: float, lat: float, kind: str | None = None, most: int = USUAL) -> dict[str, Any]:
        """The `most` resources that are nearest, all of them or those of one kind, as NearestShape has them.

        Raises
        ------
        BadValue : the city has no such kind; names those it has.
        """
        known = [each.code for each in self.city.resource_kinds]
        if kind is not None and kind not in known:
            raise BadValue(f"kind: '{kind[:40]}' is none of {', '.join(known)}", parameter="kind")
        found = resources.nearest(lon, lat, self.clock.now(), self.audience, min(most, MOST), kind)
        return {"by": "line", "resources": await self.db.rows(self.audience, found)}


async def _nearby(db: Db, city: ACity, clock: AClock, audience: AnAudience) -> Nearby:
    return Nearby(db, city, clock, audience)


ANearby = Annotated[Nearby, Depends(_nearby)]
