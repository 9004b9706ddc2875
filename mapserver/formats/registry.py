"""The formats in which a whole selection leaves, by the short names that `f` has for them."""

from dataclasses import dataclass

from layers.query.export import Form
from mapserver.formats import csv, geojsonseq, packing
from mapserver.formats.batches import Writer
from mapserver.negotiate import CSV


@dataclass(frozen=True)
class Format:
    """One format: its name among people, its media type, the form that geometries come in, and what writes it.

    A file is named for the layer and ends with the short name.
    """

    title: str
    media_type: str
    form: Form
    write: Writer


FORMATS = {
    "geojsonseq": Format("GeoJSONSeq", "application/geo+json-seq", "geojson", geojsonseq.lines),
    "csv": Format("CSV", CSV, "wkt", csv.lines),
    "fgb": Format("FlatGeobuf", "application/flatgeobuf", "wkb", packing.flatgeobuf),
    "parquet": Format("GeoParquet", "application/vnd.apache.parquet", "wkb", packing.geoparquet),
}
