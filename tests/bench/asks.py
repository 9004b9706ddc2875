"""The grid of questions: every length of window, at several places in time, with every mix and in every view."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from layers.heat.store.events import Events, Plane

DAY = 86_400
WINDOWS = {"8 h": DAY // 3, "7 d": 7 * DAY, "90 d": 90 * DAY, "1 y": 365 * DAY, "4 y": 4 * 365 * DAY}
MIXES = {  # how many categories, weighted, with what patrols found
    "one category": (1, False, True),
    "six, weighted": (6, True, True),
    "all, counted": (None, False, True),
    "all, weighted": (None, True, True),
    "without patrol": (None, False, False),
}
VIEWS = ("city", "district", "beat")
PLACES = 3


class Town(Protocol):
    """A city's events, and what is asked about them; times in seconds since 1970.

    codes, weight : of its categories.  planes : what `Events.plane` counts in.
    district : ids of some areas.  box : west, south, east, north in degrees of some square kilometres.
    beat : uint64[n], ascending, the cells with their centre in `box`.
    """

    time_zone: str
    codes: Sequence[str]
    weight: NDArray[np.int64]
    planes: Sequence[Plane]
    start: int
    end: int
    district: tuple[int, ...]
    box: tuple[float, float, float, float]
    beat: NDArray[np.uint64]

    def parts(self) -> Iterator[Events]:
        """All events, in the order of time from part to part."""


@dataclass(frozen=True, eq=False)
class Ask:
    """Incidents, or their weights, by base cell in the half-open window, in seconds since 1970.

    categories : codes counted; none means all.  areas : ids of the finest areas counted; none means all.
    box : what the centres of the cells counted lie in; none means all.  cells : those cells, uint64[n].
    """

    window: str
    place: int
    mix: str
    view: str
    start: int
    end: int
    categories: tuple[str, ...] | None
    weighted: bool
    patrol: bool
    areas: tuple[int, ...] | None
    box: tuple[float, float, float, float] | None
    cells: NDArray[np.uint64] | None


def asks(town: Town, places: int = PLACES, seed: int = 7) -> Iterator[Ask]:
    """Each question of the grid, the same for the same seed."""
    random = np.random.default_rng(seed)
    for window, length in WINDOWS.items():
        for place in range(places):
            start = int(random.integers(town.start, town.end - length))
            drawn = {
                size: tuple(sorted(random.choice(town.codes, size, replace=False).tolist())) for size in (1, 6)
            }
            for mix, (size, weighted, patrol) in MIXES.items():
                for view in VIEWS:
                    yield Ask(
                        window, place, mix, view, start, start + length, drawn.get(size), weighted, patrol,
                        town.district if view == "district" else None,
                        *((town.box, town.beat) if view == "beat" else (None, None)),
                    )  # fmt: skip
