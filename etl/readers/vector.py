"""Files that carry geometry. GDAL opens them with a named driver; it never guesses, nor follows a virtual path."""

import re
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from etl.readers.base import RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile

_GEOMETRY = "wkb_geometry"
_HEAD_BYTES = 1 << 16


def read_geojson(path: Path, columns: list[str]) -> Reading:
    """Read the features of a GeoJSON file.

    Raises
    ------
    UnreadableFile : missing, truncated or no GeoJSON.
    MissingColumn : no feature has one of `columns` as a property.
    """
    file = existing(path)
    if str(file).startswith("/vsi") or file.suffix == ".zip":  # names that would be followed, not opened
        raise UnreadableFile(f"{path}: a GeoJSON file cannot have this name", file=str(path))
    dataset = f"GeoJSON:{file}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # GDAL's own, of feature ids, which nobody reads here
            found = [str(name) for name in pyogrio.read_info(dataset)["fields"]]
            require(path, columns, found)
            meta, table = pyogrio.read_arrow(dataset, columns=columns, datetime_as_string=True)
        shapes = shapely.from_wkb(table.column(_GEOMETRY).to_numpy())
    except (DataSourceError, shapely.errors.GEOSException, pa.ArrowException, OSError) as exc:
        raise UnreadableFile(f"{path}: this GeoJSON cannot be read: {exc}", file=str(path)) from exc
    frame = RawFrame(table.drop_columns([_GEOMETRY]).combine_chunks(), np.arange(1, len(table) + 1), shapes=shapes)
    return Reading(path, sha256(file), iter([frame]), crs=meta["crs"] if _declares_crs(file) else None)


def _declares_crs(file: Path) -> bool:
    # GDAL reports WGS 84 for a file that says nothing; only what the file itself says can contradict the TOML.
    with file.open("rb") as text:
        head = text.read(_HEAD_BYTES)
    return re.search(rb'"crs"\s*:\s*\{', head.split(b'"features"', 1)[0]) is not None
