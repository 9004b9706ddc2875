"""A bench's city as the rest of the house knows one: a folder of TOML, and its questions as the engine's."""

import json
from datetime import UTC, datetime
from pathlib import Path

import shapely

from layers.catalog.city import City
from layers.core.span import Span
from layers.heat.question import Mask, Question
from tests.bench.asks import Ask, Town

RES = 10
ZONE_TYPES = tuple(f"z{bit}" for bit in range(6))

_CITY = """code = "bench"
name = {{ zh = "基准", en = "Bench" }}
time_zone = "{zone}"
languages = ["en", "zh"]
extent = {extent}
base_resolution = 10
attribution = "made for a benchmark"
notice = {{ zh = "基准", en = "Bench" }}
calendar = {{ working_days = [1, 2, 3, 4, 5], hours = ["08:30-16:30"] }}
[[levels]]
code = "city"
name = {{ zh = "市", en = "City" }}
pattern = '^B$'
"""
_ZONE = """[[zone_types]]
code = "{code}"
name = {{ zh = "{code}", en = "{code}" }}
colour = "#56b4e9"
"""
_CATEGORY = """[[categories]]
code = "{code}"
name = {{ zh = "{code}", en = "{code}" }}
weight = {weight}
"""


def city_of(town: Town, folder: Path) -> City:
    """The city, written to a folder and read from it."""
    folder.mkdir(parents=True)
    west, south, east, north = map(float, town.box)
    extent = json.dumps([west - 0.4, south - 0.4, east + 0.4, north + 0.4])
    (folder / "city.toml").write_text(_CITY.format(zone=town.time_zone, extent=extent), "utf-8")
    (folder / "zones.toml").write_text("".join(_ZONE.format(code=code) for code in ZONE_TYPES), "utf-8")
    pairs = zip(town.codes, town.weight.tolist(), strict=True)
    (folder / "categories.toml").write_text("".join(_CATEGORY.format(code=c, weight=w) for c, w in pairs), "utf-8")
    return City.load(folder)


def question(ask: Ask) -> Question:
    """A question of the grid as the engine's."""
    span = Span(datetime.fromtimestamp(ask.start, UTC), datetime.fromtimestamp(ask.end, UTC))
    return Question(
        layer="all",
        span=span,
        res=RES,
        weight="severity" if ask.weighted else "count",
        categories=None if ask.categories is None else frozenset(ask.categories),
        patrol=ask.patrol,
        mask=Mask(
            areas=None if ask.areas is None else frozenset(ask.areas),
            polygon=None if ask.box is None else shapely.box(*ask.box),
        ),
    )
