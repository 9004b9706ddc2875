"""News of the loop, and what of it an audience may be told: the one place that masks what is pushed.

No audience is pushed a text or a true point: a case stands on the centre of its cell. The public is told of no
single event, however coarse: one subscription a category, area and topic would tell where each one came. What it
reads is the published product (layers.heat.public): of whole months, a week late, in cells and rounded. Sensitive
categories are for those who see such points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from layers.core.audience import Audience
from layers.core.statement import Statement

TOPICS = ("registered", "moved", "warn", "overdue", "red")
"""What can be subscribed to: new cases, their moves, and the colours that their terms reach."""

_SAID = ("workflow", "category", "state", "open", "unit", "area", "lon", "lat", "due_at", "stage", "colour")


@dataclass(frozen=True)
class News:
    """One event of the outbox, with what subscriptions choose by.

    key : names the news, however often it is announced.  zones : bits of the zone types that it lies in.
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

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of `after`."""
        payload = row["payload"]
        if row["topic"] == "reminder":
            key, topic = f"reminder:{row['seq']}", str(payload["colour"])
        elif payload.get("followed"):
            key, topic = f"followed:{row['seq']}", "moved"
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
        )

    @property
    def urgent(self) -> bool:
        """Whether it may pass quiet hours where a subscription says so."""
        return self.topic == "red"

    def told(self, audience: Audience) -> dict[str, Any] | None:
        """What that audience is told of it; none where it learns nothing."""
        policy = audience.policy
        if not policy.incidents or (self.sensitive and not policy.sensitive_points):
            return None
        if audience.area_id is not None and audience.area_id not in self.area_ids:
            return None
        said = {name: self.payload[name] for name in _SAID if self.payload.get(name) is not None}
        return {"what": self.topic, "at": self.at.isoformat(), "case": self.case_id} | said


def begin() -> Statement:
    """Have the spreading begin with what comes from now on, unless it has begun."""
    return Statement(
        """insert into onemap.delivery_cursor (seq)
        select coalesce(max(seq), 0) from onemap.outbox on conflict do nothing"""
    )


def after(seq: int, limit: int) -> Statement:
    """Events of cases after `seq`, oldest first, as `News.of` reads them."""
    return Statement(
        """select news.seq, news.at, news.topic, news.payload, news.area_ids, file.zones
        from onemap.outbox news
        left join onemap.case_file file on file.case_id = (news.payload ->> 'id')::bigint
        where news.seq > %(seq)s and news.topic in ('case', 'reminder') order by news.seq limit %(limit)s""",
        {"seq": seq, "limit": limit},
    )
