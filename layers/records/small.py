"""Small counts, which may point at persons: which are hidden, and which others with them, so that no sum tells."""

from collections.abc import Sequence


def hidden(counts: Sequence[int], fewest: int) -> frozenset[int]:
    """Places of the counts that are not shown where their sum is.

    Each from 1 to `fewest` - 1; and then the smallest of the others until more than one is hidden and they come to
    `fewest`, so that the sum less what is shown tells no more than that. Nought is no secret.
    """
    found = {place for place, count in enumerate(counts) if 0 < count < fewest}
    if not found:
        return frozenset()
    rest = sorted((count, place) for place, count in enumerate(counts) if count >= fewest)
    for _, place in rest:
        if sum(counts[each] for each in found) >= fewest and len(found) > 1:
            break
        found.add(place)
    return frozenset(found)
