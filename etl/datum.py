"""Into lon-lat EPSG:4326, from the datum that the source's TOML declares; it is never guessed."""

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.core.errors import BadSource, UnknownDatum

LonLat = NDArray[np.float64]

_HERE = "EPSG:4326"


def to_lonlat(datum: str) -> Callable[[LonLat], LonLat]:
    """The function that takes float64[n, 2] in `datum`, east before north, to lon-lat degrees.

    A point that has no image becomes infinite; NaN stays NaN.

    Raises
    ------
    UnknownDatum : `datum` is no EPSG code that PROJ knows.
    """
    if _crs(datum) == _crs(_HERE):
        return lambda xy: xy
    transformer = Transformer.from_crs(_crs(datum), _crs(_HERE), always_xy=True)

    def convert(xy: LonLat) -> LonLat:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return convert


def check_declared(datum: str, declared: str | None, file: str) -> None:
    """Hold what a file says of itself against what its TOML says.

    Raises
    ------
    UnknownDatum : `datum` is no EPSG code that PROJ knows.
    BadSource : the two contradict each other.
    """
    ours = _crs(datum)
    if declared is None:
        return
    # The order of axes is a convention of the file format, not another datum.
    if not ours.equals(CRS.from_user_input(declared), ignore_axis_order=True):
        raise BadSource(f"{file}: it says {declared}, but its TOML says {datum}", file=file, key="datum")


@lru_cache(maxsize=16)
def _crs(datum: str) -> CRS:
    if re.fullmatch(r"EPSG:\d{4,6}", datum) is None:
        raise UnknownDatum(f"'{datum}' is no datum known here; write it like EPSG:4326", datum=datum)
    try:
        return CRS.from_user_input(datum)
    except CRSError as exc:
        raise UnknownDatum(f"PROJ does not know {datum}", datum=datum) from exc
