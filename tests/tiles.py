"""Vector tiles as GDAL reads them, in a process of its own: the readers of files switch most of its formats off here."""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any


def read_tile(body: bytes) -> tuple[list[str], Any]:
    """Names of the tile's layers, and the features of the first as a GeoDataFrame, uncut."""
    return _process().submit(_read, body).result(timeout=60)


@cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _read(body: bytes) -> tuple[list[str], Any]:
    import pyogrio  # noqa: PLC0415 (in that process alone)

    return pyogrio.list_layers(body)[:, 0].tolist(), pyogrio.read_dataframe(body, CLIP="NO")
