"""Small counts stay hidden from whoever reckons with all that is shown."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from layers.records.small import Cell, guarded

FEWEST = 5


@st.composite
def trees(draw):
    """A district with villages and grids below them; some areas have no counts, and what they would have is left."""
    cells = [None]
    for _ in range(draw(st.integers(1, 4))):
        leaves = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4))
        if not leaves or draw(st.booleans()):
            due = draw(st.integers(0, 12))
            cells.append(Cell(due, draw(st.integers(0, due)), 0))
            continue
        unsaid = draw(st.sampled_from([0, 0, 0, 2, 9]))
        place = len(cells)
        figures = [(done + left, done) for done, left in leaves]
        cells.append(Cell(sum(due for due, _ in figures) + unsaid, sum(done for _, done in figures), 0))
        cells += [Cell(due, done, place) for due, done in figures]
    villages = [cell for cell in cells[1:] if cell.above == 0]
    unsaid = draw(st.sampled_from([0, 0, 3]))
    cells[0] = Cell(sum(cell.due for cell in villages) + unsaid, sum(cell.done for cell in villages))
    return cells


def reach(cells, hidden, figure, place):
    """The least and the most that a hidden figure can be, for whoever knows all shown ones and what is left over."""
    values = [cell.figures[figure] for cell in cells]
    unknown = sorted(hidden)
    rows, sums = [], []
    rests = []
    for above in range(len(cells)):
        below = [each for each, cell in enumerate(cells) if cell.above == above]
        if not below:
            continue
        rest = values[above] - sum(values[each] for each in below)
        unsaid = any(
            0 < cells[above].figures[f] - sum(cells[each].figures[f] for each in below) < FEWEST for f in range(3)
        )
        row = {each: 1.0 for each in below if each in hidden}
        if above in hidden:
            row[above] = -1.0
        known = (0 if above in hidden else values[above]) - sum(
            values[each] for each in below if each not in hidden
        )
        rows.append((row, len(rests) if unsaid else None))
        rests += [above] if unsaid else []
        sums.append(known - (0 if unsaid else rest))
    matrix = np.zeros((len(rows), len(unknown) + len(rests)))
    for number, (row, rest) in enumerate(rows):
        for each, sign in row.items():
            matrix[number, unknown.index(each)] = sign
        if rest is not None:
            matrix[number, len(unknown) + rest] = 1.0
    aim = np.zeros(matrix.shape[1])
    aim[unknown.index(place)] = 1.0
    ends = [linprog(sign * aim, A_eq=matrix, b_eq=sums, bounds=(0, None)) for sign in (1, -1)]
    return [np.inf if end.status == 3 else abs(end.fun) for end in ends]


@settings(max_examples=150)
@given(trees())
def test_whoever_reckons_with_all_that_is_shown_learns_no_small_count(cells):
    hidden = guarded(cells, FEWEST)
    assert {place for place, cell in enumerate(cells) if cell.small(FEWEST)} <= hidden
    for place in hidden:
        for figure, value in enumerate(cells[place].figures):
            if 0 < value < FEWEST:
                least, most = reach(cells, hidden, figure, place)
                assert most - least > 0.5, (place, figure, hidden)


def test_nothing_is_hidden_where_nothing_is_small():
    assert guarded([Cell(40, 20), Cell(20, 10, 0), Cell(20, 10, 0)], FEWEST) == frozenset()
    assert guarded([Cell(20, 0), Cell(20, 0, 0), Cell(0, 0, 0)], FEWEST) == frozenset()


def test_one_small_count_takes_another_with_it_and_what_no_area_has_counts_as_one():
    assert guarded([Cell(43, 20), Cell(20, 10, 0), Cell(3, 0, 0), Cell(20, 10, 0)], FEWEST) == {1, 2}
    assert guarded([Cell(43, 20), Cell(20, 10, 0), Cell(20, 10, 0)], FEWEST) == {1}
    # Two of one each would be known to be at most two.
    assert guarded([Cell(22, 0), Cell(1, 0, 0), Cell(1, 0, 0), Cell(20, 0, 0)], FEWEST) == {1, 2, 3}
    # Grid 3 is hidden with its village 1, and so is village 2, as the district less that one would tell the village.
    assert guarded([Cell(100, 50), Cell(50, 25, 0), Cell(50, 25, 0), Cell(3, 0, 1)], FEWEST) == {1, 2, 3}
    assert guarded([Cell(3, 0), Cell(3, 0, 0), Cell(0, 0, 0)], FEWEST) == {0, 1}
