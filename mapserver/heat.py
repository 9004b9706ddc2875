"""Heat for one caller: exact, or the published product for the public."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import shapely
from fastapi import Depends, Query
from numpy.typing import NDArray

from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import Forbidden
from layers.core.span import Span
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat import exact, public
from layers.heat.question import Question, Weight, check_categories, check_resolution, counts_sensitive, zone_bit
from mapserver.deps import ACity, AClock, AnAudience, Db
from mapserver.scope import area_in_scope, hides_sensitive
from mapserver.window import Windows


@dataclass(frozen=True)
class Filters:
    """What narrows heat, as asked."""

    category: Annotated[str | None, Query(description="codes of categories, comma-separated", max_length=1000)] = (
        None
    )
    weight: Annotated[Weight, Query(description="count incidents, or sum their severity")] = "count"
    area: Annotated[int | None, Query(description="id of an area; it and all below it", ge=1, le=2**63 - 1)] = None

    def narrows(self) -> str | None:
        """The first filter in use, none if there is none."""
        given = {"category": self.category, "area": self.area}
        used = [name for name, value in given.items() if value is not None]
        return "weight" if self.weight != "count" else used[0] if used else None


AFilters = Annotated[Filters, Depends(Filters)]


@dataclass(frozen=True)
class Heat:
    """Cells of one answer, sorted by id, with their values."""

    span: Span
    cell: NDArray[np.uint64]
    value: NDArray[np.int64]


@dataclass(frozen=True)
class Asker:
    """Reads heat for one caller: exact, or the published product for the public."""

    db: Database
    city: City
    clock: Clock
    audience: Audience

    async def heat(
        self, layer: str, start: str | None, end: str | None, res: int, filters: Filters, bbox: Bbox | None
    ) -> Heat:
        """Heat of one layer; the public's has resolutions of its own and knows no filters.

        Raises
        ------
        UnknownLayer, BadValue : as they say.
        Forbidden : a filter or a span that is not for the public.
        """
        bit = zone_bit(layer, self.city)
        check_resolution(res, self.city)
        categories = check_categories(filters.category, self.city)
        used = filters.narrows()
        exact_heat = self.audience.policy.incidents
        if used and not exact_heat:
            raise Forbidden(f"{used}: the public's heat has no filters", parameter=used, needs="room")
        windows = Windows(self.db, self.city, self.clock, self.audience)
        span = await windows.resolve(start, end)
        if exact_heat:
            with_sensitive = counts_sensitive(res, self.audience)
            wanted = filters.area if filters.area is not None else self.audience.area_id
            if wanted is not None:
                # Cells cut to a small area would be finer than the cells themselves.
                about = await area_in_scope(self.db, self.audience, wanted)
                with_sensitive &= not hides_sensitive(self.city, self.audience, about["size_m2"])
            question = Question(
                layer=layer,
                zone_bit=bit,
                span=span,
                res=res,
                weight=filters.weight,
                categories=categories,
                bbox=bbox.clip(self.city.bbox) if bbox else None,
                area_id=filters.area,
                with_sensitive=with_sensitive,
            )
            nowhere = bbox is not None and question.bbox is None
            rows = [] if nowhere else await self.db.rows(self.audience, exact.cells(question))
        else:
            rows = await self.db.rows(self.audience, public.cells(layer, span.start, span.end, self.clock.now()))
        cell = np.array([row["cell"] for row in rows], dtype=np.uint64)
        value = np.array([row["value"] for row in rows], dtype=np.int64)
        if bbox is not None and not exact_heat:
            boxes = shapely.union_all([shapely.box(*part) for part in bbox.parts()])
            touched = shapely.intersects(hexgrid.outline(cell), boxes)
            cell, value = cell[touched], value[touched]
        return Heat(span, cell, value)


def _asker(db: Db, city: ACity, clock: AClock, audience: AnAudience) -> Asker:
    return Asker(db, city, clock, audience)


AnAsker = Annotated[Asker, Depends(_asker)]
