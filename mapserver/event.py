"""One event as screens get it: who may see it, and its text in the stream."""

from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from layers.catalog.incidents import INCIDENTS
from layers.core.audience import Audience

_PUBLIC_LAYERS = frozenset({"areas", "risk_areas", "roads", "places", "released"})
_OF_A_CASE = ("id", "workflow", "category", "state", "open", "version", "due_at", "unit", "area", "lon", "lat")

_OF_A_REMINDER = ("id", "workflow", "category", "state", "version", "unit", "area", "lon", "lat",
                  "stage", "due_at", "colour", "to")  # fmt: skip


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
    _texts: dict[Audience, bytes] = field(default_factory=dict, compare=False, repr=False)

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
        if self.topic not in ("incident", "case", "reminder") or not policy.incidents:
            return False
        if self.payload.get("sensitive", True) and not policy.sensitive_points:
            return False
        return audience.area_id is None or audience.area_id in (self.area_ids or ())

    def text(self, audience: Audience) -> bytes:
        """The event in the stream of an audience that it is visible to; made once for all of the same."""
        text = self._texts.get(audience)
        if text is None:
            text = self._texts[audience] = message(self.topic, self._data(audience), self.seq)
        return text

    def _data(self, audience: Audience) -> dict[str, Any]:
        if self.topic == "incident":
            return _feature(self.payload, audience)
        if self.topic == "heat":
            return self.payload | {"cells": _cells(self.payload.get("cells"), audience)}
        if self.topic == "case":
            return {name: self.payload.get(name) for name in _OF_A_CASE}
        if self.topic == "reminder":
            return {name: self.payload.get(name) for name in _OF_A_REMINDER}
        return self.payload


def _feature(payload: dict[str, Any], audience: Audience) -> dict[str, Any]:
    """An incident as the collection's item has it for that audience."""
    facts = payload.get("properties", {})
    return {
        "type": "Feature",
        "id": payload.get("id"),
        "geometry": payload.get("exact" if audience.policy.exact_points else "geometry"),
        "properties": {known.name: facts.get(known.name) for known in INCIDENTS.fields_for(audience)},
    }


def _cells(given: dict[str, Any] | None, audience: Audience) -> list[str] | None:
    """The cells in which counts have changed that the audience may see; none where they may be any."""
    if given is None:
        return None
    exact = audience.policy.sensitive_points
    told = [*given["plain"], *((cell if exact else whole, ids) for cell, whole, ids in given["sensitive"])]
    return sorted({cell for cell, ids in told if audience.area_id is None or audience.area_id in ids})
