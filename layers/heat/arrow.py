"""Heat as Arrow IPC streams, the compact form that screens read.

Cells are one batch of ids and values. Frames are one batch a step, values alone, in the order of the cells that
the same question has for its whole window; `set_id` says whether two answers are in the same order.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layers.core.errors import BadValue
from layers.heat.store.kernels import Values

STEPS = 256  # as many as the screens' colour ramp has

_MOST = 2**32 - 1
_CELLS = pa.schema([pa.field("cell", pa.uint64(), nullable=False), pa.field("value", pa.uint32(), nullable=False)])
_EXACT = pa.schema([pa.field("v", pa.uint32(), nullable=False)])
_QUANTISED = pa.schema([pa.field("v", pa.uint8(), nullable=False)])


def set_id(cell: NDArray[np.uint64]) -> str:
    """24 hex digits that name a list of cells: BLAKE2b-96 of the little-endian ids in their order."""
    return hashlib.blake2b(cell.astype("<u8").tobytes(), digest_size=12).hexdigest()


def quantised(value: Values | NDArray[np.uint32], top: float) -> NDArray[np.uint8]:
    """Steps 0 to 255 along the square root of `value / top`, rounded half up.

    Nothing is 0, anything is at least 1, and values at or above `top` are 255; `value` is not negative and `top`
    above zero. The screens quantise alike, bit for bit.
    """
    step = np.floor(np.sqrt(np.minimum(1.0, value / top)) * (STEPS - 1) + 0.5).astype(np.uint8)
    return np.where(value > 0, np.maximum(step, 1), 0).astype(np.uint8)


def cells_stream(cell: NDArray[np.uint64], value: Values, metadata: Mapping[str, str]) -> bytes:
    """One batch of `cell` uint64 and `value` uint32; `metadata` goes into the schema.

    Raises
    ------
    BadValue : a value that 32 bits do not hold.
    """
    return _stream(_CELLS, [[_column(cell), _column(_narrow(value))]], metadata)


def frames_stream(
    frames: Iterable[Values], metadata: Mapping[str, str], top: float | None, *, exact: bool
) -> bytes:
    """One batch a frame, of `v` alone: uint32 where `exact`, else quantised to uint8.

    Parameters
    ----------
    frames : int64[n] each, >= 0, in one order of cells.
    top : where the scale of quantised values ends; the greatest value of all frames if None.

    Raises
    ------
    BadValue : a value that 32 bits do not hold, or `top` not above zero.
    """
    narrow = [_narrow(frame) for frame in frames]
    if exact:
        return _stream(_EXACT, [[_column(frame)] for frame in narrow], metadata)
    if top is None:
        top = max([1, *(int(frame.max(initial=0)) for frame in narrow)])
    if top <= 0:
        raise BadValue(f"top: {top} is not above zero", parameter="top")
    scale = {"scale": "sqrt", "top": str(top)}
    return _stream(_QUANTISED, [[_column(quantised(frame, top))] for frame in narrow], {**metadata, **scale})


def _narrow(value: Values) -> NDArray[np.uint32]:
    """Values in 32 bits, or none."""
    if value.size and not 0 <= value.min() <= value.max() <= _MOST:
        raise BadValue("f: values below zero or above 4294967295 do not fit into Arrow; take JSON", parameter="f")
    return value.astype(np.uint32)


def _column(values: NDArray[np.unsignedinteger[Any]]) -> pa.Array:
    """The same values without a copy; `pa.array` would load pandas, wherever that is installed."""
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _stream(schema: pa.Schema, batches: list[list[pa.Array]], metadata: Mapping[str, str]) -> bytes:
    schema = schema.with_metadata(dict(metadata))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for columns in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    body: bytes = sink.getvalue().to_pybytes()
    return body
