"""Which rows of a layer a question is about: by time, by place, and by what its audience may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, all_, and_, bindparam, func, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import DateTime, NullType, Text

from layers.catalog.layer import Layer
from layers.core.audience import Audience
from layers.core.statement import Statement
from layers.geo.bbox import Bbox
from layers.geo.crs import Frame
from layers.query.interval import Interval
from layers.query.likely import likely
from layers.schema.tables import category

_INSTANT = DateTime(timezone=True)


@dataclass(frozen=True)
class Selection:
    """A layer, an audience and the filters on it; `at` is the time that counts as now."""

    layer: Layer
    audience: Audience
    at: datetime
    interval: Interval | None = None
    bbox: Bbox | Frame | None = None
    filters: tuple[ColumnElement[bool], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out but what its audience may not see."""
        return self.interval is None and self.bbox is None and not self.filters

    def where(self) -> list[ColumnElement[bool]]:
        """All conditions, each with its values bound; the ends of the time are `start` and `end`."""
        return [*self._time(), *self._place(), *self.filters, *self._privacy()]

    def _time(self) -> list[ColumnElement[bool]]:
        layer, interval = self.layer, self.interval
        if layer.valid is not None:
            asked = interval or Interval(self.at, self.at)
            span = func.tstzrange(
                bindparam("start", asked.start, _INSTANT),
                bindparam("end", asked.end, _INSTANT),
                "[]",
                type_=TSTZRANGE,
            )
            return [layer.valid.op("&&")(span)]
        if interval is None or layer.moment is None:
            return []
        ends = (("start", interval.start, layer.moment.__ge__), ("end", interval.end, layer.moment.__le__))
        return [compare(bindparam(name, end, _INSTANT)) for name, end, compare in ends if end is not None]

    def _place(self) -> list[ColumnElement[bool]]:
        if self.bbox is None:
            return []
        geometry = self.geometry()
        if isinstance(self.bbox, Frame):
            around = or_(*(geometry.op("&&")(box) for box in _boxes(self.bbox.around)))
            plane = func.ST_Transform(geometry, self.bbox.crs.srid, type_=NullType())
            return [around, func.ST_Intersects(plane, _envelope(self.bbox.sides, self.bbox.crs.srid))]
        boxes = _boxes(self.bbox)
        # `&&` finds by bounding box with the index, ST_Intersects then says the truth.
        return [or_(*(and_(geometry.op("&&")(box), func.ST_Intersects(geometry, box)) for box in boxes))]

    def _privacy(self) -> list[ColumnElement[bool]]:
        column = self.layer.hides_sensitive
        if column is None or self.audience.policy.sensitive_points:
            return []
        # As an array it is read once, and costs a row next to nothing.
        sensitive = select(category.c.code).where(category.c.sensitive).scalar_subquery()
        return [likely(column != all_(func.array(sensitive, type_=ARRAY(Text))))]

    def statement(self, clause: ClauseElement) -> Statement:
        """A question about it as a value, in which now is `at`."""
        return Statement.of(clause, now=self.at)

    def geometry(self) -> ColumnElement[object]:
        """The geometry that the audience sees."""
        return type_coerce(self.layer.geometry_for(self.audience), NullType())


def _boxes(bbox: Bbox) -> list[ColumnElement[Any]]:
    return [_envelope(part, 4326) for part in bbox.parts()]


def _envelope(sides: tuple[float, float, float, float], srid: int) -> ColumnElement[Any]:
    box = func.ST_MakeEnvelope(*sides, srid, type_=NullType())
    left, bottom, right, top = sides
    # Nothing meets a polygon without an area; ST_Envelope makes a line or a point of it.
    return func.ST_Envelope(box, type_=NullType()) if left == right or bottom == top else box
