"""Heat for one caller: exact, or the published product for the public."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, cast

import numpy as np
import shapely
from fastapi import Depends, Request
from numpy.typing import NDArray

from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.clock import Clock
from layers.core.db import Database
from layers.core.errors import BadValue, Forbidden
from layers.core.span import Span
from layers.geo.bbox import Bbox
from layers.heat import exact, measure, public
from layers.heat.engine import Answer, Cells, Engine, by_cell, selected
from layers.heat.question import Mask, Question, check_layer, check_resolution
from layers.heat.smooth import smooth
from layers.heat.store.entries import Entries
from layers.heat.store.kernels import Values
from layers.heat.store.rollup import Rollups, touching
from layers.query import summary
from mapserver.deps import AnAudience
from mapserver.filters import Filters
from mapserver.scope import Scopes
from mapserver.window import Windows

MOST_STEPS = 1000
MOST_VALUES = 20_000_000
"""Steps times cells of frames; eight bytes each while they are worked out."""


@dataclass(frozen=True, eq=False)
class Heat:
    """Cells of one answer with their values, ascending by id unless only the top ones were asked for.

    version : greatest change of the incidents that it knows.  as_of : when that was, none where nobody says.
    city : what merged cells are drawn inside of; none where no cells are merged.
    """

    span: Span
    cell: NDArray[np.uint64]
    value: Values
    version: int
    as_of: datetime | None
    city: shapely.Geometry | None = None


@dataclass(frozen=True, eq=False)
class Frames:
    """Heat of the whole span, and of each of its equal steps in the order of the whole's cells."""

    whole: Heat
    steps: list[Values]


@dataclass(frozen=True)
class Asker:
    """Reads heat for one caller: exact, or the published product for the public."""

    db: Database
    city: City
    clock: Clock
    audience: Audience
    engine: Engine
    scopes: Scopes

    async def heat(
        self, layer: str, start: str | None, end: str | None, res: int, filters: Filters, bbox: Bbox | None
    ) -> Heat:
        """Heat of one layer; the public's has resolutions of its own and knows no filters.

        Raises
        ------
        UnknownLayer, UnknownArea, BadValue : as they say.
        Forbidden : a filter or a span that is not for the public.
        HeatNotReady : the stores are not built yet.
        """
        self._check(layer, res, filters)
        span = await Windows(self.db, self.city, self.clock, self.audience).resolve(start, end)
        if not self.audience.policy.incidents:
            return await self._published(layer, span, bbox)
        question = await self._question(layer, span, res, filters, bbox)
        known_at, other = filters.known_at(), filters.other_span(span)
        spans = [span] if other is None else [span, other]
        asked = [replace(question, span=each, bbox=None if filters.smooth else question.bbox) for each in spans]
        if known_at is not None:
            answers = [await self._as_of(each, known_at) for each in asked]
        elif filters.slow:
            answers = await asyncio.to_thread(self.engine.answers, asked)
        else:
            answers = self.engine.answers(asked)
        found = [(answer.cells.cell, answer.cells.value) for answer in answers]
        cell, value = found[0] if other is None else measure.difference(*found)
        if filters.smooth:
            cell, value = await asyncio.to_thread(_smoothed, cell, value, filters.smooth, question.bbox)
        if filters.per == "km2":
            value = await asyncio.to_thread(measure.per_km2, cell, value)
        elif filters.per == "households":
            homes = await self.scopes.homes(self.audience, self.clock.now(), self.city.base_resolution)
            cell, value = await asyncio.to_thread(homes.rate, cell, value)
        if filters.top is not None:
            cell, value = measure.top(cell, value, filters.top)
        state = answers[0].state
        return Heat(span, cell, value, state.seq, known_at or state.at)

    async def frames(
        self,
        layer: str,
        start: str | None,
        end: str | None,
        res: int,
        filters: Filters,
        bbox: Bbox | None,
        steps: int,
    ) -> Frames:
        """Heat of the span in equal steps. Raises as `heat` does.

        Raises
        ------
        BadValue : more steps than seconds, or a filter that makes something other of counts.
        Forbidden : the public, which gets one frame a month.
        """
        self._check(layer, res, filters)
        if not self.audience.policy.incidents:
            raise Forbidden("steps: the public's heat is of whole months", parameter="steps", needs="room")
        for name in ("against", "smooth", "per", "top", "as_of", "half_life"):
            if getattr(filters, name) != Filters.__dataclass_fields__[name].default:
                raise BadValue(f"{name}: frames are of counts only", parameter=name)
        span = await Windows(self.db, self.city, self.clock, self.audience).resolve(start, end)
        question = await self._question(layer, span, res, filters, bbox)
        if steps > span.length.total_seconds():
            raise BadValue(f"steps: {steps} is more than the span has seconds", parameter="steps")
        values = steps * self.engine.most_cells(question)
        if values > MOST_VALUES:
            raise BadValue(
                f"steps: {values:,} values, {MOST_VALUES:,} are answered: fewer steps", parameter="steps"
            )
        asked = [question, *(replace(question, span=each) for each in span.split(steps))]
        whole, *parts = await asyncio.to_thread(self.engine.answers, asked)
        cell = whole.cells.cell
        frames = [_in_order(part.cells, cell) for part in parts]
        return Frames(Heat(span, cell, whole.cells.value, whole.state.seq, whole.state.at), frames)

    async def totals(self, questions: Sequence[Question], area_id: int | None) -> list[int]:
        """Sums of whole answers, all of one moment, inside an area; the same as their cells' values add up to.

        Raises
        ------
        UnknownArea : there is none of that id, or none inside the caller's scope.
        HeatNotReady : the stores are not built yet.
        """
        mask = Mask(areas=await self.scopes.ids(self.audience, area_id))
        asked = [replace(question, mask=mask) for question in questions]
        return [int(answer.cells.value.sum()) for answer in await asyncio.to_thread(self.engine.answers, asked)]

    def _check(self, layer: str, res: int, filters: Filters) -> None:
        check_layer(layer, self.city)
        check_resolution(res, self.city)
        used = filters.narrows()
        if used and not self.audience.policy.incidents:
            raise Forbidden(f"{used}: the public's heat has no filters", parameter=used, needs="room")

    async def _question(self, layer: str, span: Span, res: int, filters: Filters, bbox: Bbox | None) -> Question:
        question = filters.question(layer, span, res, bbox, self.audience, self.city)
        areas = await self.scopes.ids(self.audience, filters.area)
        return replace(question, mask=replace(question.mask, areas=areas))

    async def _as_of(self, question: Question, known_at: datetime) -> Answer:
        """Answer by SQL from what was known then."""
        number = self.city.heat_layers.index(question.layer)
        statement = exact.sums(question, number - 1 if number else None, self.city.time_zone, known_at)
        rows = await self.db.rows(self.audience, statement)
        state = self.engine.state()
        return Answer(await asyncio.to_thread(_counted, rows, question), state)

    async def _published(self, layer: str, span: Span, bbox: Bbox | None) -> Heat:
        rows = await self.db.rows(self.audience, public.cells(layer, span.start, span.end, self.clock.now()))
        cell = np.array([row["cell"] for row in rows], dtype=np.uint64)
        value = np.array([row["value"] for row in rows], dtype=np.int64)
        if bbox is not None:
            touched = touching(cell, bbox)
            cell, value = cell[touched], value[touched]
        version = await self.db.value(self.audience, summary.layer_version(public.LAYER))
        city = await self.scopes.outline(self.audience, self.clock.now())
        return Heat(span, cell, value, version or 0, None, city)


def _counted(rows: list[dict[str, Any]], question: Question) -> Cells:
    """Sums by base cell and area, as SQL has them, as the question wants them."""
    dtype = np.int64 if question.half_life is None else np.float64
    cell = np.array([row["cell"] for row in rows], np.uint64)
    area = np.array([row["area"] for row in rows], np.int64)
    value = np.array([row["value"] for row in rows], dtype)
    sensitive = np.array([row["sensitive"] for row in rows], bool)
    entries = Entries.of(cell, area)
    place = entries.find(cell, area)
    plain, hidden = (cast("Values", np.zeros(len(entries), dtype)) for _ in range(2))
    np.add.at(plain, place[~sensitive], value[~sensitive])
    np.add.at(hidden, place[sensitive], value[sensitive])
    chosen = selected(Rollups(entries), question)
    return by_cell(chosen, plain, hidden if question.with_sensitive else None, question)


def _smoothed(
    cell: NDArray[np.uint64], value: Values, rings: int, bbox: Bbox | None
) -> tuple[NDArray[np.uint64], Values]:
    cell, wide = smooth(cell, value.astype(np.float64), rings)
    if bbox is None:
        return cell, wide
    touched = touching(cell, bbox)
    return cell[touched], wide[touched]


def _in_order(cells: Cells, order: NDArray[np.uint64]) -> Values:
    """Values of some of the cells of `order`, in that order; 0 for the others."""
    values = cast("Values", np.zeros(len(order), cells.value.dtype))
    values[np.searchsorted(order, cells.cell)] = cells.value
    return values


async def _asker(request: Request, audience: AnAudience) -> Asker:
    state = request.app.state
    return Asker(state.db, state.city, state.clock, audience, state.engine, state.scopes)


AnAsker = Annotated[Asker, Depends(_asker)]
