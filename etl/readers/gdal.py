"""What GDAL reads for this house: of a closed list of formats, under a name that says nothing, in batches."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
import pyarrow as pa
import pyogrio
from pyogrio._ogr import _register_drivers

from etl.readers.base import BATCH_ROWS, RawFrame, require
from etl.readers.rows import located
from layers.core.errors import UnreadableFile

_DRIVERS = {"ESRI Shapefile", "FlatGeobuf", "GPKG", "GeoJSON"}
"""None of these follows a name that stands in a file, as VRT does."""


@dataclass(frozen=True)
class Dataset:
    """One layer of a file.

    path : the file as the operator knows it, for messages.
    place : where GDAL finds it.
    driver : how GDAL calls the format.
    names : its columns.
    count : rows that it says it has; 0 where it does not say.
    crs : the coordinate reference system that it declares, if it does.
    """

    path: Path
    place: Path
    driver: str
    layer: str | None
    options: dict[str, str]
    names: list[str]
    kinds: list[str]
    count: int
    crs: str | None

    @classmethod
    def open(cls, path: Path, place: Path, driver: str, layer: str | None = None, **options: str) -> Self:
        """Look at what `place`, a name of the house's own, holds.

        Raises
        ------
        UnreadableFile : it is not of that driver's format, or broken.
        """
        _close_the_list()
        with _errors(path, driver):
            info = pyogrio.read_info(place, layer=layer, force_feature_count=True, **options)
        if info["driver"] != driver:
            raise UnreadableFile(f"{path}: this is {info['driver']}, not {driver}", file=str(path))
        names = [str(name) for name in info["fields"]]
        kinds = [str(kind) for kind in info["ogr_types"]]
        return cls(path, place, driver, layer, options, names, kinds, max(info["features"], 0), info["crs"])

    def frames(self, columns: list[str], *, numbered: bool = False) -> Iterator[RawFrame]:
        """Rows with their shapes, in the file's order; at least one frame.

        `numbered` : the file numbers its rows, and may leave some out that were deleted.

        Raises
        ------
        MissingColumn : there is no such column.
        UnreadableFile : a column holds bytes, or the file breaks off.
        """
        require(self.path, columns, self.names)
        for name in columns:
            if self.kinds[self.names.index(name)] == "OFTBinary":
                raise UnreadableFile(
                    f"{self.path}: column '{name}' holds bytes, not plain values", file=str(self.path), column=name
                )
        return self._frames(columns, numbered=numbered)

    def _frames(self, columns: list[str], *, numbered: bool) -> Iterator[RawFrame]:
        done = 0
        with ExitStack() as stack:
            with _errors(self.path, self.driver):
                meta, reader = stack.enter_context(
                    pyogrio.open_arrow(
                        self.place, layer=self.layer, columns=columns, return_fids=numbered, use_pyarrow=True,
                        batch_size=BATCH_ROWS, datetime_as_string=True, **self.options,
                    )
                )  # fmt: skip
            shape = meta["geometry_name"] or "wkb_geometry"
            while (batch := self._next(reader, done)) is not None:
                table = pa.Table.from_batches([batch])
                rows = np.arange(done, done + len(table)) + 1
                if numbered:
                    rows = table.column(meta["fid_column"]).to_numpy() + 1
                done += len(table)
                through = min(1.0, int(rows[-1]) / max(self.count, 1))
                taken = pa.table({name: _plain(table.column(name)) for name in [*columns, shape]})
                yield located(RawFrame(taken, rows, through=through), shape)
        if done < self.count and not numbered:
            raise UnreadableFile(
                f"{self.path}: it breaks off: only {done} of {self.count} rows can be read", file=str(self.path)
            )
        if not done:
            nothing = pa.schema([(name, pa.string()) for name in columns]).empty_table()
            yield RawFrame(nothing, np.arange(0), shapes=np.empty(0, np.object_))

    def _next(self, reader: pa.RecordBatchReader, done: int) -> pa.RecordBatch | None:
        with _errors(self.path, self.driver, f" after row {done}" if done else ""):
            try:
                return reader.read_next_batch()
            except StopIteration:
                return None


@contextmanager
def neutral(parts: dict[str, Path]) -> Iterator[Path]:
    """A folder of its own, with a link of each name to its file: what a file is called means nothing to GDAL."""
    with TemporaryDirectory(prefix="onemap-") as folder:
        for name, part in parts.items():
            (Path(folder) / name).symlink_to(part)
        yield Path(folder)


def held(frames: Iterator[RawFrame], stack: ExitStack) -> Iterator[RawFrame]:
    """`frames`, with what they need given back after the last, or when nobody wants more; the first is at once."""

    def each() -> Iterator[RawFrame]:
        with stack:
            yield from frames

    kept = each()
    return chain([next(kept)], kept)


@cache
def _close_the_list() -> None:
    others = set(pyogrio.list_drivers()) - _DRIVERS
    pyogrio.set_gdal_config_options({"OGR_SKIP": ",".join(sorted(others))})
    _register_drivers()  # now without the others


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates and times as ISO 8601 texts, like those of a file that has only text."""
    return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column


@contextmanager
def _errors(path: Path, driver: str, where: str = "") -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # GDAL's own; what matters of them shows in the rows
            yield
    except (RuntimeError, UnicodeDecodeError, IndexError, pa.ArrowException, OSError) as exc:
        what = "there is no layer in it" if isinstance(exc, IndexError) else str(exc).split("\n", 1)[0]
        raise UnreadableFile(f"{path}: this {driver} cannot be read{where}: {what}", file=str(path)) from exc
