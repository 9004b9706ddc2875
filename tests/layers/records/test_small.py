"""Small counts stay hidden from whoever reckons with all that is shown."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from layers.records.small import Cell, guarded
from tests.reckoner import families, solved, unsaid

FEWEST = 5


def cell(due, done):
    return Cell(frozenset({(due, done)}))


@st.composite
def trees(draw):
    """A district with villages and grids below them; some areas have no counts, and what they would have is left."""
    cells, tree = [None], [None]
    for _ in range(draw(st.integers(1, 4))):
        leaves = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4))
        if not leaves or draw(st.booleans()):
            due = draw(st.integers(0, 12))
            cells.append(cell(due, draw(st.integers(0, due))))
            tree.append(0)
            continue
        rest = draw(st.sampled_from([0, 0, 0, 2, 9]))
        place = len(cells)
        figures = [(done + left, done) for done, left in leaves]
        cells.append(cell(sum(due for due, _ in figures) + rest, sum(done for _, done in figures)))
        cells += [cell(due, done) for due, done in figures]
        tree += [0, *[place] * len(leaves)]
    villages = [each for each, above in zip(cells, tree, strict=True) if above == 0]
    rest = draw(st.sampled_from([0, 0, 3]))
    cells[0] = cell(sum(each.figures[0] for each in villages) + rest, sum(each.figures[1] for each in villages))
    return cells, tree


def reach(cells, tree, hidden, figure, place):
    """The least and the most that a hidden figure can be, for whoever knows all shown ones and what is left over."""
    values = [each.figures[figure] for each in cells]
    unknown = sorted(hidden)
    rows, sums, rests = [], [], []
    for above, below in families(tree).items():
        rest = values[above] - sum(values[each] for each in below)
        small_rest = any(
            0 < cells[above].figures[f] - sum(cells[each].figures[f] for each in below) < FEWEST for f in range(3)
        )
        row = {each: 1.0 for each in below if each in hidden}
        if above in hidden:
            row[above] = -1.0
        known = (0 if above in hidden else values[above]) - sum(
            values[each] for each in below if each not in hidden
        )
        rows.append((row, len(rests) if small_rest else None))
        rests += [above] if small_rest else []
        sums.append(known - (0 if small_rest else rest))
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
def test_whoever_reckons_with_all_that_is_shown_learns_no_small_count(given_tree):
    cells, tree = given_tree
    hidden = guarded(cells, [tree], FEWEST)
    assert {place for place, each in enumerate(cells) if each.small(FEWEST)} <= hidden
    for place in hidden:
        for figure, value in enumerate(cells[place].figures):
            if 0 < value < FEWEST:
                least, most = reach(cells, tree, hidden, figure, place)
                assert most - least > 0.5, (place, figure, hidden)


counts = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda pair: (sum(pair), pair[0]))


@st.composite
def cities(draw):
    """Any counts, by one office or by two that contradict each other, in trees of which some areas have moved."""
    n = draw(st.integers(1, 9))
    cells = [
        Cell(draw(st.frozensets(counts, min_size=1, max_size=draw(st.sampled_from([1, 1, 2]))))) for _ in range(n)
    ]
    tree = [None if place == 0 else draw(st.none() | st.integers(0, place - 1)) for place in range(n)]
    found = [tree]
    for _ in range(draw(st.integers(0, 2))):
        moved = list(found[-1])
        place = draw(st.integers(0, n - 1))
        moved[place] = draw(st.none() | st.integers(0, place - 1)) if place else None
        found.append(moved)
    return cells, found


@settings(max_examples=400)
@given(cities())
def test_no_hidden_count_is_determined_by_the_sums_of_any_tree_however_counts_contradict_each_other(city):
    cells, found = city
    hidden = guarded(cells, found, FEWEST)
    assert {place for place, each in enumerate(cells) if each.small(FEWEST)} <= hidden
    for tree in found:
        small, contradicting = unsaid(tree, [each.told for each in cells], FEWEST)
        assert solved(tree, hidden, small) == set()
        for above in contradicting:  # not even what is near the truth is told
            assert above in hidden or not hidden & set(families(tree)[above])


def test_nothing_is_hidden_where_nothing_is_small():
    assert guarded([cell(40, 20), cell(20, 10), cell(20, 10)], [[None, 0, 0]], FEWEST) == frozenset()
    assert guarded([cell(20, 0), cell(20, 0), cell(0, 0)], [[None, 0, 0]], FEWEST) == frozenset()


def test_one_small_count_takes_another_with_it_and_what_no_area_has_counts_as_one():
    def found(*pairs, tree=None):
        return guarded([cell(*pair) for pair in pairs], [tree or [None, *[0] * (len(pairs) - 1)]], FEWEST)

    assert found((43, 20), (20, 10), (3, 0), (20, 10)) == {1, 2}
    assert found((43, 20), (20, 10), (20, 10)) == {1}
    # Two of one each would be known to be at most two.
    assert found((22, 0), (1, 0), (1, 0), (20, 0)) == {1, 2, 3}
    # Grid 3 is hidden with its village 1, and so is village 2, as the district less that one would tell the village.
    assert found((100, 50), (50, 25), (50, 25), (3, 0), tree=[None, 0, 0, 1]) == {1, 2, 3}
    assert found((3, 0), (3, 0), (0, 0)) == {0, 1}


def test_a_total_that_contradicts_its_parts_is_hidden_where_one_of_them_is():
    # One too few in all, and the right number of what is done: that would tell that 2 of the small one's are done.
    assert guarded([cell(63, 30), cell(60, 28), cell(4, 2)], [[None, 0, 0]], FEWEST) == {0, 2}
    two = Cell(frozenset({(64, 30), (66, 31)}))  # as two offices have it
    assert guarded([two, cell(60, 28), cell(4, 2)], [[None, 0, 0]], FEWEST) == {0, 2}
    assert guarded([two, cell(60, 28), cell(14, 7)], [[None, 0, 0]], FEWEST) == frozenset()


def test_an_area_that_has_moved_is_guarded_below_both_that_it_lay_in():
    cells = [cell(44, 22), cell(40, 20), cell(4, 2), cell(20, 10), cell(20, 10)]
    before, after = [None, None, 0, 0, 0], [None, None, 1, 0, 1]
    assert guarded(cells, [before], FEWEST) == {2, 3}
    assert guarded(cells, [after], FEWEST) - {2, 3} != frozenset()
    assert guarded(cells, [before, after], FEWEST) >= guarded(cells, [before], FEWEST)
