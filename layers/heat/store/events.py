"""What the heat stores are made of: events as arrays, the planes they lie in, and how far a store has read."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import ShapeMismatch


@dataclass(frozen=True)
class Plane:
    """Incidents of one category, found by patrol or told by others."""

    category: str
    patrol: bool


@dataclass(frozen=True, eq=False)
class Events:
    """Dated points without more than heat asks of them; all arrays have the same length, in no order.

    t : int64[n], whole seconds since 1970 UTC, rounded down.
    cell : uint64[n], H3 cells at the city's base resolution.
    area : int64[n], id of the finest area, 0 where there is none.
    plane : int16[n], place in a list of planes, which stands beside the events.
    zones : uint32[n], mask of the zone types whose influence the point lies in.

    Raises
    ------
    ShapeMismatch : the arrays differ in length.
    """

    t: NDArray[np.int64]
    cell: NDArray[np.uint64]
    area: NDArray[np.int64]
    plane: NDArray[np.int16]
    zones: NDArray[np.uint32]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in vars(self).items() if isinstance(values, np.ndarray)}
        if len(set(lengths.values())) != 1:
            raise ShapeMismatch("the arrays of events differ in length", **lengths)

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True, eq=False)
class Changes(Events):
    """Events that came or went since a store was last brought up to date.

    sign : int8[n], +1 where an event came and -1 where one went.
    planes : the planes that `plane` counts in.
    """

    sign: NDArray[np.int8]
    planes: tuple[Plane, ...]


@dataclass(frozen=True)
class State:
    """How far a store has followed its database.

    snapshot : PostgreSQL's pg_snapshot; transactions visible in it are in the store, others are not.
    seq : version of heat; a number from the sequence of changes, greater than that of any change in the store.
    at : when that was, UTC.
    epoch : which history of the database the snapshot belongs to; another one after a restore.
    """

    snapshot: str
    seq: int
    at: datetime
    epoch: str
