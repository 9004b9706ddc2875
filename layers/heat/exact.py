"""Heat by one SQL statement over the incidents, or over what was known of them at some time.

It answers what a store cannot, and it is what stores are held against.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, any_, cast, extract, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime, Integer, Text

from layers.core.statement import Statement
from layers.heat.question import Question
from layers.schema.tables import category, incident, incident_history

_INSTANT = DateTime(timezone=True)
_FACTS = ("category", "origin", "occurred_at", "cell", "area_id", "zones")


def sums(question: Question, zone_bit: int | None, time_zone: str, as_of: datetime | None = None) -> Statement:
    """Rows `cell` (base), `area` (0 for none), `sensitive` and `value`, in the order of cell and area.

    The question's resolution, mask and box play no part. `value` is a bigint; with a half-life, a double.

    Parameters
    ----------
    zone_bit : place of the layer's zone type in the incidents' mask; none for the layer of all.
    as_of : only what was known then counts; none means now.
    """
    if as_of is None:
        known = select(*(incident.c[name] for name in _FACTS)).subquery("known")
    else:
        at = literal(as_of, _INSTANT)
        known = union_all(
            select(*(incident.c[name] for name in _FACTS)).where(incident.c.known_from <= at),
            select(*(incident_history.c[name] for name in _FACTS)).where(
                func.lower(incident_history.c.known) <= at, func.upper(incident_history.c.known) > at
            ),
        ).subquery("known")
    facts = known.c
    weight = literal(1, BigInteger) if question.weight == "count" else cast(category.c.weight, BigInteger)
    value: ColumnElement[Any] = cast(func.sum(weight), BigInteger)
    end = literal(question.span.end, _INSTANT)
    if question.half_life is not None:
        age_s = extract("epoch", end - func.date_trunc("second", facts.occurred_at))
        halvings = cast(age_s, Double) / literal(question.half_life.total_seconds(), Double)
        # PostgreSQL takes a number too small for it for an error.
        factor = func.power(literal(2.0, Double), func.greatest(-halvings, literal(-1000.0, Double)))
        value = func.sum(weight * factor)
    area = func.coalesce(facts.area_id, 0)
    statement = (
        select(facts.cell, area.label("area"), category.c.sensitive, value.label("value"))
        .select_from(known.join(category, category.c.code == facts.category))
        .where(facts.occurred_at >= literal(question.span.start, _INSTANT), facts.occurred_at < end)
        .group_by(facts.cell, area, category.c.sensitive)
        .order_by(facts.cell, area)
    )
    if zone_bit is not None:
        statement = statement.where(facts.zones.op("&", return_type=Integer)(1 << zone_bit) != 0)
    if question.categories is not None:
        codes = literal(sorted(question.categories), ARRAY(Text))
        statement = statement.where(facts.category == any_(codes))
    if not question.patrol:
        statement = statement.where(facts.origin != "patrol")
    local = facts.occurred_at.op("at time zone", return_type=DateTime())(time_zone)
    for part, wanted in (("hour", question.hours), ("isodow", question.weekdays)):
        if wanted is not None:
            statement = statement.where(
                cast(extract(part, local), Integer) == any_(literal(sorted(wanted), ARRAY(Integer)))
            )
    return Statement.of(statement)
