"""Which cells some changes lie in, told apart by who may learn of them; as lists, for the outbox.

Each cell stands with the ids of the areas that an audience may be confined to and still count what changed there.
Of sensitive categories these hold all of the cell of SENSITIVE_RES around it, as such a cell counts for them whole
or not at all; who sees no sensitive points learns of that cell alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.core.audience import SENSITIVE_RES
from layers.geo import hexgrid
from layers.heat.follow.moment import Connection
from layers.heat.store.events import Changes
from layers.heat.store.store import Store

MOST = 300
"""Pairs of cell and area that are told of one by one; of more, only that there are many."""

_SENSITIVE = "select code from onemap.category where sensitive"

# What an area ever stood below, and itself, as the mask of a question has it.
_ABOVE = """
with recursive above (area_id, above_id) as (
  select area_id, area_id from unnest(%s::bigint[]) given (area_id)
  union
  select above.area_id, version.parent_id from above join onemap.area_version version
    on version.area_id = above.above_id where version.parent_id is not null
)
select area_id, array_agg(above_id order by above_id) as ids from above group by area_id"""


def changed(connection: Connection, store: Store, changes: Changes) -> dict[str, Any] | None:
    """The cells of changes that the store has taken in; none where they are too many.

    plain : pairs of a base cell and ids, for all who see incidents.
    sensitive : triples of a base cell, the cell around it and ids.
    """
    codes = {row["code"] for row in connection.execute(_SENSITIVE)}
    hides = np.array([plane.category in codes for plane in changes.planes], bool)[changes.plane]
    plain = set(zip(changes.cell[~hides].tolist(), changes.area[~hides].tolist(), strict=True))
    sensitive = np.unique(changes.cell[hides])
    if len(plain) + len(sensitive) > MOST:
        return None
    around = _around(store, sensitive)
    held = {cell: _areas_in(store, cell) for cell in np.unique(around).tolist()}
    areas = {area for _, area in plain}.union(*held.values())
    above = {row["area_id"]: frozenset(row["ids"]) for row in connection.execute(_ABOVE, [sorted(areas - {0})])}
    return {
        "plain": [(_text(cell), _above_all([area], above)) for cell, area in sorted(plain)],
        "sensitive": [
            (_text(cell), _text(whole), _above_all(held[whole], above))
            for cell, whole in zip(sensitive.tolist(), around.tolist(), strict=True)
        ],
    }


def _around(store: Store, cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return hexgrid.parent(cells, min(SENSITIVE_RES, store.rollups.base_res))


def _areas_in(store: Store, whole: int) -> list[int]:
    """The finest areas that incidents in a cell of SENSITIVE_RES stand in."""
    entries = store.entries
    found: list[int] = np.unique(entries.area[_around(store, entries.cell) == whole]).tolist()
    return found


def _above_all(areas: Sequence[int], above: Mapping[int, frozenset[int]]) -> list[int]:
    """Ids of the areas that each of these is, or ever stood below; 0, which is no area, is below none."""
    return sorted(frozenset.intersection(*(above.get(area, frozenset()) for area in areas)))


def _text(cell: int) -> str:
    return hexgrid.to_text([cell])[0]
