"""The supervision office's list: one line an item, with its term, its office, and how long it is over."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from sqlalchemy import ColumnElement, Select, and_, case, extract, func, literal, or_, select, true, tuple_
from sqlalchemy.types import DateTime, Numeric

from layers.catalog.subtree import inside
from layers.core.errors import BadValue
from layers.core.span import parse_instant
from layers.core.statement import Statement
from layers.records.personal import excerpt
from layers.schema.casebook import ledger_item
from layers.schema.tables import area

MOST = 1000
"""Items of one page."""

Sort = Literal["due", "-due", "over", "-over", "reported", "-reported"]
Standing = Literal["green", "warn", "overdue", "red", "none"]

_INSTANT, _SECONDS = DateTime(timezone=True), Numeric(20, 6)
_NONE = "none"
_PARTS, _DIGITS = 5, 18
_table = ledger_item.c


@dataclass(frozen=True)
class Filter:
    """What of the list is asked for, as it stands at `at`; what is none does not restrict it.

    start, end : when it was reported, half-open.  area_id : the area and all below it.
    colour : how the term stands, or stood when it was met; `none` is without a term.
    """

    at: datetime
    unit: str | None = None
    state: str | None = None
    is_open: bool | None = None
    colour: Standing | None = None
    category: str | None = None
    workflow: str | None = None
    area_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """All conditions, each with its values bound."""
        found = [
            column == given
            for column, given in (
                (_table.unit, self.unit),
                (_table.state, self.state),
                (_table.is_open, self.is_open),
                (_table.category, self.category),
                (_table.workflow, self.workflow),
            )
            if given is not None
        ]
        if self.colour is not None:
            found.append(_colour(self.at) == self.colour)
        if self.area_id is not None:
            found.append(inside(_table.area_id, self.area_id))
        if self.start is not None:
            found.append(_table.reported_at >= literal(self.start, _INSTANT))
        if self.end is not None:
            found.append(_table.reported_at < literal(self.end, _INSTANT))
        return found

    def of(self, at: datetime) -> Self:
        """The same list as it stands at another moment."""
        return replace(self, at=at)

    def told(self) -> dict[str, object]:
        """What restricts it, for the row of an export; texts as they are fit to be kept for ever."""
        given = {name: value for name, value in vars(self).items() if name != "at" and value is not None}
        return {name: _fit(value) for name, value in given.items()}


def _fit(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return excerpt(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Place:
    """The last item of a page: the moment that the page is of, what it is sorted by, and which item it is."""

    at: datetime
    key: datetime | Decimal | None
    item: str
    item_id: int

    @classmethod
    def parse(cls, text: str, sort: Sort) -> Self:
        """From the text that `str` gives.

        Raises
        ------
        BadValue : it is none of a list in that order.
        """
        parts = text.split("~")
        if len(parts) != _PARTS or parts[0] != sort.removeprefix("-"):
            raise BadValue(f"after: '{text[:60]}' is no place in a list by {sort}", parameter="after")
        _, at, key, item, number = parts
        if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS) or not item.isalpha():
            raise BadValue(f"after: '{text[:60]}' is no place in the list", parameter="after")
        return cls(parse_instant(at, "after"), _key(key, sort), item, int(number))

    def text(self, sort: Sort) -> str:
        """As `parse` reads it."""
        at, key = self.at.isoformat(), self.key
        told = _NONE if key is None else key.isoformat() if isinstance(key, datetime) else str(key)
        return "~".join((sort.removeprefix("-"), at, told, self.item, str(self.item_id)))


def _key(text: str, sort: Sort) -> datetime | Decimal | None:
    if text == _NONE:
        return None
    if not sort.endswith("over"):
        return parse_instant(text, "after")
    try:
        seconds = float(text)
        timedelta(seconds=seconds)
        return Decimal(text)
    except (ValueError, OverflowError, ArithmeticError) as exc:
        raise BadValue(f"after: '{text[:60]}' is no place in the list", parameter="after") from exc


def page(wanted: Filter, sort: Sort, limit: int, after: Place | None = None) -> Statement:
    """One page; one row more tells that a page follows. What the order has no key for comes last.

    Rows: COLUMNS, of which area is a code, and key, what they are sorted by.
    """
    key = _sorted_by(sort, wanted.at)
    order = (key.desc() if sort.startswith("-") else key.asc()).nulls_last()
    statement = _lines(wanted).add_columns(key.label("key")).where(_beyond(key, sort, after))
    return Statement.of(statement.order_by(order, _table.item, _table.item_id).limit(limit + 1))


def every(wanted: Filter, sort: Sort, limit: int) -> Statement:
    """The same rows without `key`, all of them up to a limit."""
    key = _sorted_by(sort, wanted.at)
    order = (key.desc() if sort.startswith("-") else key.asc()).nulls_last()
    return Statement.of(_lines(wanted).order_by(order, _table.item, _table.item_id).limit(limit))


def count(wanted: Filter, most: int) -> Statement:
    """One value: how many there are, counted no further than one beyond `most`."""
    found = select(literal(1)).select_from(ledger_item).where(*wanted.where()).limit(most + 1).subquery()
    return Statement.of(select(func.count()).select_from(found))


def next_place(row: dict[str, Any], at: datetime) -> Place:
    """Where the page after a row of `page` begins."""
    return Place(at, row["key"], row["item"], row["item_id"])


_OWN = ("item", "item_id", "workflow", "category", "unit", "state", "is_open", "reported_at", "due_at", "met_at")
COLUMNS = (*_OWN, "colour", "area", "area_zh", "area_en")


def _lines(wanted: Filter) -> Select[Any]:
    columns = [_table[name] for name in _OWN]
    areas = [area.c.code.label("area"), area.c.name_zh.label("area_zh"), area.c.name_en.label("area_en")]
    rows = ledger_item.outerjoin(area, area.c.area_id == _table.area_id)
    return select(*columns, _colour(wanted.at).label("colour"), *areas).select_from(rows).where(*wanted.where())


def _colour(at: datetime) -> ColumnElement[str]:
    now = func.coalesce(_table.met_at, literal(at, _INSTANT))
    colour = func.onemap.term_colour(_table.warn_at, _table.due_at, _table.red_at, now)
    return case((_table.due_at.is_(None), literal(_NONE)), else_=colour)


def _sorted_by(sort: Sort, at: datetime) -> ColumnElement[Any]:
    match sort.removeprefix("-"):
        case "due":
            return _table.due_at
        case "reported":
            return _table.reported_at
    end = func.coalesce(_table.met_at, literal(at, _INSTANT))
    return extract("epoch", end - _table.due_at)


def _beyond(key: ColumnElement[Any], sort: Sort, after: Place | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    later = tuple_(_table.item, _table.item_id) > tuple_(literal(after.item), literal(after.item_id))
    if after.key is None:
        return and_(key.is_(None), later)
    last: Any = literal(after.key, _INSTANT if isinstance(after.key, datetime) else _SECONDS)
    return or_(key < last if sort.startswith("-") else key > last, and_(key == last, later), key.is_(None))
