"""Vector tiles as GDAL reads them, in a process of its own: the readers of files switch most of its formats off here."""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any

import pandas as pd


def read_tile(body: bytes) -> tuple[list[str], Any]:
    """Names of the tile's layers, and the features of the first as a GeoDataFrame, uncut."""
    layers = read_layers(body)
    return list(layers), next(iter(layers.values()))


def read_layers(body: bytes) -> dict[str, Any]:
    """The tile's layers by name, each a GeoDataFrame, uncut; `mvt_id` is the id of a feature."""
    return _process().submit(_read, body).result(timeout=60)


def tile_text(body: bytes) -> str:
    """A tile as text, a line for each feature in the order of the tile, with all that it says."""
    lines = []
    for name, features in read_layers(body).items():
        lines.append(f"[{name}]")
        for row in features.to_dict("records"):
            said = {key: row[key] for key in row if key != "geometry" and not pd.isna(row[key])}
            lines.append(f"{row['geometry'].wkt} {said}")
    return "\n".join(lines) + "\n"


@cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _read(body: bytes) -> dict[str, Any]:
    import pyogrio  # noqa: PLC0415 (in that process alone)

    names = pyogrio.list_layers(body)[:, 0].tolist()
    return {name: pyogrio.read_dataframe(body, layer=name, CLIP="NO") for name in names}
