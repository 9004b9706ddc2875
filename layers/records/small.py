"""Small counts, which may point at persons: which are hidden, and which others with them, so that no sum tells."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
    """What is told of one area: pairs of what was due and what of it is done, several where offices contradict."""

    told: frozenset[tuple[int, int]]

    @property
    def figures(self) -> tuple[int, int, int]:
        """Due, done and left; by whoever counts most where offices contradict."""
        due, done = max(self.told)
        return due, done, due - done

    @property
    def sure(self) -> bool:
        """Whether all say the same."""
        return len(self.told) == 1

    def small(self, fewest: int) -> bool:
        """Whether anybody gives a figure of 1 to `fewest` - 1."""
        return any(0 < figure < fewest for due, done in self.told for figure in (due, done, due - done))


def guarded(cells: Sequence[Cell], trees: Iterable[Sequence[int | None]], fewest: int) -> frozenset[int]:
    """Places of the cells that are not shown: small ones, and those that would tell these.

    An area above less those below it that are shown is the sum of the hidden ones. So that this tells nothing, of
    an area and those below it more than one is hidden or none, and where the area is shown the hidden ones come to
    `fewest`, or to nought, in each figure. What is left for areas without counts of their own is as one of them.
    Where counts contradict each other, as those of two offices may, the difference is still near the truth, and
    may be all of it: an area that has a hidden one below it is then hidden too.

    It holds in each tree by itself. Every sum of areas has no unknown count or at least two, and a count stands in
    two sums at most, above and below: however sums are added, which hang together as a tree, two of them are left.

    Parameters
    ----------
    trees : which areas lay above which, at each time that the counts may be of: for each cell the place of the
        nearest area above it that has counts, none where there is none.
    """
    found = {place for place, cell in enumerate(cells) if cell.small(fewest)}
    families = {family for tree in trees for family in _families(tree)}
    changed = True
    while changed:
        changed = False
        for above, places in sorted(families):
            if not _told(cells, above, places, found, fewest):
                continue
            shown = sorted((cells[place].figures[0], place) for place in places if place not in found)
            more = [place for due, place in shown if due] + [above] * (above not in found)
            more += [place for due, place in shown if not due]
            if above not in found and _rest(cells, above, places) is None:
                more = [above]
            if more:
                found.add(more[0])
                changed = True
    return frozenset(found)


def _families(tree: Sequence[int | None]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each area that has others below it, with these."""
    below: dict[int, list[int]] = defaultdict(list)
    for place, above in enumerate(tree):
        if above is not None:
            below[above].append(place)
    return ((above, tuple(places)) for above, places in below.items())


def _rest(cells: Sequence[Cell], above: int, places: Sequence[int]) -> tuple[int, ...] | None:
    """What an area has beyond those below it, in each figure; none where the counts contradict each other."""
    parts = zip(*(cells[place].figures for place in places), strict=True)
    rest = tuple(whole - sum(part) for whole, part in zip(cells[above].figures, parts, strict=True))
    sure = all(cells[place].sure for place in (above, *places))
    return rest if sure and min(rest) >= 0 else None


def _told(cells: Sequence[Cell], above: int, places: Sequence[int], found: set[int], fewest: int) -> bool:
    """Whether the counts of an area and of those below it tell a hidden one."""
    rest = _rest(cells, above, places)
    unsaid = rest is not None and any(0 < figure < fewest for figure in rest)
    secret = [cells[place].figures for place in places if place in found]
    if above in found:
        return not secret and not unsaid
    if rest is None:
        return bool(secret)
    if unsaid:
        secret.append((rest[0], rest[1], rest[2]))
    sums = [sum(figures) for figures in zip(*secret, strict=True)]
    return len(secret) == 1 or any(0 < figure < fewest for figure in sums)
