"""Versions of the layers, and when the clock alone changes what holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from layers.catalog.layer import Layer
from layers.core.statement import Statement
from layers.schema.tables import layer_version

_INSTANT = TIMESTAMP(timezone=True)


def versions() -> Statement:
    """Every layer that was ever loaded: layer, version, changed_at."""
    return Statement.of(select(layer_version.c.layer, layer_version.c.version, layer_version.c.changed_at))


def turns(layer: Layer, at: datetime) -> Statement:
    """One row: `last` and `next`, when the clock alone changed a feature last, and when it does next.

    The layer has to have a validity or `turns`, of which alone is read; null where there is no such moment.
    """
    now = literal(at, _INSTANT)
    moments: list[ColumnElement[Any]] = list(layer.turns)
    if layer.valid is not None:
        moments += [func.lower(layer.valid, type_=_INSTANT), func.upper(layer.valid, type_=_INSTANT)]
    # Each by itself, so that an index on it has the answer.
    last = (select(func.max(each)).where(each <= now).scalar_subquery() for each in moments)
    coming = (select(func.min(each)).where(each > now).scalar_subquery() for each in moments)
    return Statement.of(select(func.greatest(*last).label("last"), func.least(*coming).label("next")))
