"""What a source can fill, and which fields each of these has."""

from collections.abc import Mapping
from typing import Literal

Target = Literal["areas", "risk_areas", "incidents", "roads", "places", "resources", "service_load"]

REQUIRED: Mapping[Target, set[str]] = {
    "areas": {"level", "code", "name_zh", "name_en"},
    "risk_areas": {"code", "zone_type", "name_zh", "name_en", "influence_m"},
    "incidents": {"category", "occurred_at", "origin"},
    "roads": {"class"},
    "places": {"kind"},
    "resources": {"code", "kind"},
    "service_load": {"level", "area", "class", "since", "until", "due", "done"},
}
OPTIONAL: Mapping[Target, set[str]] = {
    "areas": {"official_code", "local_code", "parent_code", "households", "valid_from", "valid_to"},
    "risk_areas": {"approximate", "valid_from", "valid_to", "lon", "lat"},
    "incidents": {"recorded_at", "state", "due_at", "closed_at", "lon", "lat", "version", "deleted"},
    "roads": {"name_zh", "name_en", "oneway", "layer"},
    "places": {"name_zh", "name_en", "lon", "lat"},
    "resources": {"name_zh", "name_en", "unit", "device_id", "link", "valid_from", "valid_to", "lon", "lat"},
    "service_load": {"link"},
}

KEYED: frozenset[Target] = frozenset({"incidents", "roads", "places"})
"""Targets of which columns of the source are the key; the others are told apart by their fields."""
