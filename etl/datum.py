"""Into lon-lat EPSG:4326, from the datum that the source's TOML declares; it is never guessed.

A datum is an EPSG code that PROJ knows, or `gcj02` or `bd09`: the offset datums of Chinese web maps have no code.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.core.errors import BadSource, UnknownDatum
from layers.geo.china import bd09_to_wgs84, gcj02_to_wgs84
from layers.records.personal import excerpt

LonLat = NDArray[np.float64]

_HERE = "EPSG:4326"
_OFFSET: dict[str, Callable[[LonLat], LonLat]] = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
"""What takes each offset datum to lon-lat."""


def to_lonlat(datum: str) -> Callable[[LonLat], LonLat]:
    """The function that takes float64[n, 2] in `datum`, east before north, to lon-lat degrees.

    A point that has no image becomes infinite; NaN stays NaN.

    Raises
    ------
    UnknownDatum : `datum` is none.
    """
    if datum in _OFFSET:
        return _OFFSET[datum]
    if _crs(datum) == _crs(_HERE):
        return lambda xy: xy
    transformer = Transformer.from_crs(_crs(datum), _crs(_HERE), always_xy=True)

    def convert(xy: LonLat) -> LonLat:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return convert


def check_declared(datum: str, declared: str | None, file: str) -> None:
    """Hold what a file says of itself against what its TOML says.

    No file can name an offset datum: what web maps export in one says EPSG:4326 or nothing, so that this label
    goes with `gcj02` and `bd09` too. Every other label contradicts them, EPSG:4490 as well: surveys write it and
    web maps do not, so that one of the two words is wrong.

    Raises
    ------
    UnknownDatum : `datum` is none.
    BadSource : the two contradict each other, or PROJ cannot read the file's word.
    """
    ours = _crs(_HERE if datum in _OFFSET else datum)
    if declared is None:
        return
    try:
        theirs = CRS.from_user_input(declared)
    except (CRSError, UnicodeEncodeError) as exc:
        said = excerpt(declared)
        raise BadSource(f"{file}: PROJ does not know what it says, {said}", file=file, key="datum") from exc
    # The order of axes is a convention of the file format, not another datum. Esri has names and parameters of its
    # own for what EPSG numbers, and PROJ knows them.
    if not ours.equals(theirs, ignore_axis_order=True) and ours.to_epsg() != theirs.to_epsg():
        raise BadSource(f"{file}: it says {_named(theirs)}, but its TOML says {datum}", file=file, key="datum")


def _named(crs: CRS) -> str:
    """An EPSG code where there is one, else the name: a definition runs over pages."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.name


@lru_cache(maxsize=16)
def _crs(datum: str) -> CRS:
    if re.fullmatch(r"EPSG:\d{4,6}", datum) is None:
        raise UnknownDatum(
            f"'{datum}' is no datum known here: EPSG:4326 or another code, gcj02, bd09", datum=datum
        )
    try:
        found = CRS.from_user_input(datum)
    except CRSError as exc:
        raise UnknownDatum(f"PROJ does not know {datum}", datum=datum) from exc
    if not (found.is_geographic or found.is_projected):
        raise UnknownDatum(f"{datum} is a {found.type_name}: it has no places on a map", datum=datum)
    return found
