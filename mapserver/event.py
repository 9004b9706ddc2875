"""One event as screens get it: who may see it, and its text in the stream."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import orjson

from layers.core.audience import Audience

_PUBLIC_LAYERS = frozenset({"areas", "risk_areas", "roads", "places", "released"})
_OF_AN_INCIDENT = ("id", "category", "occurred_at", "lon", "lat", "area")


def message(name: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    """One Server-Sent Event; `seq` is what the browser sends back as Last-Event-ID."""
    head = b"" if seq is None else b"id: %d\n" % seq
    return head + b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data, option=orjson.OPT_UTC_Z))


@dataclass(frozen=True)
class Event:
    """A row of the outbox; `area_ids` is its area and all above it."""

    seq: int
    topic: str
    layer: str
    area_ids: list[int] | None
    payload: dict[str, Any]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """From a row of `layers.core.events.since`."""
        return cls(row["seq"], row["topic"], row["layer"], row["area_ids"], row["payload"])

    def visible_to(self, audience: Audience) -> bool:
        """Whether `audience` may learn of it; nobody learns of a topic that is not known here."""
        policy = audience.policy
        if self.topic == "layer":
            return policy.incidents or self.layer in _PUBLIC_LAYERS
        if self.topic == "heat":  # the stores that it tells of are not the public's product
            return policy.incidents
        if self.topic != "incident" or not policy.incidents:
            return False
        if self.payload.get("sensitive", True) and not policy.sensitive_points:
            return False
        return audience.area_id is None or audience.area_id in (self.area_ids or ())

    @cached_property
    def text(self) -> bytes:
        """The event in the stream; of an incident only what screens show, whatever its writer put in."""
        incident = self.topic == "incident"
        data = {name: self.payload.get(name) for name in _OF_AN_INCIDENT} if incident else self.payload
        return message(self.topic, data, self.seq)
