"""Which reader reads which format."""

from collections.abc import Callable
from pathlib import Path

from etl.readers.base import Reading
from etl.readers.delimited import read_csv
from etl.readers.flatgeobuf import read_flatgeobuf
from etl.readers.geojson import read_geojson, read_geojsonseq
from etl.readers.geopackage import read_geopackage
from etl.readers.geoparquet import read_geoparquet
from etl.readers.osm import read_osm
from etl.readers.parquet import read_parquet
from etl.readers.shapefile import read_shapefile
from etl.readers.workbook import read_xlsx
from etl.spec import Format, Source

Reader = Callable[[Path, Source], Reading]

READERS: dict[Format, Reader] = {
    "csv": lambda path, source: read_csv(path, source.taken, closed=source.closed),
    "flatgeobuf": lambda path, source: read_flatgeobuf(path, source.taken),
    "geojson": lambda path, source: read_geojson(path, source.taken),
    "geojsonseq": lambda path, source: read_geojsonseq(path, source.taken),
    "geopackage": lambda path, source: read_geopackage(path, source.taken, source.layer),
    "geoparquet": lambda path, source: read_geoparquet(path, source.taken),
    "osm": lambda path, source: read_osm(path, source.taken, str(source.kind)),
    "parquet": lambda path, source: read_parquet(path, source.taken, closed=source.closed),
    "shapefile": lambda path, source: read_shapefile(path, source.taken, source.layer),
    "tsv": lambda path, source: read_csv(path, source.taken, "\t", closed=source.closed),
    "xlsx": lambda path, source: read_xlsx(path, source.taken, source.layer, closed=source.closed),
}


def read(source: Source, path: Path) -> Reading:
    """Open one file of `source`.

    Raises
    ------
    UnreadableFile : missing, truncated or of another format.
    MissingColumn : the file lacks a column that the TOML names.
    """
    return READERS[source.format](path, source)
