"""One who wants to know what the public product hides: with linear programs, and by trying every other city.

The attacker knows the rules, all sums before they are rounded, where the city and its risk areas lie, and of a large
published cell whether few or nearly all of its incidents lie in a zone. A hidden count may be anything from 1 to k-1
to him; what lies outside a zone may besides be known to be at least the cell's published count less k-1.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from layers.geo import hexgrid
from layers.heat import public
from layers.heat.adaptive import Grain
from layers.heat.ground import Ground

K = public.K

# A finest cell lies outside all zones of a type, or half inside, or wholly.
OUTSIDE, HALF, INSIDE = (0,), (0, 1), (1,)


def _children(cell):
    res = int(hexgrid.resolution(np.array([cell], np.uint64))[0]) + 1
    first, _ = hexgrid.children_range(cell, res)
    return [first + i * (1 << 3 * (hexgrid.FINEST - res)) for i in range(7)]


def _ancestors(cell):
    """The cell itself, if it is published, and what it may be merged into, finest first."""
    own = int(hexgrid.resolution(np.array([cell], np.uint64))[0])
    return [
        int(hexgrid.parent(np.array([cell], np.uint64), res)[0]) for res in range(own, public.COARSEST_RES - 1, -1)
    ]


def _cells(given):
    return np.array(list(given), np.uint64)


def _shown(cells):
    return dict(zip(cells.cell.tolist(), cells.count.tolist(), strict=True))


WEST, EAST = _children(hexgrid.at(10.0, 50.0, 6)), _children(hexgrid.at(10.1, 50.0, 6))
BLOCKS = [_children(WEST[0]), _children(WEST[1])[:3], _children(WEST[2])[:2], _children(EAST[0])[:3]]


@dataclass(frozen=True)
class Town:
    """A city of a few finest cells: the masks of zone types that can be in each, and its incidents by mask."""

    masks: dict[int, list[int]]
    counts: dict[tuple[int, int], int]
    types: int

    @cached_property
    def ground(self):
        """What the map shows: where each zone type reaches, and which cells zones cover."""
        zones = [
            [cell for cell, masks in self.masks.items() if any(m >> bit & 1 for m in masks)]
            for bit in range(self.types)
        ]
        covered = [cell for cell, masks in self.masks.items() if 0 not in masks]
        return Ground(_cells(self.masks), [_cells(each) for each in zones], _cells(covered))

    def published(self, grain=public.GRAIN):
        """The published cells, exact, of `all` and of each zone type."""
        cell, zones = np.array(list(self.counts), np.int64).T
        parts = public.product(
            cell.astype(np.uint64), zones, np.array(list(self.counts.values())), self.ground, grain
        )
        return [_shown(each) for each in parts]


@st.composite
def towns(draw):
    types = draw(st.integers(1, 3))
    cells = [cell for block in BLOCKS for cell in block[: draw(st.integers(0, len(block)))]]
    few = st.sampled_from([0, 0, 0, 1, 2, 5, 8, 9, 9])
    many = st.sampled_from([0, 1, 9, 10, 11, 15, 30])
    masks, counts = {}, {}
    for cell in cells or BLOCKS[0]:
        reach = [draw(st.sampled_from([OUTSIDE, OUTSIDE, OUTSIDE, HALF, HALF, INSIDE])) for _ in range(types)]
        masks[cell] = [sum(in_it << bit for bit, in_it in enumerate(each)) for each in product(*reach)]
        for mask in masks[cell]:
            counts[cell, mask] = draw(many if draw(st.integers(0, 3)) == 0 else few)
    return Town(masks, counts, types)


class Attacker:
    """What he writes down as equations, and the counts that he gets from them."""

    def __init__(self, town, published):
        self.town = town
        self.unknowns = list(town.counts)
        self.equal, self.at_most, self.worlds = [], [], []
        whole, *zones = published
        self.home = {cell: next((up for up in _ancestors(cell) if up in whole), None) for cell in town.masks}
        for cell, total in whole.items():
            self.equal.append((self.row(lambda at, _, cell=cell: self.home[at] == cell), total))
        for cell in town.masks:
            if cell not in whole:
                self.at_most.append((self.row(lambda at, _, cell=cell: at == cell), K - 1))
        for bit, zone in enumerate(zones):
            self.read(bit, zone, whole)

    def row(self, counts):
        return np.array([float(counts(cell, mask)) for cell, mask in self.unknowns])

    def read(self, bit, zone, whole):
        """Cells of a zone type: each is told alone, or it is among those that make up a merged cell."""
        truth = np.array(list(self.town.counts.values()))
        alone, parts, covered = {}, {}, set(self.town.ground.covered.tolist())
        for each, total in whole.items():
            inside = self.row(lambda at, mask, each=each: self.home[at] == each and mask >> bit & 1)
            outside = self.row(lambda at, mask, each=each: self.home[at] == each and not mask >> bit & 1)
            bare = sum(self.home[cell] == each and cell not in covered for cell in self.town.masks)
            n, rest = inside @ truth, outside @ truth
            if each in self.town.masks:
                told = n >= K and (rest == 0 or rest >= K)
            elif total <= (bare - 1) * (K - 1):
                told = K <= n <= (self.reaching(each, bit) - 1) * (K - 1) and (rest == 0 or rest >= K)
            else:
                continue
            if told:
                alone[each] = n
                self.equal.append((inside, n))
                continue
            parts[each] = inside
            if each in self.town.masks and total >= 2 * K - 1:
                self.at_most.append((inside if n < K else outside, K - 1))
            else:
                self.at_most.append((inside, total - (each in self.town.masks)))
        merged = {each: total - alone.get(each, 0) for each, total in zone.items()}
        sums = defaultdict(lambda: np.zeros(len(self.unknowns)))
        for each, row in parts.items():
            into = next((up for up in _ancestors(each) if merged.get(up, 0)), None)
            if into is not None:
                sums[into] += row
        for each, row in sums.items():
            self.equal.append((row, merged[each]))

    def reaching(self, each, bit):
        """How many finest cells of a published one a zone type touches."""
        return sum(self.home[cell] == each for cell in self.town.ground.zones[bit].tolist())

    def solve(self, row):
        """The least of a sum in any city that he cannot tell from the true one."""
        matrices = {}
        for name, rows in (("eq", self.equal), ("ub", self.at_most)):
            if rows:
                matrices |= {
                    f"A_{name}": np.array([r for r, _ in rows]),
                    f"b_{name}": np.array([n for _, n in rows]),
                }
        found = linprog(row, **matrices, bounds=(0, None), method="highs")
        assert found.status == 0, found.message
        self.worlds.append(found.x)
        return found.fun

    def least(self, row, enough):
        return (
            min((row @ world for world in self.worlds), default=np.inf) <= enough
            or self.solve(row) <= enough + 1e-6
        )

    def most(self, row, enough):
        return (
            max((row @ world for world in self.worlds), default=-1) >= enough or -self.solve(-row) >= enough - 1e-6
        )

    def finds(self):
        """Hidden counts that he knows better than he may."""
        truth = np.array(list(self.town.counts.values()))
        for cell in self.town.masks:
            everything = self.row(lambda at, _, cell=cell: at == cell)
            floor = everything @ truth - (K - 1) if self.home[cell] == cell else 1
            hidden = [("all", everything, 1)]
            for bit in range(self.town.types):
                inside = self.row(lambda at, mask, cell=cell, bit=bit: at == cell and mask >> bit & 1)
                hidden += [(f"in {bit}", inside, 1), (f"outside {bit}", everything - inside, max(1, floor))]
            for what, row, low in hidden:
                if 1 <= row @ truth < K and not (self.least(row, low) and self.most(row, K - 1)):
                    yield cell, what, int(row @ truth)


def _drained():
    """A zone type tells 11 of a cell of 10 and part of a merged one, of which less is left for its other cells."""
    masks = [[0], [0, 1], [2], [0, 2], [0, 2]]
    cells = [*BLOCKS[3][:2], *BLOCKS[0][:3]]
    counts = [[0], [8, 0], [0], [0, 2], [1, 9]]
    each = zip(cells, masks, counts, strict=True)
    return Town(
        dict(zip(cells, masks, strict=True)),
        {(cell, mask): n for cell, of, ns in each for mask, n in zip(of, ns, strict=True)},
        2,
    )


@settings(max_examples=600)
@example(_drained())
@given(towns())
def test_linear_programs_bound_no_hidden_count_closer_than_1_to_9(town):
    assert list(Attacker(town, town.published()).finds()) == []


# k is 3 here, so that a small city has few enough states for all of them to be tried.
SMALL = Grain(3, public.FINEST_RES, 6)


def _every(masks, most):
    """Every state of a city with up to `most` incidents in a cell."""
    of_cell = [
        [n for n in product(range(most + 1), repeat=len(each)) if sum(n) <= most] for each in masks.values()
    ]
    keys = [(cell, mask) for cell, each in masks.items() for mask in each]
    for state in product(*of_cell):
        yield Town(masks, dict(zip(keys, (n for part in state for n in part), strict=True)), 1)


@pytest.mark.parametrize(
    ("blocks", "reach", "most"),
    [
        ([3], [HALF] * 3, 5),
        ([2, 1], [HALF] * 3, 5),
        ([6], [HALF, HALF, HALF, OUTSIDE, OUTSIDE, OUTSIDE], 2),
        ([6], [INSIDE, INSIDE, HALF, OUTSIDE, OUTSIDE, OUTSIDE], 2),
        ([5], [INSIDE, HALF, OUTSIDE, OUTSIDE, OUTSIDE], 3),
        ([3, 1], [OUTSIDE, OUTSIDE, HALF, HALF], 4),
        ([3, 2], [OUTSIDE] * 5, 4),
        ([2, 2], [INSIDE, OUTSIDE, OUTSIDE, HALF], 4),
    ],
)
def test_all_cities_that_are_published_alike_leave_a_hidden_count_open_from_1_to_2(blocks, reach, most):
    cells = [cell for block, n in zip(BLOCKS, blocks, strict=False) for cell in block[:n]]
    alike = defaultdict(list)
    for town in _every(dict(zip(cells, reach, strict=True)), most):
        counted = [
            [sum(town.counts.get((cell, mask), 0) for mask in each) for each in (HALF, INSIDE, OUTSIDE)]
            for cell in cells
        ]
        alike[repr(town.published(SMALL))].append(counted)
    for cities in alike.values():
        truth = np.array(cities)  # of each city and cell: all incidents, those inside, those outside
        hidden = (truth >= 1) & (truth < SMALL.k)
        low, high = truth.min(axis=0), truth.max(axis=0)
        may_be_known = np.ones_like(low)
        published = low[:, 0] == high[:, 0]
        may_be_known[published, 2] = np.maximum(1, low[published, 0] - (SMALL.k - 1))
        assert not (hidden & ((low > may_be_known) | (high < SMALL.k - 1))).any()
