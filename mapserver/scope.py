"""Areas as the caller may name them."""

from typing import Any

from layers.core.audience import Audience
from layers.core.db import Database
from layers.core.errors import UnknownArea
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
