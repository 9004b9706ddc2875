"""News of the loop, and what of it an audience may be told: the one place that masks what is pushed.

No audience is pushed a text or a true point: a case stands on the centre of its cell. The public learns neither
which case it is nor who handles it: only what kind of thing it is, the day, and an area no finer than the second
level; and only where so many of the kind came lately that none stands out. Sensitive categories are for those who
see such points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from layers.core.audience import Audience, Role
from layers.core.statement import Statement
from layers.heat.public import K

TOPICS = ("registered", "moved", "warn", "overdue", "red")
"""What can be subscribed to: new cases, their moves, and the colours that their terms reach."""

LATELY = timedelta(days=30)
COARSE_RANK = 1
"""The finest level of areas that the public is told of, counted from the top."""

_SAID = ("workflow", "category", "state", "open", "unit", "area", "lon", "lat", "due_at", "stage", "colour")


@dataclass(frozen=True)
class News:
    """One event of the outbox, with what subscriptions choose by.

    key : names the news, however often it is announced.  zones : bits of the zone types that it lies in.
    coarse : code of its area on a level that the public may know; none without one.
    crowd : how many cases of its category were registered there lately.
    """

    key: str
    topic: str
    at: datetime
    case_id: int
    category: str
    sensitive: bool
    zones: int
    area_ids: frozenset[int]
    payload: Mapping[str, Any]
    coarse: str | None
    crowd: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of `after`."""
        payload = row["payload"]
        if row["topic"] == "reminder":
            key, topic = f"reminder:{row['seq']}", str(payload["colour"])
        else:
            key = f"case:{payload['id']}:{payload['version']}"
            topic = "moved" if payload["version"] else "registered"
        return cls(
            key,
            topic,
            row["at"],
            payload["id"],
            payload["category"],
            payload.get("sensitive", True),
            row["zones"] or 0,
            frozenset(row["area_ids"] or ()),
            payload,
            row["coarse"],
            row["crowd"],
        )

    @property
    def urgent(self) -> bool:
        """Whether it may pass quiet hours where a subscription says so."""
        return self.topic == "red"

    def told(self, audience: Audience) -> dict[str, Any] | None:
        """What that audience is told of it; none where it learns nothing."""
        if self.sensitive and not audience.policy.sensitive_points:
            return None
        if audience.area_id is not None and audience.area_id not in self.area_ids:
            return None
        if audience.role is Role.PUBLIC:
            if self.coarse is None or self.crowd < K:
                return None
            return {"what": self.topic, "day": self.at.date().isoformat(), "category": self.category,
                    "area": self.coarse}  # fmt: skip
        said = {name: self.payload[name] for name in _SAID if self.payload.get(name) is not None}
        return {"what": self.topic, "at": self.at.isoformat(), "case": self.case_id} | said


def begin() -> Statement:
    """Have the spreading begin with what comes from now on, unless it has begun."""
    return Statement(
        """insert into onemap.delivery_cursor (seq)
        select coalesce(max(seq), 0) from onemap.outbox on conflict do nothing"""
    )


def after(seq: int, limit: int, *, crowds: bool) -> Statement:
    """Events of cases after `seq`, oldest first, as `News.of` reads them; crowds are counted only on demand."""
    return Statement(
        """select news.seq, news.at, news.topic, news.payload, news.area_ids, file.zones, coarse.code as coarse,
          case when %(crowds)s then (select count(*) from onemap.case_file other
            where coarse.area_id is not null and other.category = file.category and other.merged_into is null
            and other.reported_at > news.at - %(lately)s and other.reported_at <= news.at
            and other.area_id in (
              with recursive below (area_id) as (
                select coarse.area_id union
                select version.area_id
                from onemap.area_version version join below on version.parent_id = below.area_id
              ) select area_id from below)) else 0 end as crowd
        from onemap.outbox news
        left join onemap.case_file file on file.case_id = (news.payload ->> 'id')::bigint
        left join lateral (
          select area.area_id, area.code from onemap.area
          where area.area_id = any (news.area_ids) and area.level_rank <= %(rank)s
          order by area.level_rank desc limit 1
        ) coarse on true
        where news.seq > %(seq)s and news.topic in ('case', 'reminder') order by news.seq limit %(limit)s""",
        {"seq": seq, "limit": limit, "crowds": crowds, "lately": LATELY, "rank": COARSE_RANK},
    )
