"""GeoParquet of many batches."""

import io
import json

import numpy as np
import pyarrow.parquet as pq
import shapely

from layers.geo.crs import CRS84
from layers.query.table import Column, Table
from mapserver.formats import geoparquet

TABLE = Table("few", (Column("id", "int64"), Column("what", "json")), "any", CRS84)


def test_bounds_and_kinds_are_those_of_all_batches_and_groups_have_some_thousands_of_rows():
    shapes = [shapely.Point(5, 50), shapely.box(1, 2, 3, 4), shapely.Point(4, -7)]
    rows = [
        (number, None if number else '{"a": [1]}', shapes[number * 3 // 20_000].wkb) for number in range(20_000)
    ]
    out = io.BytesIO()
    geoparquet.write(TABLE, [rows[start : start + 1000] for start in range(0, 20_000, 1000)], out)
    file = pq.ParquetFile(out)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [9000, 9000, 2000]
    about = json.loads(file.metadata.metadata[b"geo"])["columns"]["geometry"]
    np.testing.assert_array_equal(about["bbox"], [1, -7, 5, 50])
    assert about["geometry_types"] == ["Point", "Polygon"]
    table = file.read()
    assert table["id"].to_pylist() == list(range(20_000))
    assert table["what"].to_pylist()[:2] == ['{"a": [1]}', None]
