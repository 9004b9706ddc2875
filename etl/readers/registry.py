"""Which reader reads which format."""

from collections.abc import Callable
from pathlib import Path

from etl.readers.base import Reading
from etl.readers.delimited import read_csv
from etl.readers.osm import read_osm
from etl.readers.parquet import read_parquet
from etl.readers.vector import read_geojson
from etl.readers.workbook import read_xlsx
from etl.spec import Format, Source

Reader = Callable[[Path, Source], Reading]

READERS: dict[Format, Reader] = {
    "csv": lambda path, source: read_csv(path, source.taken),
    "geojson": lambda path, source: read_geojson(path, source.taken),
    "osm": lambda path, source: read_osm(path, source.taken, str(source.kind)),
    "parquet": lambda path, source: read_parquet(path, source.taken),
    "tsv": lambda path, source: read_csv(path, source.taken, "\t"),
    "xlsx": lambda path, source: read_xlsx(path, source.taken, source.layer),
}


def read(source: Source, path: Path) -> Reading:
    """Open one file of `source`.

    Raises
    ------
    UnreadableFile : missing, truncated or of another format.
    MissingColumn : the file lacks a column that the TOML names.
    """
    return READERS[source.format](path, source)
