"""What the tags of an OpenStreetMap object say: its columns as a road, a place or a point of interest."""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_STREETS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_ROUTABLE = {
    *_STREETS, *(f"{street}_link" for street in _STREETS), "unclassified", "residential", "living_street",
    "service", "pedestrian", "road", "busway", "track", "path", "footway", "cycleway", "bridleway", "steps",
    "corridor",
}  # fmt: skip
_ONEWAY = {
    "yes": "forward", "true": "forward", "1": "forward", "-1": "backward", "reverse": "backward",
    "no": "no", "false": "no", "0": "no", "reversible": "no", "alternating": "no",
}  # fmt: skip
INTEREST = ("amenity", "shop", "tourism", "leisure", "healthcare", "public_transport", "railway")
_STATIONS = {"station", "halt", "tram_stop", "subway_entrance"}
_LAYER = re.compile(r"[+-]?\d")

Tags = Mapping[str, str]
Row = dict[str, Any]

_NAMES = {name: pa.string() for name in ("id", "name", "name_zh", "name_en")}
_FLAGS = {name: pa.bool_() for name in ("bridge", "tunnel")}
ROAD = _NAMES | {"class": pa.string(), "oneway": pa.string(), "layer": pa.int16()} | _FLAGS
PLACE = _NAMES | {"kind": pa.string()}


def road(tags: Tags) -> Row | None:
    """A street or path that one can move along; not what is being built, nor an open area."""
    if tags.get("highway") not in _ROUTABLE or tags.get("area") == "yes":
        return None
    bridge, tunnel = (tags.get(key, "no") != "no" for key in ("bridge", "tunnel"))
    return _names(tags) | {
        "class": tags["highway"],
        "oneway": oneway(tags),
        "layer": layer(tags.get("layer", ""), bridge=bridge, tunnel=tunnel),
        "bridge": bridge,
        "tunnel": tunnel,
    }


def place(tags: Tags) -> Row | None:
    """A city, town, village, suburb, neighbourhood or another place with a name of its own."""
    return _names(tags) | {"kind": tags["place"]} if "place" in tags else None


def interest(tags: Tags) -> Row | None:
    """A point of interest; its kind is the first of its tags in the order of `INTEREST`, as "amenity=school"."""
    for key in INTEREST:
        value = tags.get(key, "no")
        if value != "no" and (key != "railway" or value in _STATIONS):
            return _names(tags) | {"kind": f"{key}={value}"}
    return None


def oneway(tags: Tags) -> str:
    """Whether traffic moves only along the way (forward) or against it (backward).

    A roundabout and a motorway are one-way unless their tags say otherwise; a lane that changes its direction
    with the hour is open to both. Source: https://wiki.openstreetmap.org/wiki/Key:oneway
    """
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    return _ONEWAY.get(tags.get("oneway", ""), "forward" if implied else "no")


def layer(stated: str, *, bridge: bool, tunnel: bool) -> int:
    """Which way passes above which; where no tag says so, a bridge lies at 1 and a tunnel at -1."""
    return int(stated) if _LAYER.fullmatch(stated) else int(bridge) - int(tunnel)


def _names(tags: Tags) -> Row:
    return {"name": tags.get("name"), "name_zh": tags.get("name:zh"), "name_en": tags.get("name:en")}
