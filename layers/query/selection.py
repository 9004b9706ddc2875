"""Which rows of a layer a question is about: by time, by place, and by what its audience may see."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.types import DateTime, NullType

from layers.catalog.layer import Layer
from layers.core.audience import Audience
from layers.geo.bbox import Bbox
from layers.query.interval import Interval
from layers.schema.tables import category

_INSTANT = DateTime(timezone=True)


@dataclass(frozen=True)
class Selection:
    """A layer, an audience and the filters on it; `at` is the time that counts as now."""

    layer: Layer
    audience: Audience
    at: datetime
    interval: Interval | None = None
    bbox: Bbox | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """All conditions, each with its values bound; the ends of the time are `start` and `end`."""
        return [*self._time(), *self._place(), *self._privacy()]

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
        geometry = self.layer.geometry_for(self.audience)
        boxes = [func.ST_MakeEnvelope(*part, 4326, type_=NullType()) for part in self.bbox.parts()]
        # `&&` finds by bounding box with the index, ST_Intersects then says the truth.
        return [or_(*(and_(geometry.op("&&")(box), func.ST_Intersects(geometry, box)) for box in boxes))]

    def _privacy(self) -> list[ColumnElement[bool]]:
        column = self.layer.hides_sensitive
        if column is None or self.audience.policy.sensitive_points:
            return []
        return [column.not_in(select(category.c.code).where(category.c.sensitive))]

    def geometry(self) -> ColumnElement[object]:
        """The geometry that the audience sees."""
        return type_coerce(self.layer.geometry_for(self.audience), NullType())
