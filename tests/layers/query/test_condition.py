"""A CQL2 tree as a condition of SQL: what is refused, and that no value is part of the text."""

import json
from dataclasses import replace

import pytest
from pyproj import Transformer
from sqlalchemy import select

from layers.catalog.layer import Field
from layers.catalog.registry import LAYERS
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.geo.crs import BY_URI
from layers.query.condition import DEEPEST, MOST_NODES, condition
from layers.query.expression import read
from layers.query.queryable import queryables, sortables
from layers.query.selection import Selection
from layers.schema import tables
from tests import toy
from tests.told import page

ROOM = Audience(Role.ROOM)
DISPATCHER = Audience(Role.DISPATCHER)
INCIDENTS = LAYERS["incidents"]
NAMES = queryables(INCIDENTS, ROOM)
CRS = {uri.rpartition("/")[2]: crs for uri, crs in BY_URI.items()}


def sql(text, names=NAMES):
    return Statement.of(select(1).where(condition(read(text), names)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nope = 1", "there is no 'nope'"),
        ("attributes = 'x'", "there is no 'attributes'"),  # the room may not read them
        ("geom IS NULL", "there is no 'geom'"),
        ('"name\'; drop table" = 1', "there is no"),
        ("pg_read_file('/etc/passwd') = 'x'", "'pg_read_file' is not offered"),
        ("pg_sleep(9)", "'pg_sleep' is not offered"),
        ("category = 1", "compares number with text"),
        ("severity = '1'", "compares number with text"),
        ("occurred_at > '2025-01-01'", "compares instant with text"),
        ("severity IN (1, 'a')", "compares number with text"),
        ("severity BETWEEN 1 AND 'a'", "compares number with text"),
        ("geometry = POINT(1 2)", "compares geometries"),
        ("category", "a text stands where a boolean"),
        ("category AND severity = 1", "a text stands where a boolean"),
        ("'x'", "a text stands where a boolean"),
        ("NOT 1", "a number stands where a boolean"),
        ("severity LIKE '1%'", "a number stands where a text"),
        ("category LIKE origin", "pattern"),
        ("category LIKE 'x\\'", "backslash"),
        ("category = 'a\x01\x00'", "character 0"),
        ("category = NULL", "no value"),
        ("severity = 1e400", "no value"),
        ("severity + 1 = 2", "'\\+' is not offered"),
        ("severity = -severity", "'\\*' is not offered"),
        ("CASEI(severity) = '1'", "a number stands where a text"),
        ("ACCENTI(category) = 'x'", "'accenti' is not offered"),
        ("S_INTERSECTS(category, POINT(1 2))", "a text stands where a geometry"),
        ("S_INTERSECTS(geometry, 'POINT(1 2)')", "a text stands where a geometry"),
        ("S_INTERSECTS(geometry)", "needs 2 arguments"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "not valid: Self-intersection"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))", "is no Polygon"),
        ("S_INTERSECTS(geometry, POLYGON EMPTY)", "0 corners"),
        ("S_INTERSECTS(geometry, POINT(181 0))", "outside of the globe"),
        ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(1 2)))", "a geometry is one of"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3, 1))", "south 2.0 lies above north 1.0"),
        ("occurred_at > TIMESTAMP('yesterday')", "not an RFC 3339 instant"),
        ("occurred_at > DATE('2025-02-30')", "no date"),
        ("T_AFTER(occurred_at, category)", "a text stands where a instant"),
        ("T_DURING(occurred_at, INTERVAL('2025-01-01', 'x'))", "no date"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_database_sees_it(text, says):
    with pytest.raises(BadValue, match=says) as caught:
        sql(text)
    assert caught.value.context["parameter"] == "filter"


@pytest.mark.parametrize(
    "tree",
    [
        None,
        {},
        [],
        {"op": None, "args": [1]},
        {"op": ["and"], "args": [True]},
        {"op": "and"},
        {"op": "and", "args": []},
        {"op": "and", "args": {"a": 1}},
        {"op": "=", "args": [{"property": ["category"]}, "x"]},
        {"op": "=", "args": [{"property": {"a": 1}}, "x"]},
        {"op": "in", "args": [{"property": "category"}, "noise"]},
        {"op": "in", "args": [{"property": "category"}, []]},
        {"op": "casei", "args": ["x"]},
        {"op": "like", "args": [{"property": "category"}, {"op": "casei", "args": [{"property": "origin"}]}]},
        {"op": ">", "args": [{"property": "occurred_at"}, {"timestamp": 1}]},
        {"op": ">", "args": [{"property": "occurred_at"}, {"timestamp": "0001-01-01T00:00:00+23:59"}]},
        {"op": "t_after", "args": [{"property": "occurred_at"}, {"interval": ["..", "..", ".."]}]},
        {"op": "t_after", "args": [{"property": "occurred_at"}, {"interval": "now"}]},
        {"op": "t_after", "args": [{"property": "occurred_at"}, {"interval": [None, ".."]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": ["a", 0, 1, 1]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [True, 0, 1, 1]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [0, 0, 1]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": ["a", "b"]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point"}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": ["Point"], "coordinates": [1, 2]}]},
        {
            "op": "s_intersects",
            "args": [
                {"property": "geometry"},
                {"type": "LineString", "coordinates": [[i / 1e5, 0] for i in range(10_001)]},
            ],
        },
        {"op": "or", "args": [True] * MOST_NODES},
        json.loads('{"op":"not","args":[' * (DEEPEST + 2) + "true" + "]}" * (DEEPEST + 2)),
    ],
    ids=lambda tree: json.dumps(tree)[:60],
)
def test_a_tree_that_is_none_is_refused_by_name(tree):
    with pytest.raises(BadValue) as caught:
        condition(tree, NAMES)
    assert caught.value.context["parameter"] == "filter"


def test_no_value_is_part_of_the_sql():
    hostile = "x'' OR 1=1 --"
    statement = sql(
        f"category = '{hostile}' AND CASEI(state) LIKE CASEI('%{hostile}') AND severity IN (123456, 2.5) "
        "AND T_DURING(occurred_at, INTERVAL('2024-05-17', '..')) AND S_WITHIN(geometry, POINT(12.3456 50))"
    )
    for value in ("1=1", "123456", "2.5", "2024", "12.34", "infinity"):
        assert value not in statement.sql
    assert "x' OR 1=1 --" in statement.params.values()


def test_an_audience_filters_by_what_it_may_read_alone():
    secret = Field("secret", "for some", tables.incident.c.source_key, least=Role.ANALYST)
    layer = replace(INCIDENTS, fields=(*INCIDENTS.fields, secret))
    assert "secret" not in queryables(layer, ROOM)
    assert "secret" not in sortables(layer, ROOM)
    assert "secret" in queryables(layer, Audience(Role.ANALYST))
    assert "attributes" not in queryables(INCIDENTS, Audience(Role.ADMIN))
    assert set(NAMES) == {"geometry", *(field.name for field in INCIDENTS.fields_for(ROOM))}
    assert set(sortables(INCIDENTS, ROOM)) == set(NAMES) - {"geometry"}
    assert "spot" in sql("S_INTERSECTS(geometry, POINT(1 2))").sql
    assert "geom" in sql("S_INTERSECTS(geometry, POINT(1 2))", queryables(INCIDENTS, DISPATCHER)).sql
    assert set(queryables(LAYERS["roads"], PUBLIC)) >= {"class", "layer"}


@pytest.mark.parametrize("code", ["CRS84", "4326", "4490", "3857"])
async def test_a_filter_finds_the_same_in_every_system(toy_db, shared_toy, code):
    crs = CRS[code]
    to = Transformer.from_crs(4326, crs.srid, always_xy=True)
    box = [*to.transform(10.02, 50.01), *to.transform(10.06, 50.04)]
    if crs.north_first:
        box = [box[1], box[0], box[3], box[2]]

    async def found(tree, crs):
        selection = Selection(
            INCIDENTS, DISPATCHER, toy.FIRST, filters=(condition(tree, queryables(INCIDENTS, DISPATCHER), crs),)
        )
        return set((await page(toy_db, selection)).ids)

    wanted = {
        i + 1 for i, row in enumerate(shared_toy.rows) if 10.02 <= row.lon <= 10.06 and 50.01 <= row.lat <= 50.04
    }
    within = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": box}]}
    west, south, east, north = box
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    ring = {
        "op": "s_intersects",
        "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [corners]}],
    }
    assert await found(within, crs) == await found(ring, crs) == wanted != set()


async def test_a_box_across_the_antimeridian_is_in_two_parts(toy_db):
    names = queryables(LAYERS["areas"], PUBLIC)
    for box, count in ([170, 40, 20, 60], 7), ([20, 40, 5, 60], 0), ([20, 40, 10.05, 60], 7):
        tree = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": box}]}
        selection = Selection(LAYERS["areas"], PUBLIC, toy.FIRST, filters=(condition(tree, names),))
        assert len((await page(toy_db, selection)).ids) == count
