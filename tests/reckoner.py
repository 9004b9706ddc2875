"""One who reckons with all counts that are shown, to find out hidden ones."""

import numpy as np
from scipy.linalg import null_space


def families(tree):
    """Of a tree, given as the place of the area above each, each area that has others below it, with these."""
    found = {}
    for place, above in enumerate(tree):
        if above is not None:
            found.setdefault(above, []).append(place)
    return found


def solved(tree, hidden, unsaid):
    """Hidden places that the sums of a tree determine, whatever the figures are: those that no other solution moves.

    unsaid : areas that have a small rest beyond those below them, which is one unknown more.
    """
    unknown = sorted(hidden)
    sums = families(tree)
    matrix = np.zeros((max(len(sums), 1), len(unknown) + len(unsaid)))
    for row, (above, below) in enumerate(sums.items()):
        for column, place in enumerate(unknown):
            matrix[row, column] = (place in below) - (place == above)
        if above in unsaid:
            matrix[row, len(unknown) + unsaid.index(above)] = 1
    free = null_space(matrix) if unknown else np.zeros((0, 0))
    return {place for row, place in enumerate(unknown) if np.abs(free[row]).max(initial=0) < 1e-9}


def unsaid(tree, told, fewest):
    """Areas of a tree with a small rest beyond those below them, and those whose counts contradict them.

    told : of each place, the set of pairs (due, done) that offices give.
    """
    small, contradicting = [], []
    for above, below in families(tree).items():
        figures = [(due, done, due - done) for due, done in (max(told[place]) for place in (above, *below))]
        rest = [whole - sum(parts) for whole, *parts in zip(*figures, strict=True)]
        if min(rest) < 0 or any(len(told[place]) > 1 for place in (above, *below)):
            contradicting.append(above)
        elif any(0 < figure < fewest for figure in rest):
            small.append(above)
    return small, contradicting
