"""Spans of a text that name a person, and the text without them. Places and events are kept, persons are not.

The one place that knows: files, feeds and pushes are masked by it, as a value (here) and as a column (`columns`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

from layers.records import identifiers, names


class Span(NamedTuple):
    """Characters `start` to `end` (half-open) of a text name a person; `kind` says how."""

    kind: str
    start: int
    end: int


class Masked(NamedTuple):
    """A text in which each of `spans`, in the order of the text before, is now `[kind]`."""

    text: str
    spans: tuple[Span, ...]


_FINDERS: tuple[tuple[str, str, Callable[[str], identifiers.Spans]], ...] = (
    ("email", identifiers.EMAIL_CLUE, identifiers.emails),
    ("id", identifiers.CARD_CLUE, identifiers.cards),
    ("phone", identifiers.PHONE_CLUE, identifiers.phones),
    ("plate", identifiers.PLATE_CLUE, identifiers.plates),
    ("account", identifiers.ACCOUNT_CLUE, identifiers.accounts),
    ("name", names.TITLE_CLUE, names.titled),
    ("name", names.MARK_CLUE, names.marked),
    ("name", names.ENGLISH_CLUE, names.english),
)
_CLUES = tuple(re.compile(clue) for _, clue, _ in _FINDERS)
_HIDDEN = "\0"

CLUE = "|".join(clue for _, clue, _ in _FINDERS)
"""What every text that names a person holds: a regular expression that Python and RE2 read alike."""
_CLUE = re.compile(CLUE)

# Sign for sign, so that a span of the plain text is one of the text itself.
_PLAIN = {full: chr(full - 0xFEE0) for full in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys(map(ord, "\t\u00a0\u200b\u200c\u200d\u2002\u2003\u2009\u202f\u2060\u3000\ufeff"), " ")
_PLAIN |= dict.fromkeys(map(ord, "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_PLAIN |= dict.fromkeys(map(ord, "\u2022\u2027\u2219\u22c5\u30fb\uff65"), "·")

_DIGITS = re.compile(r"(?P<date>\d{4}(?P<sep>[-/.])\d{1,2}(?P=sep)\d{1,2}(?!\d))|\d(?:[ .-]?\d){6,}")
_FIRST_TICKET = 2010
_EARLIEST_OF_15 = 1940


def mask(text: str) -> Masked:
    """The text with a short marker for each span that names a person; masking it again changes nothing."""
    spans = find(text)
    kept = [0, *chain.from_iterable((span.start, span.end) for span in spans), len(text)]
    pieces = [text[start:end] for start, end in zip(kept[::2], kept[1::2], strict=True)]
    markers = [f"[{span.kind}]" for span in spans]
    return Masked("".join(chain.from_iterable(zip(pieces, [*markers, ""], strict=True))), spans)


def find(text: str) -> tuple[Span, ...]:
    """Spans that name a person, in the order of the text.

    What was found is hidden, and the search repeated until it finds nothing: what stands beside a marker is then
    judged as it will be when the masked text is masked again, as no finder takes a hidden sign or a bracket.
    """
    if not _CLUE.search(text):
        return ()
    signs = list(text.translate(_PLAIN))
    spans: list[Span] = []
    before = -1
    while len(spans) > before:
        before = len(spans)
        for clue, (kind, _, finder) in zip(_CLUES, _FINDERS, strict=True):
            seen = "".join(signs)
            for start, end in finder(seen) if clue.search(seen) else ():
                if _HIDDEN not in signs[start:end]:
                    signs[start:end] = _HIDDEN * (end - start)
                    spans.append(Span(kind, start, end))
    return tuple(sorted(spans, key=lambda span: span.start))


def kinds(text: str) -> Counter[str]:
    """How many spans of each kind name a person."""
    return Counter(span.kind for span in find(text))


def personal(value: object) -> frozenset[str]:
    """Kinds of which a key is as a whole; empty for a key that names no person.

    A key is refused only when all of it, trimmed, is an ID number, a telephone, a plate, an e-mail address, or a
    name with its title or the word before it. Two rules hold for keys alone, as numbers that count look alike.
    Digits in one piece are a telephone only as a mobile (11 digits from 13 to 19, with or without 86). A number of
    region and date is a ticket rather than an ID card where the date is of 2010 or later; in the form of 15
    digits, whose years have two, also where it is of before 1940.
    """
    text = str(value).strip()
    found = find(text)
    if len(found) != 1:
        return frozenset()
    kind, start, end = found[0]
    rest = (text[:start] + text[end:]).translate(_PLAIN).strip(" :")
    whole = not rest or (kind == "name" and names.is_mark(rest))
    number = text.translate(_PLAIN)
    if kind == "phone" and number.isdecimal():
        whole = identifiers.is_mobile(number)
    elif kind == "id":
        number = re.sub("[ -]", "", number)
        born = identifiers.birth(number) if whole else None
        earliest = _EARLIEST_OF_15 if len(number) == len("440524800101001") else 0
        whole = born is not None and earliest <= born.year < _FIRST_TICKET
    return frozenset({kind}) if whole else frozenset()


def excerpt(value: object, limit: int = 60) -> str:
    """A value fit to be kept: at most `limit` characters, masked, printable and without a long run of digits.

    Seven digits and more may be part of a number that nobody recognised; what is laid out as a date is not.
    """
    shown = mask(str(value)).text
    shown = _DIGITS.sub(lambda run: run[0] if run["date"] else "#" * len(run[0]), shown)
    return printable(shown if len(shown) <= limit else shown[: limit - 1] + "…")


def printable(text: str) -> str:
    """A text on one line as it can be stored and shown: other white space is a space.

    Half a surrogate pair, what controls a terminal and what turns the direction of a text become U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(
        " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}" if unicodedata.category(sign)[0] == "C" else sign
        for sign in text
    )
