"""Which reader reads which format."""

from collections.abc import Callable
from pathlib import Path

from etl.readers.base import RawFrame
from etl.readers.tabular import read_csv, read_parquet
from etl.readers.vector import read_geojson
from etl.spec import Source

READERS: dict[str, Callable[[Path, list[str]], RawFrame]] = {
    "csv": read_csv,
    "geojson": read_geojson,
    "parquet": read_parquet,
}


def read(source: Source, folder: Path) -> RawFrame:
    """Read the file of `source`, which stands in the city's `folder`.

    Raises
    ------
    UnreadableFile : missing, truncated or of another format.
    MissingColumn : the file lacks a column that the TOML names.
    """
    return READERS[source.format](folder / source.file, source.taken)
