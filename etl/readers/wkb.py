"""WKB that is safe to read: GEOS follows nested geometries by recursion, and deep ones would end the process."""

import struct

_POINT, _LINE, _POLYGON = 1, 2, 3
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000
_HARMLESS_BYTES = 4096
"""What is no longer than this cannot nest deep enough to harm."""


def nests(wkb: bytes) -> bool:
    """Whether a long geometry has parts that have parts themselves; no layer holds such.

    Source: OGC 06-103r4, clause 8, and the flags of EWKB as PostGIS writes them.
    """
    if len(wkb) <= _HARMLESS_BYTES:
        return False
    try:
        kind, count, _, at, _ = _head(wkb, 0)
        for _ in range(count if kind > _POLYGON else 0):
            kind, inside, size, at, order = _head(wkb, at)
            if kind > _POLYGON:
                return True
            at = _end(wkb, at, order, kind, inside, size)
    except (struct.error, IndexError):  # it breaks off; GEOS says so
        return False
    return False


def _head(wkb: bytes, at: int) -> tuple[int, int, int, int, str]:
    """Kind, count, bytes of a corner, where the rest begins, and byte order of the geometry at `at`."""
    order = "<" if wkb[at] else ">"
    (kind,) = struct.unpack_from(order + "I", wkb, at + 1)
    at += 9 if kind & _SRID else 5
    plain = kind & 0xFFFF
    dimensions = 2 + bool(kind & _Z or plain // 1000 in {1, 3}) + bool(kind & _M or plain // 1000 in {2, 3})
    (count,) = struct.unpack_from(order + "I", wkb, at)
    return plain % 1000, count, 8 * dimensions, at + 4, order


def _end(wkb: bytes, at: int, order: str, kind: int, count: int, size: int) -> int:
    """Where a part ends whose corners or rings begin at `at`."""
    if kind == _POINT:
        return at - 4 + size  # it has no count
    if kind == _LINE:
        return at + count * size
    for _ in range(count):
        (corners,) = struct.unpack_from(order + "I", wkb, at)
        at += 4 + corners * size
    return at
