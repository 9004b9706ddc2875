"""Small counts, which may point at persons: which are hidden, and which others with them, so that no sum tells."""

from collections.abc import Sequence
from dataclasses import dataclass


def hidden(counts: Sequence[int], fewest: int, known: frozenset[int] = frozenset()) -> frozenset[int]:
    """Places of the counts that are not shown where their sum is.

    Each from 1 to `fewest` - 1, and those `known` to be hidden for another reason; and then the smallest of the
    others until more than one is hidden and they come to `fewest`, so that the sum less what is shown tells no
    more than that. Nought is no secret.
    """
    found = {place for place, count in enumerate(counts) if 0 < count < fewest or (count and place in known)}
    if not found:
        return known
    rest = sorted((count, place) for place, count in enumerate(counts) if count and place not in found)
    for _, place in rest:
        if sum(counts[each] for each in found) >= fewest and len(found) > 1:
            break
        found.add(place)
    return known | found


@dataclass(frozen=True)
class Cell:
    """Counts of one area: of what was `due`, what is `done`, and so what is left.

    above : the place of the nearest area above it that has counts of its own, none where there is none.
    """

    due: int
    done: int
    above: int | None = None

    @property
    def figures(self) -> tuple[int, int, int]:
        """What is told where it is shown: due, done, left."""
        return self.due, self.done, self.due - self.done

    def small(self, fewest: int) -> bool:
        """Whether one of its figures is from 1 to `fewest` - 1."""
        return any(0 < figure < fewest for figure in self.figures)


def guarded(cells: Sequence[Cell], fewest: int) -> frozenset[int]:
    """Places of the cells of a tree of areas that are not shown: small ones, and those that would tell these.

    An area above less those below it that are shown is the sum of the hidden ones. So that this tells nothing, of
    an area and those below it more than one is hidden or none, and where the area is shown the hidden ones come to
    `fewest`, or to nought, in each figure. What is left for areas without counts of their own is as one of them.
    """
    found = {place for place, cell in enumerate(cells) if cell.small(fewest)}
    below: dict[int, list[int]] = {}
    for place, cell in enumerate(cells):
        if cell.above is not None:
            below.setdefault(cell.above, []).append(place)
    changed = True
    while changed:
        changed = False
        for above, places in below.items():
            if not _told(cells, above, places, found, fewest):
                continue
            shown = sorted((cells[place].due, place) for place in places if place not in found)
            more = [place for due, place in shown if due] + [above] * (above not in found)
            more += [place for due, place in shown if not due]
            if more:
                found.add(more[0])
                changed = True
    return frozenset(found)


def _told(cells: Sequence[Cell], above: int, places: Sequence[int], found: set[int], fewest: int) -> bool:
    """Whether the counts of an area and of those below it tell a hidden one."""
    parts = zip(*(cells[place].figures for place in places), strict=True)
    rest = [whole - sum(part) for whole, part in zip(cells[above].figures, parts, strict=True)]
    if min(rest) < 0:
        return False  # they contradict each other, and nobody can reckon with them
    unsaid = any(0 < figure < fewest for figure in rest)
    secret = [cells[place].figures for place in places if place in found] + [tuple(rest)] * unsaid
    if above in found:
        return not secret
    sums = [sum(figures) for figures in zip(*secret, strict=True)]
    return len(secret) == 1 or any(0 < figure < fewest for figure in sums)
