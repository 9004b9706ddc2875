"""What a snapshot of incidents is the whole truth of: a span of time, some categories, or everything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.spec import Source
from layers.catalog.city import City
from layers.records.findings import Mask
from layers.records.times import instants


@dataclass(frozen=True)
class Stated:
    """Half-open [`since`, `until`), UTC, and `categories`; none: all."""

    since: datetime | None = None
    until: datetime | None = None
    categories: list[str] | None = None

    @classmethod
    def of(cls, source: Source, city: City) -> Self:
        """What the source's TOML states."""
        if source.scope is None:
            return cls()
        written = pa.array([source.scope.since, source.scope.until], pa.string())
        at = pa.array(instants(written, source.zone(city)).at, pa.timestamp("us", "UTC"))
        return cls(at[0].as_py(), at[1].as_py(), source.scope.categories or None)

    def outside(self, occurred_at: pa.Array, category: pa.Array) -> Mask:
        """bool[n], true where a row with a known time and category is none of this snapshot's business."""
        out = np.zeros(len(category), np.bool_)
        if self.since is not None:
            out |= _true(pc.less(occurred_at, pa.scalar(self.since, occurred_at.type)))
        if self.until is not None:
            out |= _true(pc.greater_equal(occurred_at, pa.scalar(self.until, occurred_at.type)))
        if self.categories is not None:
            inside = pc.is_in(category, pa.array(self.categories, pa.string()))
            out |= _true(pc.and_(category.is_valid(), pc.invert(inside)))
        return out


def _true(column: pa.Array) -> Mask:
    return np.asarray(column.fill_null(False))  # noqa: FBT003
