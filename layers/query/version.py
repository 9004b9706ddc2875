"""Versions of the layers, and when the clock alone changes what holds."""

from datetime import datetime

from sqlalchemy import case, func, literal, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from layers.catalog.layer import Layer
from layers.core.statement import Statement
from layers.schema.tables import layer_version

_INSTANT = TIMESTAMP(timezone=True)


def versions() -> Statement:
    """Every layer that was ever loaded: layer, version, changed_at."""
    return Statement.of(select(layer_version.c.layer, layer_version.c.version, layer_version.c.changed_at))


def turns(layer: Layer, at: datetime) -> Statement:
    """One row: `last` and `next`, when the validity of any feature began or ended last, and when one does next.

    The layer has to have a validity, of which alone is read; null where there is no such moment.
    """
    ends = (
        select(func.lower(layer.valid, type_=_INSTANT).label("at"))
        .union_all(select(func.upper(layer.valid, type_=_INSTANT)))
        .subquery()
    )
    now = literal(at, _INSTANT)
    return Statement.of(
        select(
            func.max(case((ends.c.at <= now, ends.c.at))).label("last"),
            func.min(case((ends.c.at > now, ends.c.at))).label("next"),
        )
    )
