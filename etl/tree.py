"""The areas of a city as they hang together: each with its shape, its code, its parent and the time it holds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

NONE = -1
_COLUMNS = ["level_rank", "code", "official_code", "parent_code", "valid_from", "valid_to", "geom"]

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """n areas, one a code and level.

    level : int64[n], rank in the city's tree; 0 is the top.
    parent : int64[n], index of the area above; NONE where it is not among these.
    row : int64[n], number of the row in the file; NONE for what was known before.
    start, end : datetime64[us, n], when each holds, half-open; NaT is without bound.
    shapes : object[n], valid MultiPolygons, lon-lat EPSG:4326.
    """

    level: Index
    code: list[str]
    official_code: list[str | None]
    parent: Index
    row: Index
    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    shapes: NDArray[np.object_]

    @classmethod
    def of(cls, table: pa.Table, rows: Index, standing: pa.Table | None = None) -> Self:
        """The areas of a file, whose numbers are `rows`, and the `standing` ones that it does not bring itself.

        Both have the columns level_rank, code, official_code, parent_code, valid_from, valid_to and geom (EWKB).
        """
        known = table.slice(0, 0) if standing is None else _others(standing, table)
        both = pa.concat_tables([table.select(_COLUMNS), known.select(_COLUMNS)], promote_options="permissive")
        level = both.column("level_rank").to_numpy().astype(np.int64)
        codes = both.column("code").to_pylist()
        place = {key: index for index, key in enumerate(zip(level.tolist(), codes, strict=True))}
        above = zip((level - 1).tolist(), both.column("parent_code").to_pylist(), strict=True)
        return cls(
            level=level,
            code=codes,
            official_code=both.column("official_code").to_pylist(),
            parent=np.array([place.get(key, NONE) for key in above], np.int64),
            row=np.concatenate([rows, np.full(len(known), NONE)]).astype(np.int64),
            start=both.column("valid_from").cast(pa.timestamp("us", "UTC")).to_numpy(),
            end=both.column("valid_to").cast(pa.timestamp("us", "UTC")).to_numpy(),
            shapes=np.asarray(shapely.from_wkb(both.column("geom").to_pylist()), np.object_),
        )

    def meet(self, one: Index, other: Index) -> NDArray[np.bool_]:
        """Of pairs of areas: whether both hold at some time."""
        apart = (self.end[one] <= self.start[other]) | (self.end[other] <= self.start[one])
        return np.asarray(~apart)

    def fresh(self, one: Index, other: Index) -> NDArray[np.bool_]:
        """Of pairs of areas: whether the file brings at least one."""
        return np.asarray((self.row[one] != NONE) | (self.row[other] != NONE))

    def families(self) -> dict[int, Index]:
        """The children of each parent that is among these, by index, in the order of their codes."""
        found: dict[int, list[int]] = {}
        for child in sorted(range(len(self.code)), key=self.code.__getitem__):
            if self.parent[child] != NONE:
                found.setdefault(int(self.parent[child]), []).append(child)
        return {parent: np.array(children, np.int64) for parent, children in sorted(found.items())}


def _others(standing: pa.Table, table: pa.Table) -> pa.Table:
    keys = ["level_rank", "code"]
    brought = set(zip(*(table.column(key).to_pylist() for key in keys), strict=True))
    new = [key not in brought for key in zip(*(standing.column(key).to_pylist() for key in keys), strict=True)]
    return standing.filter(pa.array(new, pa.bool_()))
