"""Measures (the N of 6+6+N): tasks that offices owe at zones, areas and risk areas, or within a campaign."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

import orjson
from psycopg.types.json import Jsonb

from layers.cases.periods import Period
from layers.core.statement import Statement

MOST = 1000

GRACE = timedelta(days=3)
"""So long after a period was due it is still told what was done in it; then the period is settled."""

By = Literal["zone_type", "area", "campaign"]


@dataclass(frozen=True)
class Task:
    """What a measure is registered with; it is bound to at least one of the four."""

    key: str
    name_zh: str
    name_en: str
    unit: str
    every: str
    target: int
    registered_at: datetime
    zone_type: str | None = None
    area_id: int | None = None
    risk_area_id: int | None = None
    campaign: str | None = None


@dataclass(frozen=True)
class Campaign:
    """A name for measures that belong together for a while."""

    code: str
    name_zh: str
    name_en: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True)
class Wanted:
    """Which measures are asked for; what is none does not restrict them. area_id : the area and all below it."""

    at: datetime
    zone_type: str | None = None
    area_id: int | None = None
    risk_area_id: int | None = None
    campaign: str | None = None
    unit: str | None = None
    is_open: bool | None = None
    overdue: bool | None = None


def register(task: Task, terms: Sequence[Period]) -> Statement:
    """Register a measure: `measure_id`, `fresh`, false where its key has one, and `refused`, why it is not."""
    return Statement(
        "select measure_id, fresh, refused from onemap.open_measure(%(facts)s, %(terms)s)",
        {"facts": _json(asdict(task)), "terms": _json(list(map(asdict, terms)))},
    )


def begin(campaign: Campaign, at: datetime) -> Statement:
    """Register a campaign: `campaign_id`, and `fresh`, false where its code has one already."""
    return Statement(
        "select campaign_id, fresh from onemap.open_campaign(%(facts)s, %(at)s)",
        {"facts": _json(asdict(campaign)), "at": at},
    )


def tell(measure_id: int, key: str, at: datetime, amount: int, now: datetime) -> Statement:
    """Add evidence: the `number` of the period that it counts for, `fresh` as above, and `refused`."""
    return Statement(
        """select number, fresh, refused
        from onemap.add_evidence(%(id)s, %(key)s, %(at)s, %(amount)s, %(now)s, %(grace)s)""",
        {"id": measure_id, "key": key, "at": at, "amount": amount, "now": now, "grace": GRACE},
    )


def close(measure_id: int, reason: str, now: datetime, *, unmet: bool) -> Statement:
    """Close a measure: one value, none where that is done, else why not: `missing`, `closed`, or `lacking`.

    unmet : also where a period of it, past or to come, lacks evidence.
    """
    return Statement(
        "select onemap.close_measure(%(id)s, %(reason)s, %(now)s, %(unmet)s)",
        {"id": measure_id, "reason": reason, "now": now, "unmet": unmet},
    )


def campaigns() -> Statement:
    """All campaigns, the newest first."""
    return Statement(
        """select campaign_id, code, name_zh, name_en, start_at, end_at
        from onemap.campaign order by start_at desc, code"""
    )


_BELOW = """with recursive below (area_id) as (
  select %(area_id)s::bigint
  union
  select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
)"""

_STANDING = """select measure_id, count(*) filter (where due_at <= %(at)s) as terms,
  count(*) filter (where due_at <= %(at)s and done >= target) as kept, count(*) filter (where overdue) as overdue,
  min(due_at) filter (where done < target) as next_due_at, coalesce(sum(done), 0)::bigint as evidence
from onemap.measure_standing(%(at)s) group by measure_id"""

_ROWS = """select measure.measure_id, measure.key, measure.name_zh, measure.name_en, measure.zone_type,
  area.code as area, risk_area.code as risk_area, campaign.code as campaign, measure.unit, measure.every,
  measure.target, measure.registered_at,
  case when measure.closed_at <= %(at)s then measure.closed_at end as closed_at,
  (select min(start_at) from onemap.measure_term term where term.measure_id = measure.measure_id) as start_at,
  (select max(due_at) from onemap.measure_term term where term.measure_id = measure.measure_id) as end_at,
  coalesce(terms, 0) as terms, coalesce(kept, 0) as kept, coalesce(overdue, 0) as overdue,
  next_due_at, coalesce(evidence, 0) as evidence
from onemap.measure left join standing using (measure_id) left join onemap.area using (area_id)
left join onemap.risk_area using (risk_area_id) left join onemap.campaign using (campaign_id)
where measure.registered_at <= %(at)s"""

_FILTERS = """
and (%(zone_type)s::text is null or measure.zone_type = %(zone_type)s)
and (%(area_id)s::bigint is null or measure.area_id in (select area_id from below))
and (%(risk_area_id)s::bigint is null or measure.risk_area_id = %(risk_area_id)s)
and (%(campaign)s::text is null or campaign.code = %(campaign)s)
and (%(unit)s::text is null or measure.unit = %(unit)s)
and (%(is_open)s::bool is null or coalesce(measure.closed_at > %(at)s, true) = %(is_open)s)
and (%(overdue)s::bool is null or (coalesce(overdue, 0) > 0) = %(overdue)s)"""


def page(wanted: Wanted, limit: int, after: int = 0) -> Statement:
    """One page in the order of registration, from behind `after`; one row more tells that a page follows.

    terms, kept : periods that are due by now, and those of them that have all they need.
    overdue : those that lack some while the measure is open.
    next_due_at : when the oldest period that lacks some is or was due.
    evidence : how often it was done in all.
    """
    return Statement(
        f"""{_BELOW}, standing as ({_STANDING}) {_ROWS} {_FILTERS}
        and measure.measure_id > %(after)s order by measure.measure_id limit %(limit)s""",
        asdict(wanted) | {"after": after, "limit": limit + 1},
    )


def one(measure_id: int, at: datetime) -> Statement:
    """The same of one measure; no row where it is not there for whoever asks."""
    return Statement(
        f"""with standing as ({_STANDING}) {_ROWS} and measure.measure_id = %(measure_id)s""",
        {"measure_id": measure_id, "at": at},
    )


def terms(measure_id: int, at: datetime) -> Statement:
    """Periods of a measure that have begun, as they stand: number, start_at, due_at, done, in_time, overdue."""
    return Statement(
        """select number, start_at, due_at, done, in_time, overdue from onemap.measure_standing(%(at)s)
        where measure_id = %(measure_id)s order by number""",
        {"measure_id": measure_id, "at": at},
    )


_GROUPS: dict[By, str] = {
    "zone_type": "select code, code as key, name_zh, name_en from onemap.zone_type",
    "campaign": "select code, campaign_id::text as key, name_zh, name_en from onemap.campaign",
    "area": """select area.code, member.area_id::text as key, name_zh, name_en
      from members member join onemap.area on area.area_id = member.top""",
}
_KEYS: dict[By, str] = {
    "zone_type": "measure.zone_type",
    "campaign": "measure.campaign_id::text",
    "area": "measure.area_id::text",
}


def coverage(by: By, at: datetime, since: datetime | None, level: int, area_id: int | None) -> Statement:
    """How the measures of each group stand at `at`; the row without a code is that of all of them.

    code, name_zh, name_en : a zone type, a campaign, or an area of rank `level` with all that ever stood below it.
    measures : how many.  terms : periods that were due after `since` and by `at`.
    kept : those that have all they need.  overdue : those that lack some, of measures that are open.
    due, done, in_time : how often it was owed in them, was done, and was done in time; what is done beyond the
    target is not counted.
    """
    return Statement(
        f"""{_BELOW}, members (top, area_id) as (
          select area_id, area_id from onemap.area where level_rank = %(level)s
          union
          select members.top, version.area_id
          from onemap.area_version version join members on version.parent_id = members.area_id
        ), groups as ({_GROUPS[by]}), standing as (
          select measure_id, told.target, done, in_time, overdue, {_KEYS[by]} as key
          from onemap.measure_standing(%(at)s) told join onemap.measure using (measure_id)
          where told.due_at <= %(at)s and (%(since)s::timestamptz is null or told.due_at > %(since)s)
          and (%(area_id)s::bigint is null or measure.area_id in (select area_id from below))
        )
        select code, min(name_zh) as name_zh, min(name_en) as name_en, count(distinct measure_id) as measures,
          count(*) as terms, count(*) filter (where done >= target) as kept, sum(target)::bigint as due,
          sum(least(done, target))::bigint as done, sum(least(in_time, target))::bigint as in_time,
          count(*) filter (where overdue) as overdue
        from standing join groups using (key) group by code
        union all
        select null, null, null, count(distinct measure_id), count(*), count(*) filter (where done >= target),
          coalesce(sum(target), 0)::bigint, coalesce(sum(least(done, target)), 0)::bigint,
          coalesce(sum(least(in_time, target)), 0)::bigint, count(*) filter (where overdue)
        from standing
        order by code nulls last""",  # noqa: S608 - the groups are ours
        {"at": at, "since": since, "level": level, "area_id": area_id},
    )


def _json(value: object) -> Jsonb:
    return Jsonb(value, dumps=orjson.dumps)
