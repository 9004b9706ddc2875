"""The order of features, and pages that go on where the one before ended."""

import base64
import random
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from layers.catalog.registry import LAYERS
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import BadValue
from layers.query import features
from layers.query.order import Order
from layers.query.queryable import sortables
from layers.query.selection import Selection
from tests import toy
from tests.told import every, page

DISPATCHER = Audience(Role.DISPATCHER)
INCIDENTS = LAYERS["incidents"]
RISK_AREAS = LAYERS["risk_areas"]
LEAST = datetime.min.replace(tzinfo=UTC)


def parse(text, layer=INCIDENTS):
    return Order.parse(text, sortables(layer, DISPATCHER))


def in_order(rows, by):
    """As Python sorts: by one name after the other, nulls last."""
    rows = sorted(rows, key=lambda row: row[0])
    for name, falling in reversed(by):
        rows.sort(key=lambda row: row[1][name] or LEAST if name == "due_at" else row[1][name], reverse=falling)
        rows.sort(key=lambda row: row[1][name] is None)
    return [key for key, _ in rows]


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("occurred_at", [("occurred_at", False)]),
        ("-occurred_at", [("occurred_at", True)]),
        ("due_at", [("due_at", False)]),
        ("-due_at", [("due_at", True)]),
        ("+category,-severity,due_at", [("category", False), ("severity", True), ("due_at", False)]),
        ("-category,-due_at", [("category", True), ("due_at", True)]),
        (" severity", [("severity", False)]),
    ],
)
async def test_pages_in_an_order_hold_every_row_once_in_that_order(toy_db, shared_toy, text, by):
    known = [
        (
            i + 1,
            {
                "occurred_at": row.at,
                "due_at": row.due_at,
                "category": row.category,
                "severity": toy.WEIGHT[row.category],
            },
        )
        for i, row in enumerate(shared_toy.rows)
    ]
    size = random.Random(text).choice([73, 97, 211])
    found = await every(toy_db, Selection(INCIDENTS, DISPATCHER, toy.FIRST), size, parse(text))
    assert [row["id"] for row in found] == in_order(known, by)


async def test_numbers_that_no_double_holds_are_found_again(own_toy):
    with connect(own_toy.url) as connection:
        for i in range(30):
            connection.execute(
                """insert into onemap.risk_area (code, zone_type, name_zh, name_en, source)
                values (%s, 'school', '', '', 'toy')""",
                [f"R{i}"],
            )
        connection.execute(
            """insert into onemap.risk_area_version (risk_area_id, valid, influence_m, geom, influence, run_id)
            select risk_area.risk_area_id, tstzrange(null, null), 0.1::real + (risk_area.risk_area_id %% 5) / 3::real, geom, influence, run_id
            from onemap.risk_area, (select * from onemap.risk_area_version limit 1) one
            where risk_area.code like 'R%%'""",
            [],
        )
    async with Database(own_toy.url, pool_size=1) as db:
        for text in ("influence_m", "-influence_m"):
            found = await every(db, Selection(RISK_AREAS, PUBLIC, toy.FIRST), 4, parse(text, RISK_AREAS))
            assert len({row["id"] for row in found}) == len(found) == 32
            values = [row["properties"]["influence_m"] for row in found]
            assert values == sorted(values, reverse=text.startswith("-"))


async def test_what_is_added_or_removed_between_pages_moves_no_other_feature(own_toy):
    order = parse("-occurred_at")
    async with Database(own_toy.url, pool_size=1) as db:
        selection = Selection(INCIDENTS, DISPATCHER, toy.FIRST)
        before = [row["id"] for row in await every(db, selection, 2000, order)]
        first = await page(db, selection, 100, order=order)
        with connect(own_toy.url) as connection:
            connection.execute("delete from onemap.incident where incident_id = any(%s)", [before[90:100]])
            connection.execute(
                """insert into onemap.incident (source, source_key, category, origin, occurred_at, severity, cell,
                  zones, spot, geom, attributes, content_hash, run_id)
                select source, 'new', category, origin, %s, severity, cell, zones, spot, geom, attributes, '', run_id
                from onemap.incident limit 1""",
                [toy.FIRST + timedelta(days=400)],
            )
        further = await page(db, selection, 100, first.token, order)
    assert further.ids == before[100:200]


def test_the_newest_page_by_page_is_found_by_an_index():
    """A place for nulls, where there are none, would hide the index on times."""
    order = parse("-occurred_at")
    selection = Selection(INCIDENTS, DISPATCHER, toy.FIRST)
    after = order.token(["2025-02-01T00:00:00Z"], 7)
    sql = features.page(selection, 100, after, order=order).sql
    assert "NULLS" not in sql
    assert "occurred_at <= " in sql


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "nope",
        "geometry",
        "attributes",
        "1;select pg_sleep(9)",
        "severity,-severity",
        "--severity",
        "id",
        "category,origin,severity,state,area",
    ],
)
def test_what_cannot_be_sorted_by_is_refused_by_name(text):
    with pytest.raises(BadValue) as caught:
        parse(text)
    assert caught.value.context["parameter"] == "sortby"


def token(*parts):
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ("", "-1"),
        ("", "1.5"),
        ("", "x"),
        ("", "١"),
        ("", str(2**63)),
        ("", "1" * 2000),
        ("severity", "7"),
        ("severity", "!!!!"),
        ("severity", "é"),
        ("severity", token()),
        ("severity", base64.urlsafe_b64encode(b"7").decode()),
        ("severity", base64.urlsafe_b64encode(b'{"a": 1}').decode()),
        ("severity", token("-severity", 1, 1)),
        ("severity", token("severity", 1)),
        ("severity", token("severity", "1", 1)),
        ("severity", token("severity", *[True], 1)),
        ("severity", token("severity", 2**63, 1)),
        ("severity", token("severity", 1.5, 1)),
        ("severity", token("severity", 1, "1")),
        ("severity", token("severity", 1, None)),
        ("severity", token("severity", 1, 2**63)),
        ("category", token("category", 1, 1)),
        ("category", token("category", "a\x00", 1)),
        ("category", token("category", ["a"], 1)),
        ("occurred_at", token("occurred_at", "2025", 1)),
        ("occurred_at", token("occurred_at", "infinity", 1)),
    ],
)
def test_a_token_of_another_order_or_of_nobody_is_refused_by_name(order, text):
    with pytest.raises(BadValue) as caught:
        (parse(order) if order else Order()).after(text, INCIDENTS.key)
    assert caught.value.context["parameter"] == "after"


def test_a_number_too_large_for_its_column_is_refused():
    order = parse("influence_m", RISK_AREAS)
    with pytest.raises(BadValue):
        order.after(token("influence_m", 1e300, 1), RISK_AREAS.key)
