"""The SQL of every question as text; `make bless` accepts a change, and the difference is then read."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from layers.catalog.registry import LAYERS
from layers.core.audience import Audience, Role
from layers.core.span import Span
from layers.geo.bbox import Bbox
from layers.geo.crs import BY_URI, box
from layers.geo.tiles import Tile
from layers.heat import exact
from layers.heat.question import Question
from layers.query import export, features, summary, tiles
from layers.query.condition import condition
from layers.query.expression import read
from layers.query.features import View
from layers.query.interval import Interval
from layers.query.order import Order
from layers.query.queryable import queryables
from layers.query.selection import Selection

AT = datetime(2025, 3, 1, tzinfo=UTC)
SPAN = Span(AT, datetime(2025, 4, 1, tzinfo=UTC))
BOX = Bbox(10.0, 50.0, 10.1, 50.1)
ROOM = Audience(Role.ROOM)
ANALYST = Audience(Role.ANALYST)
INCIDENTS = Selection(LAYERS["incidents"], ROOM, AT, Interval(AT, None), BOX)

EPSG = "http://www.opengis.net/def/crs/EPSG/0"
NAMES = queryables(LAYERS["incidents"], ROOM)
SORTED = Order.parse("-severity,due_at", NAMES)
FILTER = """category IN ('noise', 'theft') AND NOT (CASEI(state) LIKE CASEI('n%') OR severity BETWEEN 1 AND 2.5)
AND T_DURING(occurred_at, INTERVAL('2025-03-01', '..')) AND due_at IS NOT NULL
AND S_INTERSECTS(geometry, POLYGON((50.1 10, 50.1 10.1, 50.2 10.1, 50.1 10)))""".replace("\n", " ")

QUESTIONS = {
    "export_incidents_wkb": export.rows(
        replace(INCIDENTS, audience=ANALYST), View(BY_URI[f"{EPSG}/3857"]), "wkb", SORTED, 1000
    ),
    "export_areas_wkt": export.rows(
        Selection(LAYERS["areas"], Audience(), AT), View(BY_URI[f"{EPSG}/4326"]), "wkt", Order(), 1000, after="7"
    ),
    "items_incidents_room": features.page(INCIDENTS, 100, after="7"),
    "items_filtered": features.page(
        replace(INCIDENTS, bbox=None, filters=(condition(read(FILTER), NAMES, BY_URI[f"{EPSG}/4326"]),)), 100
    ),
    "items_sorted": features.page(
        replace(INCIDENTS, bbox=None),
        100,
        SORTED.token([3, None], 7),
        order=SORTED,
        view=View(BY_URI[f"{EPSG}/4547"], ("category", "occurred_at")),
    ),
    "items_in_frame": features.page(replace(INCIDENTS, bbox=box([0, 0, 1000, 2000], BY_URI[f"{EPSG}/3857"])), 100),
    "items_matched": features.matched(INCIDENTS, features.MOST_MATCHED),
    "items_areas_public": features.page(Selection(LAYERS["areas"], Audience(), AT), 100),
    "items_roads_between": features.page(
        Selection(LAYERS["roads"], Audience(), AT, Interval(AT, None), BOX), 100, after="7"
    ),
    "items_findings_analyst": features.page(
        Selection(LAYERS["findings"], ANALYST, AT, Interval(AT, None), BOX), 100
    ),
    "tile_areas": tiles.tile(Selection(LAYERS["areas"], Audience(), AT), Tile.at(9, 270, 173), 1),
    "tile_places": tiles.tile(Selection(LAYERS["places"], Audience(), AT), Tile.at(12, 2161, 1387)),
    "tile_incidents_room": tiles.tile(INCIDENTS, Tile.at(12, 2161, 1387)),
    "heat_all": exact.sums(Question("all", SPAN, 9), None, "Europe/Berlin"),
    "heat_narrow": exact.sums(
        Question(
            "school",
            SPAN,
            7,
            "severity",
            frozenset({"noise"}),
            patrol=False,
            hours=frozenset({7, 8}),
            weekdays=frozenset({1}),
            half_life=timedelta(days=14),
        ),
        0,
        "Europe/Berlin",
        as_of=AT,
    ),
    "summary_open": summary.open_items(AT, 5, with_sensitive=False),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_the_sql_that_was_accepted(name):
    statement = QUESTIONS[name]
    short = {
        key: value if len(str(value)) < 80 else f"{len(value)} values" for key, value in statement.params.items()
    }
    text = statement.sql + "\n\n" + "\n".join(f"{key} = {value!r}" for key, value in sorted(short.items())) + "\n"
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    golden = Path(__file__).parent / f"{name}.sql.txt"
    if os.environ.get("ONEMAP_BLESS"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_value_is_part_of_the_sql(name):
    statement = QUESTIONS[name]
    for value in ("2025-03-01", "noise", "50.1"):
        assert value not in statement.sql
