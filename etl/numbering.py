"""Whether the codes of areas keep their schemes: prefixes, official codes and the order of unit grids."""

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import shapely

from etl.ledger import Entry
from etl.tree import NONE, Index, Tree
from layers.catalog.city import City

GRID = "grid"
"""The level, by its code in city.toml, whose last three digits are numbers of unit grids."""

_SEQUENCE = re.compile(r"\d{3}")


def numbering(tree: Tree, city: City) -> Iterator[Entry]:
    """What is odd about the codes of a file's areas.

    wrong_prefix : a code does not begin with its parent's, at a level where more than half of the codes do. Zeros
        that fill a parent's code up (441602000000) do not count, where the level fills codes up.
    duplicate_code : two areas of one level have the same official code.
    grid_order : unit grids of one parent whose numbers do not run from west to east and then from north to south
        (GB/T 30428.1); amount counts the steps that run another way. It is said once a parent, and is no fault.
    """
    yield from _prefixes(tree, "code", list(tree.code))
    yield from _prefixes(tree, "official code", tree.official_code)
    yield from _duplicates(tree)
    ranks = [rank for rank, level in enumerate(city.levels) if level.code == GRID]
    for parent, children in tree.families().items():
        if tree.level[children[0]] in ranks and (tree.row[children] != NONE).any():
            yield from _order(tree, parent, children)


def _prefixes(tree: Tree, what: str, codes: list[str | None]) -> Iterator[Entry]:
    for level in np.unique(tree.level).tolist():
        pairs = [
            (child, own, above)
            for child in np.flatnonzero((tree.level == level) & (tree.parent != NONE)).tolist()
            if (own := codes[child]) and (above := codes[int(tree.parent[child])])
        ]
        exact = [(child, own, above) for child, own, above in pairs if not own.startswith(above)]
        filled = [(child, own, above) for child, own, above in pairs if not own.startswith(above.rstrip("0"))]
        astray = min((exact, filled), key=lambda found: 2 * len(found) >= len(pairs))
        if 2 * len(astray) >= len(pairs):
            continue  # the scheme of this level does not nest
        for child, own, above in astray:
            if tree.row[child] != NONE:
                message = f"{what} {own} does not begin with {above}, as most of its level do with their parent's"
                yield _entry(tree, [child], "wrong_prefix", message, tree.code[child])


def _duplicates(tree: Tree) -> Iterator[Entry]:
    owners: dict[tuple[int, str], list[int]] = defaultdict(list)
    for area, code in enumerate(tree.official_code):
        if code is not None:
            owners[int(tree.level[area]), code].append(area)
    for (_, code), sharing in owners.items():
        areas = [area for area in sharing if _meets_another(tree, area, sharing)]
        if areas:
            subject = ", ".join(tree.code[area] for area in areas)
            yield _entry(tree, areas, "duplicate_code", f"official code {code} is that of {subject}", subject)


def _meets_another(tree: Tree, area: int, sharing: list[int]) -> bool:
    others = np.array([other for other in sharing if other != area], np.int64)
    one = np.full(len(others), area)
    return bool((tree.meet(one, others) & tree.fresh(one, others)).any())


def _order(tree: Tree, parent: int, children: Index) -> Iterator[Entry]:
    above = tree.code[parent]
    numbered = [
        child
        for child in children.tolist()
        if tree.code[child].startswith(above) and _SEQUENCE.fullmatch(tree.code[child], len(above))
    ]
    west, south, east, north = shapely.bounds(tree.shapes[numbered]).T
    x, y = (west + east) / 2, (south + north) / 2
    before, after = slice(None, -1), slice(1, None)
    shared = np.minimum(north[before], north[after]) - np.maximum(south[before], south[after])
    height = north - south
    abreast = shared > np.maximum(height[before], height[after]) / 2
    back = np.flatnonzero(np.where(abreast, x[after] < west[before], y[after] > north[before])).tolist()
    if back:
        first = f"{tree.code[numbered[back[0]]]} to {tree.code[numbered[back[0] + 1]]}"
        message = f"{len(back)} of {len(numbered) - 1} steps below {above} run against the order, first {first}"
        yield _entry(tree, [numbered[step + 1] for step in back], "grid_order", message, above, len(back), "steps")


def _entry(
    tree: Tree,
    areas: list[int],
    kind: str,
    message: str,
    subject: str,
    amount: float | None = None,
    unit: str | None = None,
) -> Entry:
    row = next((int(tree.row[area]) for area in areas if tree.row[area] != NONE), None)
    place = shapely.MultiPoint(list(shapely.point_on_surface(tree.shapes[areas])))
    return Entry(kind, False, message, row, subject, amount, unit, place)  # noqa: FBT003
