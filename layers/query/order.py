"""The order of a page's features, and the place in it where a page ends.

Nulls come last whichever way the others go, and the key decides between equals. So a page begins right after the
last feature of the one before, whatever was added or removed meanwhile.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from sqlalchemy import BigInteger, Column, ColumnElement, and_, bindparam, cast, literal, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Boolean, Double, Text

from layers.core.errors import BadValue
from layers.core.span import parse_instant
from layers.query.queryable import Queryable

MOST_KEYS = 4
MOST_ID = 2**63 - 1

_MOST_REAL = 3.4e38  # PostgreSQL refuses a real beyond it


@dataclass(frozen=True)
class By:
    """One thing to sort by."""

    what: Queryable
    falling: bool

    @property
    def nullable(self) -> bool:
        """Whether there may be none; a column without a name of its own is one of the layer's own rows."""
        column = self.what.column
        return not isinstance(column, Column) or bool(column.nullable)

    @property
    def clause(self) -> ColumnElement[Any]:
        """What to order by; an index knows it where no place for nulls has to be told."""
        order = self.what.column.desc() if self.falling else self.what.column.asc()
        return order.nulls_last() if self.nullable else order

    def beyond(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """What comes after the value `at`."""
        column = self.what.column
        further: ColumnElement[bool] = column < at if self.falling else column > at
        return or_(further, column.is_(None)) if self.nullable else further


@dataclass(frozen=True)
class Order:
    """What features are sorted by, the first first; then by their key, which alone is the order of nothing."""

    by: tuple[By, ...] = ()

    @classmethod
    def parse(cls, text: str, names: Mapping[str, Queryable]) -> Self:
        """Read names with commas between them, each with `-` before it where it falls; `+` says that it rises.

        Raises
        ------
        BadValue : a name that is not there or stands twice, or too many of them.
        """
        found: list[By] = []
        for part in text.split(","):
            # A plus that was not encoded is a space by now.
            name = part.strip().removeprefix("+").removeprefix("-")
            if name not in names or any(each.what.name == name for each in found):
                raise BadValue(
                    f"sortby: '{part[:40]}' is not there to sort by, or stands twice",
                    parameter="sortby",
                    known=sorted(names),
                )
            found.append(By(names[name], falling=part.strip().startswith("-")))
        if len(found) > MOST_KEYS:
            raise BadValue(f"sortby: more than {MOST_KEYS} names", parameter="sortby")
        return cls(tuple(found))

    @property
    def text(self) -> str:
        """As it would be asked for."""
        return ",".join(f"{'-' if by.falling else ''}{by.what.name}" for by in self.by)

    def clauses(self, key: ColumnElement[int]) -> list[ColumnElement[Any]]:
        """What to order by."""
        return [*(by.clause for by in self.by), key]

    def token(self, values: Sequence[Any], key: int) -> str:
        """The place after a feature with these values of what is sorted by; without any it is the key itself."""
        if not self.by:
            return str(key)
        return urlsafe_b64encode(orjson.dumps([self.text, *values, key])).decode().rstrip("=")

    def after(self, token: str, key: ColumnElement[int]) -> ColumnElement[bool]:
        """What comes after the place of a token.

        Raises
        ------
        BadValue : no token, or one of another order.
        """
        if not self.by:
            return key > bindparam("after", key_of(token), BigInteger)
        try:
            text, *values, last = orjson.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (ValueError, TypeError, binascii.Error) as exc:
            raise _bad() from exc
        if text != self.text or len(values) != len(self.by):
            raise _bad()
        further: list[ColumnElement[bool]] = []
        same: list[ColumnElement[bool]] = []
        for by, value in zip(self.by, values, strict=True):
            column = by.what.column
            if value is None:
                same.append(column.is_(None))
                continue
            at = _value(by.what, value)
            further.append(and_(*same, by.beyond(at)))
            same.append(column == at)
        rest = or_(*further, and_(*same, key > literal(_key(last), BigInteger)))
        first = self.by[0]
        if first.nullable:
            return rest
        # It says nothing new, but lets an index begin there.
        at = _value(first.what, values[0])
        return and_(first.what.column <= at if first.falling else first.what.column >= at, rest)


def key_of(token: str) -> int:
    """The key that is the token of a page in the order of nothing.

    Raises
    ------
    BadValue : it is none.
    """
    return _key(int(token) if token.isascii() and token.isdigit() else None)


def _value(what: Queryable, value: Any) -> ColumnElement[Any]:
    """A value of a token, which anybody may have written, as SQL of the column's own type."""
    match what.kind, value:
        case "text", str() if "\x00" not in value:
            return literal(value, Text)
        case "boolean", bool():
            return literal(value, Boolean)
        case "instant", str():
            return literal(parse_instant(value, "after"), TIMESTAMP(timezone=True))
        case "number", _ if what.schema["type"] == "integer":
            return literal(_key(value), BigInteger)
        case "number", float() if abs(value) < _MOST_REAL:
            return cast(literal(value, Double), what.column.type)  # a real is no double that looks the same
    raise _bad()


def _key(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MOST_ID:
        raise _bad()
    return value


def _bad() -> BadValue:
    return BadValue("after: is not the token of a page in this order", parameter="after")


def plain(value: Any) -> Any:
    """A value as a token keeps it."""
    return value.isoformat() if isinstance(value, datetime) else value
