"""Smoothing by a kernel over the rings around each cell, which moves heat and neither makes nor loses any."""

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import BadValue
from layers.geo import hexgrid

WIDEST = 5


def smooth(
    cell: NDArray[np.uint64], value: NDArray[np.float64], k: int
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Let every cell give its value to itself and the `k` rings around it.

    A ring at distance d gets the weight exp(-d^2 / 2 b^2) a cell, with b = k / 2, so that the last ring lies two
    deviations out; the weights of each giver add up to one, also beside a pentagon, where it has fewer neighbours.
    So the sum is kept, and cells that had nothing appear around the rim.

    Parameters
    ----------
    cell : uint64[n], distinct, of one resolution.  value : float64[n].  k : rings, 1 to `WIDEST`.

    Returns
    -------
    uint64[m], ascending, and float64[m]: every cell that was given anything.

    Raises
    ------
    BadValue : `k` is out of range.
    """
    if not 1 <= k <= WIDEST:
        raise BadValue(f"smooth: {k} is not between 1 and {WIDEST}", parameter="smooth")
    giver, near, steps = hexgrid.disk(cell, k)
    weight = np.exp(-0.5 * (np.arange(k + 1) / (k / 2)) ** 2)[steps]
    share = value / np.bincount(giver, weight, minlength=cell.size)
    taker, place = np.unique(near, return_inverse=True)
    taken = np.bincount(place, share[giver] * weight, minlength=taker.size)
    return taker, taken.astype(np.float64, copy=False)
