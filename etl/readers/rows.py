"""Rows told apart: one whose geometry or text cannot be read is a broken row, not a broken file."""

import codecs
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

from etl.readers.base import RawFrame
from etl.readers.wkb import nests

Read = Callable[..., Any]
"""shapely.from_wkb or shapely.from_geojson."""


def located(frame: RawFrame, column: str, read: Read = shapely.from_wkb) -> RawFrame:
    """`frame` with its column of written geometries as shapes; a missing one stays missing."""
    written = frame.table.column(column).to_pylist()
    nested = [index for index, each in enumerate(written) if isinstance(each, bytes) and nests(each)]
    for index in nested:
        written[index] = None
    shapes, reasons = _shapes(written, read)
    reasons |= dict.fromkeys(nested, "geometry has parts that have parts, which are not read")
    return parted(replace(frame, table=frame.table.drop_columns([column]), shapes=shapes), reasons)


def decoded(frame: RawFrame, codec: str, held: Callable[[bytes], bytes] = bytes) -> RawFrame:
    """`frame` with its texts read strictly as `codec`, which agrees with ASCII.

    `held` takes the bytes of a text in the table to those in the file.
    """
    reasons: dict[int, str] = {}
    for place, name in enumerate(frame.table.column_names):
        column = frame.table.column(name)
        if not pa.types.is_string(column.type) or pc.all(pc.string_is_ascii(column)).as_py() is not False:
            continue
        texts: list[str | None] = []
        for index, text in enumerate(column.cast(pa.binary()).to_pylist()):
            try:
                texts.append(None if text is None else uncut(held(text), codec))
            except UnicodeDecodeError:
                texts.append(None)
                reasons[index] = f"column '{name}' is not text in {codec}"
        frame = replace(frame, table=frame.table.set_column(place, name, pa.array(texts, pa.string())))
    return parted(frame, reasons)


def uncut(text: bytes, codec: str) -> str:
    """Text without its last character where that is cut off, as happens at the width of a column.

    Raises
    ------
    UnicodeDecodeError : anything else in it is not `codec`.
    """
    return codecs.getincrementaldecoder(codec)().decode(text)


def parted(frame: RawFrame, reasons: dict[int, str]) -> RawFrame:
    """`frame` without the rows at the indices of `reasons`, which are broken for that reason."""
    if not reasons:
        return frame
    keep = np.ones(len(frame), np.bool_)
    keep[list(reasons)] = False
    return RawFrame(
        frame.table.filter(keep),
        frame.rows[keep],
        shapes=None if frame.shapes is None else frame.shapes[keep],
        broken=sorted([*frame.broken, *((int(frame.rows[index]), why) for index, why in reasons.items())]),
        through=frame.through,
    )


def _shapes(written: list[Any], read: Read) -> tuple[NDArray[np.object_], dict[int, str]]:
    shapes = np.full(len(written), None, np.object_)
    try:
        shapes[:] = read(np.array(written, np.object_), on_invalid="ignore")
    except NotImplementedError:  # one curve fails them all
        reasons: dict[int, str] = {}
        for index, each in enumerate(written):
            shapes[index], why = _shape(each, read)
            reasons |= {index: why} if why else {}
        return shapes, reasons
    lost = [index for index in np.flatnonzero(shapely.is_missing(shapes)).tolist() if written[index] is not None]
    return shapes, {index: _shape(written[index], read)[1] for index in lost}


def _shape(written: Any, read: Read) -> tuple[Any, str]:
    try:
        return read(written), ""
    except NotImplementedError:
        return None, "geometry has curves, which are not read; make them lines first"
    except GEOSException as exc:
        return None, f"geometry cannot be read: {str(exc).split(': ', 1)[-1].strip()}"
