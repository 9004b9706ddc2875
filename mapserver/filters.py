"""What narrows heat, or makes something else of its counts, as a caller writes it."""

from dataclasses import dataclass, fields
from datetime import datetime
from inspect import signature
from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from layers.catalog.city import City
from layers.core.audience import Audience
from layers.core.errors import BadValue
from layers.core.span import Span, parse_instant
from layers.geo.bbox import Bbox
from layers.heat.hours import parse_hours, parse_weekdays
from layers.heat.question import (
    Mask,
    Question,
    Weight,
    check_categories,
    check_half_life,
    check_polygon,
    check_seconds,
    counts_sensitive,
)
from layers.query.summary import year_before

_TEXT = 8000


@dataclass(frozen=True)
class Filters:
    """Everything that only those who read exact heat may ask for; each has a default that changes nothing."""

    category: Annotated[str | None, Query(description="codes of categories, comma-separated", max_length=1000)] = (
        None
    )
    weight: Annotated[Weight, Query(description="count incidents, or sum their categories' severity")] = "count"
    patrol: Annotated[
        Literal["in", "out"], Query(description="incidents that patrols found themselves: left in, or out")
    ] = "in"
    hours: Annotated[
        str | None,
        Query(description="hours of the city's day: 7-9,22-2; 7-9 is from 7:00 to 9:00", max_length=100),
    ] = None
    weekdays: Annotated[str | None, Query(description="days of the week, 1 is Monday: 1-5,7", max_length=100)] = (
        None
    )
    half_life: Annotated[
        float | None, Query(description="days; an incident counts half for each of them before the end")
    ] = None
    area: Annotated[int | None, Query(description="id of an area; it and all below it", ge=1, le=2**63 - 1)] = None
    polygon: Annotated[
        str | None,
        Query(
            description="POLYGON or MULTIPOLYGON, WKT in lon-lat degrees, taken as base cells", max_length=_TEXT
        ),
    ] = None
    against: Annotated[
        str | None,
        Query(description="less the heat of `previous` period, of `year_before`, or of start/end", max_length=100),
    ] = None
    smooth: Annotated[int, Query(description="rings over which a cell's value is spread", ge=0, le=5)] = 0
    per: Annotated[
        Literal["cell", "km2", "households"],
        Query(description="per cell, per km2 of its own area, or per 1000 households where areas have them"),
    ] = "cell"
    top: Annotated[int | None, Query(description="only so many cells of the greatest value", ge=1, le=10_000)] = (
        None
    )
    as_of: Annotated[
        str | None, Query(description="RFC 3339; only what was known then, by SQL", max_length=40)
    ] = None

    def narrows(self) -> str | None:
        """The first that is in use; none if there is none."""
        return next((field.name for field in fields(self) if getattr(self, field.name) != field.default), None)

    @property
    def slow(self) -> bool:
        """Whether an answer reads the whole log, or works long on its cells."""
        return bool(self.hours or self.weekdays or self.half_life or self.smooth or self.polygon)

    @property
    def unit(self) -> str:
        """What a value is."""
        what = "incidents" if self.weight == "count" else "severity"
        return what + {"cell": "", "km2": "/km2", "households": "/1000 households"}[self.per]

    def question(
        self, layer: str, span: Span, res: int, bbox: Bbox | None, audience: Audience, city: City
    ) -> Question:
        """As the engine is asked; the mask has no areas yet.

        Raises
        ------
        BadValue : a filter that cannot be read.
        """
        return Question(
            layer=layer,
            span=span,
            res=res,
            weight=self.weight,
            categories=check_categories(self.category, city),
            patrol=self.patrol == "in",
            hours=None if self.hours is None else parse_hours(self.hours),
            weekdays=None if self.weekdays is None else parse_weekdays(self.weekdays),
            half_life=check_half_life(self.half_life),
            mask=Mask(polygon=check_polygon(self.polygon)),
            bbox=bbox,
            with_sensitive=counts_sensitive(res, audience),
        )

    def other_span(self, span: Span) -> Span | None:
        """The span whose heat is taken off.

        Raises
        ------
        BadValue : neither of the two words nor two instants.
        """
        if self.against is None:
            return None
        if self.against == "previous":
            return span.before()
        if self.against == "year_before":
            return year_before(span)
        start, slash, end = self.against.partition("/")
        if not slash:
            raise BadValue("against: is neither `previous`, `year_before` nor start/end", parameter="against")
        other = Span(parse_instant(start, "against"), parse_instant(end, "against"))
        if other.start >= other.end:
            raise BadValue("against: its start is not before its end", parameter="against")
        return check_seconds(other)

    def known_at(self) -> datetime | None:
        """The time whose knowledge counts. Raises BadValue where it cannot be read."""
        return None if self.as_of is None else parse_instant(self.as_of, "as_of")


async def _filters(**given: Any) -> Filters:
    return Filters(**given)


# FastAPI would call the class itself in another thread, which costs as much as an answer.
_filters.__signature__ = signature(Filters)  # type: ignore[attr-defined]

AFilters = Annotated[Filters, Depends(_filters)]
