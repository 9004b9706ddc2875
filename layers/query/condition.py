"""A CQL2 tree becomes a condition of SQL: names are those that the audience may use, values are bound.

What does not fit together is refused here, by name, before the database sees it.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import BigInteger, ColumnElement, and_, false, func, literal, not_, or_, true
from sqlalchemy.types import Double, LargeBinary, NullType, Text

from layers.core.errors import BadValue
from layers.geo.crs import CRS84, Crs
from layers.query import placed, temporal
from layers.query.queryable import Kind, Queryable
from layers.query.temporal import During

DEEPEST = 32
MOST_NODES = 2000

_MOST_BIGINT = 2**63 - 1

_COMPARISONS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SPATIAL = {
    "s_intersects": func.ST_Intersects,
    "s_contains": func.ST_Contains,
    "s_within": func.ST_Within,
    "s_touches": func.ST_Touches,
    "s_crosses": func.ST_Crosses,
    "s_overlaps": func.ST_Overlaps,
    "s_equals": func.ST_Equals,
}
"""Each holds only where the bounding boxes meet, which the index finds."""


@dataclass(frozen=True)
class Term:
    """One side of a comparison: what it is, and how SQL says it."""

    kind: Kind
    sql: ColumnElement[Any]


OPERATORS = frozenset(
    {"and", "or", "not", "like", "between", "in", "isNull", "casei", "s_disjoint"}
    | _COMPARISONS.keys()
    | _SPATIAL.keys()
    | temporal.RELATIONS.keys()
)
"""All that an expression may use."""


def condition(
    tree: Any, names: Mapping[str, Queryable], crs: Crs = CRS84, parameter: str = "filter"
) -> ColumnElement[bool]:
    """The condition that a CQL2 tree is; its geometries are in `crs`.

    Raises
    ------
    BadValue : a name or an operator that is not offered, what cannot be compared, or more than is taken.
    """
    return _Reading(names, crs, parameter).predicate(tree, 0)


class _Reading:
    """One expression while it is read."""

    def __init__(self, names: Mapping[str, Queryable], crs: Crs, parameter: str) -> None:
        self._names = names
        self._crs = crs
        self._parameter = parameter
        self._nodes = 0

    def predicate(self, node: Any, depth: int) -> ColumnElement[bool]:
        """What is true or false."""
        self._count(depth)
        if isinstance(node, dict) and "op" in node and node["op"] != "casei":
            return self._told(*self._call(node), depth)
        return self._of_kind(node, "boolean", depth).sql

    def _told(self, op: str, args: list[Any], depth: int) -> ColumnElement[bool]:
        if op in ("and", "or"):
            parts = [self.predicate(arg, depth + 1) for arg in args]
            return and_(*parts) if op == "and" else or_(*parts)
        if op not in OPERATORS:
            raise self._bad(f"'{op[:40]}' is not offered", offered=sorted(OPERATORS))
        if op in ("not", "isNull"):
            (arg,) = self._exactly(1, op, args)
            return not_(self.predicate(arg, depth + 1)) if op == "not" else self.term(arg, depth + 1).sql.is_(None)
        if op == "between":
            value, low, high = self._alike(self._exactly(3, op, args), depth)
            return value.sql.between(low.sql, high.sql)
        first, second = self._exactly(2, op, args)
        return self._of_two(op, first, second, depth)

    def _of_two(self, op: str, first: Any, second: Any, depth: int) -> ColumnElement[bool]:
        if op in temporal.RELATIONS:
            return temporal.RELATIONS[op](self._during(first, depth + 1), self._during(second, depth + 1))
        if op.startswith("s_"):
            return _spatial(op, *(self._of_kind(each, "geometry", depth + 1).sql for each in (first, second)))
        if op == "like":
            return self._like(first, second, depth)
        if op == "in":
            if not isinstance(second, list) or not second:
                raise self._bad("'in' needs a list")
            value, *options = self._alike([first, *second], depth)
            return value.sql.in_([option.sql for option in options])
        left, right = self._alike([first, second], depth)
        return _COMPARISONS[op](left.sql, right.sql)

    def term(self, node: Any, depth: int) -> Term:
        """What has a value."""
        self._count(depth)
        if isinstance(node, bool):
            return Term("boolean", true() if node else false())
        if isinstance(node, str):
            return Term("text", literal(self._text(node), Text))
        if placed.is_number(node):
            whole = node == int(node) and abs(node) <= _MOST_BIGINT
            return Term("number", literal(int(node), BigInteger) if whole else literal(node, Double))
        if isinstance(node, dict):
            return self._named(node) if "op" not in node else self._called(node, depth)
        raise self._bad("holds what has no value here: null, a list, or a number without end")

    def _named(self, node: dict[str, Any]) -> Term:
        """A property, or a literal whose member says what it is."""
        if "property" in node:
            return self._property(node["property"])
        if temporal.is_instant(node):
            return Term("instant", temporal.bound(temporal.instant(node, self._parameter)))
        if "bbox" in node:
            return Term("geometry", _wkb(placed.box(node["bbox"], self._crs, self._parameter)))
        return Term("geometry", _wkb(placed.geometry(node, self._crs, self._parameter)))

    def _called(self, node: dict[str, Any], depth: int) -> Term:
        op, args = self._call(node)
        if op == "casei":
            (arg,) = self._exactly(1, op, args)
            return Term("text", func.lower(self._of_kind(arg, "text", depth + 1).sql, type_=Text))
        if op in OPERATORS:
            return Term("boolean", self.predicate(node, depth + 1))
        raise self._bad(f"'{op[:40]}' is not offered", offered=sorted(OPERATORS))

    def _property(self, name: Any) -> Term:
        found = self._names.get(name) if isinstance(name, str) else None
        if found is None:
            raise self._bad(f"there is no '{str(name)[:40]}' to ask for", known=sorted(self._names))
        return Term(found.kind, found.column)

    def _like(self, node: Any, pattern: Any, depth: int) -> ColumnElement[bool]:
        value, like = self._of_kind(node, "text", depth + 1), self._of_kind(pattern, "text", depth + 1)
        inner = pattern
        while isinstance(inner, dict) and inner.get("op") == "casei":
            inner = inner["args"][0]
        if not isinstance(inner, str):
            raise self._bad("the pattern of 'like' has to be a text")
        if (len(inner) - len(inner.rstrip("\\"))) % 2:
            raise self._bad("the pattern of 'like' ends with a backslash that says nothing")
        return value.sql.like(like.sql, escape="\\")

    def _alike(self, nodes: list[Any], depth: int) -> list[Term]:
        terms = [self.term(node, depth + 1) for node in nodes]
        kinds = {term.kind for term in terms}
        if len(kinds) > 1:
            raise self._bad(f"compares {' with '.join(sorted(kinds))}")
        if kinds == {"geometry"}:
            raise self._bad("compares geometries, for which there are functions such as s_equals")
        return terms

    def _of_kind(self, node: Any, kind: Kind, depth: int) -> Term:
        found = self.term(node, depth)
        if found.kind != kind:
            raise self._bad(f"a {found.kind} stands where a {kind} has to be")
        return found

    def _during(self, node: Any, depth: int) -> During:
        if not isinstance(node, dict) or "interval" not in node:
            at = self._of_kind(node, "instant", depth).sql
            return During(at, at)
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:  # noqa: PLR2004
            raise self._bad("an interval has two ends")
        return During(self._end(ends[0], depth, last=False), self._end(ends[1], depth, last=True))

    def _end(self, node: Any, depth: int, *, last: bool) -> ColumnElement[Any]:
        if node == "..":
            return temporal.endless(last=last)
        if isinstance(node, str):
            node = {"timestamp" if "T" in node else "date": node}
        if temporal.is_instant(node):
            return temporal.bound(temporal.instant(node, self._parameter, last=last))
        return self._of_kind(node, "instant", depth).sql

    def _text(self, text: str) -> str:
        if "\x00" in text:
            raise self._bad("a text holds the character 0")
        return text

    def _call(self, node: dict[str, Any]) -> tuple[str, list[Any]]:
        op, args = node.get("op"), node.get("args")
        if not isinstance(op, str) or not isinstance(args, list) or not args:
            raise self._bad("an operator has a name and arguments")
        return op, args

    def _exactly(self, count: int, op: str, args: list[Any]) -> list[Any]:
        if len(args) != count:
            raise self._bad(f"'{op}' needs {count} arguments, not {len(args)}")
        return args

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise self._bad(f"more than {MOST_NODES} parts, or {DEEPEST} within one another")

    def _bad(self, what: str, **context: object) -> BadValue:
        return BadValue(f"{self._parameter}: {what}", parameter=self._parameter, **context)


def _spatial(op: str, first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[bool]:
    if op == "s_disjoint":
        return not_(_spatial("s_intersects", first, second))
    # `&&` finds by bounding box with the index, also under the policies of a role; the function says the truth.
    return and_(first.op("&&")(second), _SPATIAL[op](first, second))


def _wkb(shape: shapely.Geometry) -> ColumnElement[Any]:
    return func.ST_GeomFromWKB(literal(shapely.to_wkb(shape), LargeBinary), 4326, type_=NullType())
