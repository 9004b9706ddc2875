"""GeoParquet 1.1: columns in row groups, zstd inside, x to the east whatever the system says."""

from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from layers.geo.crs import CRS84
from layers.query.table import Table
from mapserver.formats import arrow

_GROUP_ROWS = 8192
_TYPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")


def write(table: Table, found: Iterable[list[tuple[Any, ...]]], out: BinaryIO) -> None:
    """Write the groups as they fill; bounds and kinds of geometries stand at the end, as Parquet has it."""
    schema = arrow.schema(table)
    seen = _Seen()
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_batches(waiting, schema))
            waiting.clear()

        for batch in arrow.batches(schema, found):
            seen.add(batch.column(arrow.GEOMETRY))
            waiting.append(batch)
            if sum(map(len, waiting)) >= _GROUP_ROWS:
                flush()
        flush()
        writer.add_key_value_metadata({"geo": orjson.dumps(seen.metadata(table)).decode()})


class _Seen:
    """What there was of geometries."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def add(self, wkb: pa.Array) -> None:
        """Look at one batch."""
        shapes = shapely.from_wkb(np.array(wkb.to_pylist(), object))
        self._kinds |= {_TYPES[number] for number in np.unique(shapely.get_type_id(shapes))}
        bounds = shapely.total_bounds(shapes)
        self._bounds[:2] = np.fmin(self._bounds[:2], bounds[:2])
        self._bounds[2:] = np.fmax(self._bounds[2:], bounds[2:])

    def metadata(self, table: Table) -> dict[str, Any]:
        """The `geo` of the file."""
        about: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(self._kinds)}
        if np.isfinite(self._bounds).all():
            about["bbox"] = self._bounds.tolist()
        if table.crs != CRS84:  # without any it is that one
            about["crs"] = pyproj.CRS.from_epsg(table.crs.srid).to_json_dict()
        return {"version": "1.1.0", "primary_column": arrow.GEOMETRY, "columns": {arrow.GEOMETRY: about}}
