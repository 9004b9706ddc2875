"""Rows that were pushed as JSON: read strictly, cut to the columns that their source takes, and masked."""

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Never

from layers.core.errors import InputError, SourceError, TooLarge
from layers.records.personal import mask, personal

MOST_ROWS = 10_000

Plain = str | int | float | bool | None


@dataclass(frozen=True)
class Declared:
    """What a source says of its columns: those it takes, and of these the ones of its key and the ones to mask."""

    taken: list[str]
    key: list[str]
    texts: list[str]


@dataclass(frozen=True)
class Pushed:
    """Rows fit to be stored, each with every column that is taken; `masked` counts spans by column and kind."""

    rows: list[dict[str, Plain]]
    masked: Counter[tuple[str, str]]


def read(body: bytes, declared: Declared) -> Pushed:
    """Read a JSON array of flat objects; other columns than those taken are dropped.

    Raises
    ------
    InputError : it is none, or a value is not plain; names row (from 1) and column.
    TooLarge : there are more than MOST_ROWS.
    SourceError : a key names a person; the row cannot be stored, for a key cannot be masked.
    """
    masked: Counter[tuple[str, str]] = Counter()
    rows = []
    for number, found in enumerate(_array(body), 1):
        row = _flat(number, found, declared)
        for column in declared.key:
            if personal(row[column]):
                said = f"row {number}, column '{column}': the key names a person"
                raise SourceError(said, row=number, column=column)
        for column in declared.texts:
            value = row[column]
            if isinstance(value, str) or type(value) is int:
                covered = mask(str(value))
                if covered.spans:
                    row[column] = covered.text
                    masked.update((column, span.kind) for span in covered.spans)
        rows.append(row)
    return Pushed(rows, masked)


class _Pairs(list[tuple[str, Any]]):
    """The members of an object as they came, a name perhaps twice."""


def _array(body: bytes) -> list[Any]:
    try:
        found = json.loads(body.decode(), object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        raise InputError(f"the body is not UTF-8 at byte {exc.start}") from exc
    except (ValueError, RecursionError) as exc:
        raise InputError(f"the body cannot be read as JSON: {exc}") from exc
    if not isinstance(found, list) or isinstance(found, _Pairs) or not found:
        raise InputError("the body is not a JSON array of objects, one a row")
    if len(found) > MOST_ROWS:
        raise TooLarge(f"{len(found):,} rows; at most {MOST_ROWS:,} are taken at a time", most=MOST_ROWS)
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number in JSON")


def _flat(number: int, found: object, declared: Declared) -> dict[str, Plain]:
    """One row of the columns that are taken."""
    if not isinstance(found, _Pairs):
        raise InputError(f"row {number} is not an object", row=number)
    row = dict(found)
    wrong = [(name, fault) for name, value in found if (fault := _fault(value))]
    if len(row) < len(found):
        wrong.append(
            (next(name for name, times in Counter(n for n, _ in found).items() if times > 1), "is there twice")
        )
    wrong += [
        (name, "is missing; where there is no value, say null") for name in declared.taken if name not in row
    ]
    if wrong:
        name, fault = wrong[0]
        # What a source does not name may be anything, so it is not repeated.
        where = f"column '{name}'" if name in declared.taken else "a column that is not taken"
        column = {"column": name} if name in declared.taken else {}
        raise InputError(f"row {number}, {where} {fault}", row=number, **column)
    return {name: row[name] for name in declared.taken}


def _fault(value: object) -> str | None:
    """Why a value is not plain; none where it is."""
    if isinstance(value, list):
        return "holds a list or an object, no plain value"
    if isinstance(value, float) and not math.isfinite(value):
        return "holds a number that is too large"
    if isinstance(value, str):
        if "\0" in value:
            return "holds a NUL character"
        if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
            return "holds half a character"
    return None
