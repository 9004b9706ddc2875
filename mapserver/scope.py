"""Areas as the caller may name them."""

from typing import Any

import numpy as np

from layers.catalog.city import City
from layers.core.audience import SENSITIVE_RES, Audience
from layers.core.db import Database
from layers.core.errors import UnknownArea
from layers.geo import hexgrid
from layers.query import area


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


def hides_sensitive(city: City, audience: Audience, size_m2: float) -> bool:
    """Whether an area of `size_m2` is smaller than the cell that sensitive categories need to hide in."""
    west, south, east, north = city.extent
    middle = hexgrid.at((west + east) / 2, (south + north) / 2, SENSITIVE_RES)
    smallest_m2 = float(hexgrid.area_m2(np.array([middle], dtype=np.uint64))[0])
    return not audience.policy.sensitive_points and size_m2 < smallest_m2
