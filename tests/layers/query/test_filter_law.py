"""A filter answers the rows that plain Python finds, whether it is written as JSON or as text."""

import itertools
import operator
import re
from datetime import UTC, datetime, timedelta

import cql2
import orjson
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from layers.catalog.registry import LAYERS
from layers.core.audience import Audience, Role
from layers.core.statement import Statement
from layers.query.condition import condition
from layers.query.expression import read
from layers.query.placed import rectangle
from layers.query.queryable import queryables
from layers.query.selection import Selection
from tests import toy
from tests.told import page

DISPATCHER = Audience(Role.DISPATCHER)
INCIDENTS = LAYERS["incidents"]
NAMES = queryables(INCIDENTS, DISPATCHER)

TEXTS = ["category", "origin", "state", "area"]
VALUES = ["noise", "theft", "Noise", "citizen", "patrol", "new", "V1G1", "V2G2", "it's", "", "%", "o_se", "图书馆"]
PATTERNS = ["%", "no%", "%E%", "V1G_", "", "t\\%", "_____", "it's", "%patr%"]
TIMES = ["occurred_at", "due_at", "closed_at"]

COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SHAPES = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_within": shapely.within,
    "s_contains": shapely.contains,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
}
SPANS = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: a[0] < b[0] and a[1] > b[1],
    "t_disjoint": lambda a, b: a[1] < b[0] or a[0] > b[1],
    "t_during": lambda a, b: a[0] > b[0] and a[1] < b[1],
    "t_equals": lambda a, b: a == b,
    "t_finishedBy": lambda a, b: a[0] < b[0] and a[1] == b[1],
    "t_finishes": lambda a, b: a[0] > b[0] and a[1] == b[1],
    "t_intersects": lambda a, b: a[0] <= b[1] and a[1] >= b[0],
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metBy": lambda a, b: a[0] == b[1],
    "t_overlappedBy": lambda a, b: b[0] < a[0] < b[1] < a[1],
    "t_overlaps": lambda a, b: a[0] < b[0] < a[1] < b[1],
    "t_startedBy": lambda a, b: a[0] == b[0] and a[1] > b[1],
    "t_starts": lambda a, b: a[0] == b[0] and a[1] < b[1],
}

# --- expressions ---

text_names = st.sampled_from(TEXTS).map(lambda name: {"property": name})
folded = text_names.map(lambda node: {"op": "casei", "args": [node]})
moments = st.datetimes(datetime(2024, 12, 25), datetime(2025, 5, 10)).map(lambda at: at.replace(microsecond=0))
known = st.sampled_from([row.at.replace(tzinfo=None) for row in toy.incidents()[:20]])
stamps = (moments | known).map(lambda at: {"timestamp": f"{at.isoformat()}Z"})
days = moments.map(lambda at: {"date": at.date().isoformat()})
time_names = st.sampled_from(TIMES).map(lambda name: {"property": name})
corners = st.tuples(st.floats(9.99, 10.11), st.floats(49.99, 50.07)).map(lambda at: [round(x, 4) for x in at])
boxes = st.tuples(corners, corners).map(
    lambda two: [*map(min, zip(*two, strict=True)), *map(max, zip(*two, strict=True))]
)
rings = boxes.filter(lambda box: box[0] < box[2] and box[1] < box[3])
spots = st.sampled_from([[row.lon, row.lat] for row in toy.incidents()[:50]])


def call(op, *args):
    return {"op": op, "args": list(args)}


@st.composite
def intervals(draw):
    ends = sorted([draw(moments | known), draw(moments | known)])
    text = [f"{end.isoformat()}Z" for end in ends]
    return {
        "interval": draw(
            st.sampled_from([text, ["..", text[1]], [text[0], ".."], [f"{ends[0].date()}", f"{ends[1].date()}"]])
        )
    }


predicates = st.one_of(
    st.builds(call, st.sampled_from(list(COMPARE)), text_names, st.sampled_from(VALUES)),
    st.builds(call, st.sampled_from(list(COMPARE)), text_names, text_names),
    st.builds(call, st.just("="), folded, st.sampled_from(VALUES).map(lambda v: call("casei", v))),
    st.builds(call, st.just("like"), text_names, st.sampled_from(PATTERNS)),
    st.builds(call, st.just("like"), folded, st.sampled_from(PATTERNS).map(lambda v: call("casei", v))),
    st.builds(call, st.sampled_from(list(COMPARE)), st.just({"property": "severity"}), st.integers(-1, 9) | st.sampled_from([2.5, 1e12])),
    st.builds(call, st.just("between"), st.just({"property": "severity"}), st.integers(0, 5), st.integers(0, 5)),
    st.builds(call, st.just("in"), text_names, st.lists(st.sampled_from(VALUES), min_size=1, max_size=3)),
    st.builds(call, st.just("in"), st.just({"property": "severity"}), st.lists(st.integers(0, 5), min_size=1, max_size=3)),
    st.builds(call, st.just("isNull"), text_names | time_names),
    st.builds(call, st.sampled_from(list(COMPARE)), time_names, stamps | days | time_names),
    st.builds(call, st.sampled_from(list(SPANS)), time_names, stamps | days | intervals()),
    st.builds(call, st.sampled_from(list(SPANS)), intervals(), time_names | intervals()),
    st.builds(call, st.sampled_from(list(SHAPES)), st.just({"property": "geometry"}), boxes.map(lambda box: {"bbox": box})),
    st.builds(
        call,
        st.sampled_from(list(SHAPES)),
        st.just({"property": "geometry"}),
        rings.map(lambda box: orjson.loads(shapely.to_geojson(shapely.box(*box)))) | spots.map(lambda at: {"type": "Point", "coordinates": at}),
    ),
)  # fmt: skip
trees = st.recursive(
    predicates,
    lambda inner: st.one_of(
        inner.map(lambda node: call("not", node)),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: call("and", *nodes)),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: call("or", *nodes)),
    ),
    max_leaves=6,
)

# --- what Python finds ---


def rows():
    found = {}
    for i, row in enumerate(toy.incidents()):
        found[i + 1] = {
            "category": row.category,
            "origin": row.origin,
            "state": row.state,
            "area": row.grid,
            "severity": toy.WEIGHT[row.category],
            "occurred_at": row.at,
            "due_at": row.due_at,
            "closed_at": None,
            "geometry": shapely.Point(row.lon, row.lat),
        }
    return found


ROWS = rows()


def value(node, row):
    match node:
        case {"property": name}:
            found = row[name]
        case {"timestamp": text} | {"date": text}:
            at = datetime.fromisoformat(text)
            found = at if at.tzinfo else at.replace(tzinfo=UTC)
        case {"op": "casei", "args": [inner]}:
            text = value(inner, row)
            found = text and text.lower()
        case {"bbox": box}:
            found = rectangle(*box)
        case {"type": _}:
            found = shapely.from_geojson(orjson.dumps(node))
        case _:
            found = node
    return found


def span(node, row):
    if "interval" not in node:
        return (value(node, row),) * 2
    ends = []
    for end, open_end in zip(node["interval"], (datetime.min, datetime.max), strict=True):
        if end == "..":
            ends.append(open_end.replace(tzinfo=UTC))
        else:
            at = datetime.fromisoformat(end)
            whole = len(end) == 10 and open_end is datetime.max
            ends.append(at.replace(tzinfo=UTC) + (timedelta(days=1, microseconds=-1) if whole else timedelta()))
    return tuple(ends)


def like(text, pattern):
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meant = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(meant, text, re.DOTALL) is not None


RELATIONS = {
    **COMPARE,
    **SHAPES,
    "in": lambda value, *options: value in options,
    "between": lambda value, low, high: low <= value <= high,
    "like": like,
}


def holds(node, row):
    """True, false, or none where SQL does not know."""
    op, args = node["op"], node["args"]
    match op:
        case "not":
            inner = holds(args[0], row)
            return None if inner is None else not inner
        case "and" | "or":
            decides = op == "or"
            parts = [holds(arg, row) for arg in args]
            return decides if decides in parts else None if None in parts else not decides
        case "isNull":
            return value(args[0], row) is None
    if op in SPANS:
        ends = [span(arg, row) for arg in args]
        return None if any(None in each for each in ends) else SPANS[op](*ends)
    values = [value(arg, row) for arg in ([args[0], *args[1]] if op == "in" else args)]
    return None if None in values else bool(RELATIONS[op](*values))


async def found(db, tree):
    selection = Selection(INCIDENTS, DISPATCHER, toy.FIRST, filters=(condition(tree, NAMES),))
    return set((await page(db, selection)).ids)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tree=trees)
async def test_a_filter_finds_what_plain_python_finds(toy_db, tree):
    wanted = {key for key, row in ROWS.items() if holds(tree, row)}
    assert await found(toy_db, tree) == wanted
    written = orjson.dumps(tree).decode()
    if '"Point"' in written:
        return  # a text has fewer digits than the corner of a point that has to be met
    text = cql2.parse_json(written).to_text()
    assert await found(toy_db, read(text)) == wanted, text


DAYS = [f"2025-01-0{day}" for day in range(1, 5)]
TIMES_OF_FOUR_DAYS = [
    *({"timestamp": f"{day}T00:00:00Z"} for day in DAYS),
    *({"date": day} for day in DAYS[:2]),
    *(
        {"interval": [start, end]}
        for start, end in itertools.combinations_with_replacement(["..", *DAYS], 2)
        if end != ".."
    ),
    *({"interval": [start, ".."]} for start in DAYS),
    *({"interval": [f"{start}T00:00:00Z", f"{end}T00:00:00Z"]} for start, end in itertools.combinations(DAYS, 2)),
]


def batches(values, size):
    return (values[i : i + size] for i in range(0, len(values), size))


@pytest.mark.parametrize("op", SPANS)
async def test_times_lie_to_each_other_as_the_standard_draws_them(toy_db, op):
    pairs = list(itertools.product(TIMES_OF_FOUR_DAYS, repeat=2))
    trees = [call(op, *pair) for pair in pairs]
    found = []
    for some in batches(trees, 300):
        columns = [condition(tree, NAMES).label(f"c{i}") for i, tree in enumerate(some)]
        found += (await toy_db.row(DISPATCHER, Statement.of(select(*columns)))).values()
    assert found == [SPANS[op](span(a, {}), span(b, {})) for a, b in pairs]
    assert True in found
    assert False in found
