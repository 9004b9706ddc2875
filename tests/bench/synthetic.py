"""A city of skewed incidents, the same for the same seed: 108 871 cells of one disk, five years, any number of events.

Cells are lognormal (sigma 1.6), half of it in clumps of some 1.5 km; categories follow Zipf, some with a share that
patrols found; hours and weekdays have their rhythm, and the city grows. A part is a month and depends on the seed and
its number alone, so that nothing has to be kept.
"""

from collections.abc import Iterator
from functools import cached_property

import h3
import numpy as np
from numpy.typing import NDArray

from layers.geo import hexgrid
from layers.heat.store.events import Events, Plane

RES, RINGS, CENTRE = 10, 190, (114.30, 30.60)
START, YEARS, PARTS = 1_546_300_800, 5, 60  # from 2019-01-01 UTC
HOURS = YEARS * 365 * 24 + 24  # one leap day
AREAS, CATEGORIES, PATROLLED, ZONE_TYPES, RISK_AREAS = 140, 24, 6, 6, 60
DISTRICT, BEAT_M = 7, 2000
SIGMA, CLUMP_M, EDGE_M, EDGE_SHARE = 1.6, 1500.0, 120.0, 0.3

# Shares of a day's incidents by hour, and of a week's by weekday from Monday.
_DAY = np.array([5, 4, 3, 2, 1.5, 1.5, 2, 3, 4, 4.5, 4.5, 5, 5.5, 5, 5, 5.5, 6, 6.5, 6.5, 6, 5.5, 5.5, 5.5, 5])
_WEEK = np.array([1.0, 0.98, 0.97, 1.0, 1.1, 1.15, 1.05])


class Synthetic:
    """`count` events.

    cells : uint64[108871], ascending.  zones : uint32[n], mask of the zone types that a cell lies in.
    codes, weight : of the 24 categories, weights 1..50.  planes : what `Events.plane` counts in.
    start, end : seconds since 1970 that the events lie between.
    district : ids of the seven areas in the middle.
    box : west, south, east, north of the 2 x 2 km in the middle, degrees.  beat : cells with their centre in it.
    """

    def __init__(self, count: int, seed: int = 4) -> None:
        self.count, self.seed = count, seed
        random = np.random.default_rng(seed)
        disk = h3.grid_disk(h3.latlng_to_cell(CENTRE[1], CENTRE[0], RES), RINGS)
        self.cells = np.sort(np.array([int(cell, 16) for cell in disk], dtype=np.uint64))
        self.time_zone = "Asia/Shanghai"
        self.start, self.end = START, START + HOURS * 3600
        self.codes = [f"c{number:02}" for number in range(CATEGORIES)]
        self.weight = random.integers(1, 51, CATEGORIES)
        self.planes = [Plane(code, patrol=False) for code in self.codes]
        self.planes += [Plane(code, patrol=True) for code in self.codes[:PATROLLED]]
        share = 1 / np.arange(1, CATEGORIES + 1)
        found = share[:PATROLLED] * random.uniform(0.1, 0.6, PATROLLED)
        self._plane_share = _cumulative(
            np.concatenate([share - np.pad(found, (0, CATEGORIES - PATROLLED)), found])
        )
        self._lay_out(random)

    def _lay_out(self, random: np.random.Generator) -> None:
        """Intensity, areas and zone masks of the cells; a cell on a border has an entry for each of two areas."""
        centres, count = hexgrid.centre(self.cells), self.cells.size
        metres = np.array([111_320 * np.cos(np.radians(CENTRE[1])), 110_950])  # of a degree
        places = (centres - CENTRE) * metres
        corner = BEAT_M / 2 / metres
        self.box = (*(CENTRE - corner), *(CENTRE + corner))
        self.beat = self.cells[(np.abs(centres - CENTRE) < corner).all(axis=1)]
        waves, phases = random.normal(0, 1 / CLUMP_M, (2, 64)), random.uniform(0, 2 * np.pi, 64)
        clump = np.cos(places @ waves + phases).sum(axis=1) * np.sqrt(2 / 64)
        intensity = np.exp(SIGMA * np.sqrt(0.5) * (clump + random.normal(size=count)))
        middles = places[random.choice(count, AREAS, replace=False)]
        self.district = tuple((np.argsort(np.hypot(*middles.T))[:DISTRICT] + 1).tolist())
        distance = np.hypot(*(places[:, None, axis] - middles[None, :, axis] for axis in (0, 1)))
        near = np.argpartition(distance, 1, axis=1)[:, :2]
        reach = np.take_along_axis(distance, near, axis=1)
        edge = np.flatnonzero(np.abs(reach[:, 1] - reach[:, 0]) < EDGE_M)
        first = np.where(reach[:, 1] < reach[:, 0], 1, 0)
        rows = np.arange(count)
        intensity_of_edge = intensity[edge] * EDGE_SHARE
        intensity[edge] -= intensity_of_edge
        self._entry_cell = np.concatenate([rows, edge]).astype(np.uint32)
        self._entry_area = np.concatenate([near[rows, first], near[edge, 1 - first[edge]]]) + 1
        self._entry_share = _cumulative(np.concatenate([intensity, intensity_of_edge]))
        self.zones = np.zeros(count, dtype=np.uint32)
        for bit in range(ZONE_TYPES):
            for at in random.choice(count, RISK_AREAS, replace=False):
                inside = np.hypot(*(places - places[at]).T) < random.uniform(200, 900)
                self.zones[inside] |= np.uint32(1 << bit)

    @cached_property
    def _hours(self) -> NDArray[np.float64]:
        """Share of the events in each hour of the five years."""
        hour = np.arange(HOURS)
        growth = 1 + 0.5 * hour / HOURS
        return growth * _DAY[hour % 24] * _WEEK[(hour // 24 + 1) % 7]  # 2019 begins on a Tuesday

    def part(self, number: int) -> Events:
        """Events of one of the 60 parts in no order; a part covers an equal number of hours, parts follow in time."""
        edges = np.linspace(0, HOURS, PARTS + 1).astype(np.int64)
        until = np.concatenate([[0], np.cumsum(self._hours)])[edges] / self._hours.sum()
        count = round(self.count * until[number + 1]) - round(self.count * until[number])
        random = np.random.default_rng([self.seed, number])
        low, high = edges[number : number + 2]
        hour = low + _draw(random, _cumulative(self._hours[low:high]), count)
        entry = _draw(random, self._entry_share, count)
        cell = self._entry_cell[entry]
        return Events(
            t=START + hour * 3600 + random.integers(0, 3600, count),
            cell=self.cells[cell],
            area=self._entry_area[entry],
            plane=_draw(random, self._plane_share, count).astype(np.int16),
            zones=self.zones[cell],
        )

    def parts(self) -> Iterator[Events]:
        """All of them, in the order of time."""
        return (self.part(number) for number in range(PARTS))


def _cumulative(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cumsum(share) / share.sum()


def _draw(random: np.random.Generator, cumulative: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of `count` draws, each with its share."""
    drawn = np.searchsorted(cumulative, random.random(count), side="right")
    return np.minimum(drawn, cumulative.size - 1)
