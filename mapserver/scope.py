"""Areas as the caller may name them."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from layers.catalog.city import City
from layers.core.audience import SENSITIVE_RES, Audience
from layers.core.db import Database
from layers.core.errors import BadValue, UnknownArea
from layers.geo import hexgrid
from layers.heat import ground
from layers.heat.homes import Homes
from layers.query import area

FRESH_S = 5.0
"""A change of the city's tree is known within this time."""

HOMES_FRESH_S = 60.0
"""A change of its households within this."""

_KEPT = 256


async def area_in_scope(db: Database, audience: Audience, area_id: int) -> dict[str, Any]:
    """The area of that id: id, code, level, name_zh, name_en, size_m2.

    Raises
    ------
    UnknownArea : there is none, or none inside the caller's scope.
    """
    found = await db.row(audience, area.by_id(area_id, audience.area_id))
    if found is None:
        raise UnknownArea(f"there is no area {area_id}", area=area_id)
    return found


@dataclass
class Scopes:
    """The ids below an area, the city's outline and its households, kept a while, as heat asks all the time."""

    db: Database
    _asked: dict[tuple[Audience, int], tuple[float, frozenset[int]]] = field(default_factory=dict)
    _outline: tuple[float, shapely.Geometry | None] | None = None
    _homes: tuple[float, Homes] | None = None

    async def ids(self, audience: Audience, area_id: int | None) -> frozenset[int] | None:
        """Ids of the area and of all that ever stood below it; without an area the caller's own scope, none: all.

        Raises
        ------
        UnknownArea : there is none of that id, or none inside the caller's scope.
        """
        wanted = audience.area_id if area_id is None else area_id
        if wanted is None:
            return None
        key, now = (audience, wanted), time.monotonic()
        kept = self._asked.get(key)
        if kept is not None and kept[0] + FRESH_S > now:
            return kept[1]
        await area_in_scope(self.db, audience, wanted)
        found = frozenset(row["area_id"] for row in await self.db.rows(audience, area.ids_below(wanted)))
        if len(self._asked) >= _KEPT:
            self._asked.clear()
        self._asked[key] = (now, found)
        return found

    async def outline(self, audience: Audience, at: datetime) -> shapely.Geometry | None:
        """The city's outline at a time that is now; none in an empty city."""
        now = time.monotonic()
        if self._outline is None or self._outline[0] + FRESH_S <= now:
            shape = await self.db.value(audience, ground.outline(at))
            self._outline = (now, None if shape is None else shapely.from_wkb(shape))
        return self._outline[1]

    async def homes(self, audience: Audience, at: datetime, res: int) -> Homes:
        """Where the city's households are at a time that is now, by base cells of `res`.

        Raises
        ------
        BadValue : no area says how many it has.
        """
        now = time.monotonic()
        if self._homes is None or self._homes[0] + HOMES_FRESH_S <= now:
            rows = await self.db.rows(audience, area.households(at))
            areas = [(row["shape"], row["households"]) for row in rows]
            self._homes = (now, await asyncio.to_thread(Homes.of, areas, res))
        homes = self._homes[1]
        if len(homes.cell) == 0:
            raise BadValue("per: no area of this city says how many households it has", parameter="per")
        return homes


def hides_sensitive(city: City, audience: Audience, size_m2: float) -> bool:
    """Whether an area of `size_m2` is smaller than the cell that sensitive categories need to hide in."""
    west, south, east, north = city.extent
    middle = hexgrid.at((west + east) / 2, (south + north) / 2, SENSITIVE_RES)
    smallest_m2 = float(hexgrid.area_m2(np.array([middle], dtype=np.uint64))[0])
    return not audience.policy.sensitive_points and size_m2 < smallest_m2


def level_rank(city: City, level: str | None) -> int:
    """The rank of the level of that code; of the one below the top, if none is given.

    Raises
    ------
    BadValue : there is no such level; names those that there are.
    """
    codes = [each.code for each in city.levels]
    if level is None:
        return min(1, len(codes) - 1)
    if level not in codes:
        raise BadValue(f"level: '{level}' is none of {', '.join(codes)}", parameter="level", known=codes)
    return codes.index(level)
