"""A process of its own that packs rows into a file: they come in by standard input, the file leaves by the output.

The server would have to load GDAL and frame libraries for it, and could answer nobody while they work.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

_NICE = 5  # answers go before files


def main(name: str) -> None:
    """Read a table and its batches up to an empty one, and write them in the format of that name.

    Where they break off, or nobody takes the file any more, there is nothing to say: the server knows.
    """
    os.nice(_NICE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaving no file behind
    found = _batches()
    try:
        _writer(name)(next(found), found, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except (EOFError, BrokenPipeError):
        sys.exit(1)


def _writer(name: str) -> Callable[..., None]:
    if name == "fgb":
        from mapserver.formats import flatgeobuf  # noqa: PLC0415 (of these only one is needed)

        return flatgeobuf.write
    if name == "xlsx":
        from mapserver.formats import xlsx  # noqa: PLC0415

        return xlsx.write
    from mapserver.formats import geoparquet  # noqa: PLC0415

    return geoparquet.write


def _batches() -> Iterator[Any]:
    while item := pickle.load(sys.stdin.buffer):  # noqa: S301 (by the server that started this)
        yield item


if __name__ == "__main__":
    main(sys.argv[1])
