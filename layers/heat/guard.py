"""What one could find out about the parts of a merged cell who knows every rule and every exact sum.

A merged cell is the sum of parts that are not published themselves, and of each part it is known what it may be:
otherwise it would have been published. From the sum and those limits follow limits of the part. The sum may be
told where none of them is closer than what is known anyway, 1 to k-1, for any part and for any of its own parts,
down to the finest.

Whether it may be told is decided from nothing but the sum and what is known anyway, never from the parts as they
are. So any other parts of the same sum would have been treated alike, and that a cell is published, or is not,
gives no further hint. (Kenthapadi, Mishra and Nissim 2005 call this simulatable auditing.)

A set of numbers is an int here: bit i is set where i is in it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

CACHED = 1 << 14


class View(NamedTuple):
    """The sums with which one count inside a part agrees, if it is what its name says.

    secret : 1 to k-1, so that it has to be hidden.
    low : at most 1.
    high : at least k-1.
    """

    secret: int
    low: int
    high: int


@dataclass(frozen=True)
class Part:
    """A sum that is not published: what it may be, and what each count inside it would make of it."""

    hidden: int
    views: frozenset[View]


def between(low: int, high: int) -> int:
    """The set of all numbers from `low`, which is not negative, to `high`; none where that is less."""
    return (1 << high + 1) - (1 << low) if low <= high else 0


def part(count: int, whole: int | None, k: int) -> tuple[int, Part]:
    """A count that is too small, or leaves too little of a published `whole`, as a start and a part from there.

    One with a large `whole` is near nothing or near all of it. It is taken for known which, so sets stay small.
    """
    if whole is not None and whole >= 2 * k - 1 and count >= k:
        # The rest of the whole is 1 to k-1, seen from k-1 downwards.
        every = between(0, k - 2)
        return whole - (k - 1), Part(every, frozenset([View(every, 1 << k - 2, 1)]))
    most = k - 1 if whole is None or whole >= 2 * k - 1 else whole - 1
    return 0, Part(between(0, most), frozenset([View(between(1, most), 0b11, between(k - 1, most))]))


@lru_cache(CACHED)
def several(cells: int, whole: int, k: int) -> tuple[int, Part]:
    """What may be told of some cells, each below k, of a published sum, `whole`; and the part while it is not.

    Each must be able to be 0 or k-1, and the rest of the whole must be none or at least k, as k-1 of it may lie in
    one cell.
    """
    every = between(0, min(cells * (k - 1), whole))
    told = every & between(k, (cells - 1) * (k - 1)) & ~between(whole - k + 1, whole - 1)
    hidden = every & ~told
    inside = View(
        hidden & ~1, hidden & between(0, (cells - 1) * (k - 1)), hidden & between(k - 1, cells * (k - 1))
    )
    outside = View(hidden & between(0, whole - 1), hidden, hidden & between(0, whole - k + 1))
    return told, Part(hidden, frozenset([inside, outside]))


@lru_cache(CACHED)
def merge(parts: tuple[Part, ...], least: int) -> tuple[int, Part]:
    """The sums of these parts that may be told, of at least `least`; and the merged part while none is told."""
    before = [1]
    for each in parts:
        before.append(_sums(before[-1], each.hidden))
    views, unsafe, after = set(), 0, 1
    for each, left in zip(reversed(parts), reversed(before[:-1]), strict=True):
        others = _sums(left, after)
        for view in each.views:
            seen = View(*(_sums(others, which) for which in view))
            unsafe |= seen.secret & ~(seen.low & seen.high)
            views.add(seen)
        after = _sums(after, each.hidden)
    told = before[-1] & ~unsafe & ~between(0, least - 1)
    return told, Part(before[-1] & ~told, frozenset(View(*(which & ~told for which in view)) for view in views))


@lru_cache(CACHED)
def _sums(a: int, b: int) -> int:
    """Every sum of a number of one set and a number of the other."""
    if a.bit_count() < b.bit_count():
        a, b = b, a
    found = 0
    while b:
        lowest = b & -b
        found |= a << lowest.bit_length() - 1
        b ^= lowest
    return found
