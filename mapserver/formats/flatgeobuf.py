"""FlatGeobuf, written by GDAL; features stand in the order in which they came, without an index."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pyarrow as pa
import pyogrio

from layers.query.table import Table
from mapserver.formats import arrow

_TYPES = {"point": "Point", "line": "MultiLineString", "polygon": "MultiPolygon", "any": "Unknown"}
_WKB = {"ARROW:extension:name": "geoarrow.wkb"}


def write(table: Table, found: Iterable[list[tuple[Any, ...]]], out: BinaryIO) -> None:
    """Write a file, and then out: its head has the number of features. An index would be held in memory."""
    schema = arrow.schema(table, _WKB)
    with TemporaryDirectory(prefix="onemap-") as folder:
        path = Path(folder) / f"{table.name}.fgb"
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, arrow.batches(schema, found)),
            path,
            layer=table.name,
            driver="FlatGeobuf",
            geometry_name=arrow.GEOMETRY,
            geometry_type=_TYPES[table.shape],
            crs=f"EPSG:{table.crs.srid}",
            layer_options={"SPATIAL_INDEX": "NO"},
        )
        with path.open("rb") as file:
            shutil.copyfileobj(file, out)
