"""A bounding box in lon-lat degrees, which may cross the antimeridian."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from layers.core.errors import BadValue

# Python's float() would take other scripts' digits and underscores; a box is plain ASCII decimals.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def _number(text: str, parameter: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise BadValue(f"{parameter}: '{text[:40]}' is not a number", parameter=parameter)
    return value


def numbers(text: str, parameter: str) -> list[float]:
    """Read numbers with commas between them.

    Raises
    ------
    BadValue : one of them is not finite.
    """
    return [_number(part, parameter) for part in text.split(",")]


def sides(found: Sequence[float], parameter: str) -> tuple[float, float, float, float]:
    """The four sides of a box given as four numbers, or as six with heights, which are not used.

    Raises
    ------
    BadValue : neither four nor six.
    """
    if len(found) not in (4, 6):
        raise BadValue(f"{parameter}: needs 4 or 6 numbers, got {len(found)}", parameter=parameter)
    half = len(found) // 2
    return found[0], found[1], found[half], found[half + 1]


@dataclass(frozen=True)
class Bbox:
    """West, south, east, north in degrees; west > east means that the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str, parameter: str = "bbox") -> Self:
        """Read four numbers, or six with heights, which are not used.

        Raises
        ------
        BadValue : not four or six finite numbers, or south above north, or outside the globe.
        """
        return cls.of(*sides(numbers(text, parameter), parameter), parameter)

    @classmethod
    def of(cls, west: float, south: float, east: float, north: float, parameter: str = "bbox") -> Self:
        """Make a box of four numbers.

        Raises
        ------
        BadValue : south above north, or outside the globe.
        """
        if south > north:
            raise BadValue(f"{parameter}: south {south} lies above north {north}", parameter=parameter)
        if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:  # noqa: PLR2004
            raise BadValue(f"{parameter}: outside the globe", parameter=parameter)
        return cls(west, south, east, north)

    def parts(self) -> list[tuple[float, float, float, float]]:
        """One box, or the two on either side of the antimeridian, each (west, south, east, north)."""
        if self.west <= self.east:
            return [(self.west, self.south, self.east, self.north)]
        return [(self.west, self.south, 180.0, self.north), (-180.0, self.south, self.east, self.north)]

    def clip(self, other: "Bbox") -> "Bbox | None":
        """The part of this box inside `other`, which does not cross the antimeridian; none if they are apart."""
        for west, south, east, north in self.parts():
            w, s, e, n = (
                max(west, other.west),
                max(south, other.south),
                min(east, other.east),
                min(north, other.north),
            )
            if w <= e and s <= n:
                return Bbox(w, s, e, n)
        return None
