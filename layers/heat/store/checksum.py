"""One number that says whether a store holds the same events as the database, whatever their order.

The sum over all events of a hash of their facts, once for each heat layer that they belong to. It is made of
PostgreSQL's own hash function for numbers, so that the database counts it as fast as it reads the rows. Categories
count by their codes, which stay when a city puts them into another order.

Source: hash_bytes_uint32_extended in PostgreSQL's src/common/hashfn.c, after Bob Jenkins' lookup3.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import DictRow

from layers.heat.store.events import Events, Plane

Words = NDArray[np.uint32]
Hashes = NDArray[np.uint64]

_START = 0x9E3779B9 + 4 + 3923095
_MIX, _FINAL = (4, 6, 8, 16, 19, 4), (14, 11, 25, 16, 4, 14, 24)
_HALF = np.uint64(32)
_MODULUS = 1 << 64
_CHUNK = 1 << 15  # so many stay in the processor's cache

# One sum for all events, and one for each zone type. What has no known category counts as of none.
_SUMS = sql.SQL("""
select {sums}
from (
  select zones, hashint8extended(onemap.whole_second(occurred_at),
    hashint8extended(cell & 4294967295, hashint8extended(cell >> 32, hashint8extended(coalesce(area_id, 0),
    coalesce(case when origin = 'patrol' then seed.patrol else seed.told end, 0))))) as hash
  from onemap.incident left join unnest(%(codes)s::text[], %(told)s::bigint[], %(patrol)s::bigint[])
    seed (category, told, patrol) using (category)
) hashed""")
_SUM = sql.SQL("coalesce(sum(hash) filter (where {}), 0)")
_INSIDE = sql.SQL("(zones >> {}) & 1 = 1")


def checksum(connection: psycopg.Connection[DictRow], layers: int) -> int:
    """The checksum of all incidents in the database, 0 to 2^64 - 1; `layers` counts `all` and the zone types."""
    codes = [row["code"] for row in connection.execute("select code from onemap.category")]
    told, patrol = (
        plane_seeds([Plane(code, patrol=patrol) for code in codes]).view(np.int64).tolist()
        for patrol in (False, True)
    )
    inside = [sql.SQL("true"), *(_INSIDE.format(bit) for bit in range(layers - 1))]
    sums = sql.SQL(", ").join(_SUM.format(one) + sql.SQL(f" as layer_{n}") for n, one in enumerate(inside))
    given = {"codes": codes, "told": told, "patrol": patrol}
    found = connection.execute(_SUMS.format(sums=sums), given).fetchone() or {}
    return combined(int(found[f"layer_{layer}"]) for layer in range(layers))


def events_checksum(events: Events, planes: Sequence[Plane], layers: int) -> int:
    """The checksum of the same events as arrays."""
    seeds = place_seeds(plane_seeds(planes)[events.plane], events.area, events.cell)
    hashes = event_hashes(events.t, seeds)
    inside = (hashes[(events.zones >> np.uint32(bit)) & 1 == 1] for bit in range(layers - 1))
    return combined(int(one.sum()) for one in (hashes, *inside))


def combined(sums: Iterable[int]) -> int:
    """The checksum of stores whose events' hashes have these sums, in the order of the layers."""
    return sum(_factor(layer) * one for layer, one in enumerate(sums)) % _MODULUS


def plane_seeds(planes: Sequence[Plane]) -> Hashes:
    """uint64[planes], what the hashes of each plane's events begin with."""
    names = [f"{plane.category} {plane.patrol:d}".encode() for plane in planes]
    return np.array([int.from_bytes(blake2b(name, digest_size=8).digest()) for name in names], np.uint64)


def place_seeds(plane: Hashes, area: NDArray[np.int64], cell: NDArray[np.uint64]) -> Hashes:
    """uint64[n], what the hash of an event is made of beside its time: its plane's seed, its area and its cell."""
    low = np.uint64(0xFFFFFFFF)
    return _hashed(cell & low, _hashed(cell >> _HALF, _hashed(area, plane)))


def event_hashes(t: NDArray[np.int64], seeds: Hashes) -> Hashes:
    """uint64[n], the hashes of events by their seconds since 1970 and the seeds of their planes and places."""
    return _hashed(t, seeds)


def _factor(layer: int) -> int:
    """Makes an event count for something else in each layer; odd, so that nothing of its hash is lost."""
    return int.from_bytes(blake2b(b"layer %d" % layer, digest_size=8).digest()) | 1


def _hashed(values: NDArray[np.int64] | NDArray[np.uint64], seeds: Hashes) -> Hashes:
    """PostgreSQL's hashint8extended: uint64[n]."""
    made = np.empty(len(values), np.uint64)
    for start in range(0, len(values), _CHUNK):
        piece = slice(start, start + _CHUNK)
        signed = values[piece].view(np.int64)
        halves = np.where(signed < 0, ~signed, signed).view(np.uint64) >> _HALF
        made[piece] = _hash_word(signed.astype(np.uint32) ^ halves.astype(np.uint32), seeds[piece])
    return made


def _hash_word(word: Words, seed: Hashes) -> Hashes:
    """PostgreSQL's hash_bytes_uint32_extended: uint64[n]; a seed of 0, which it treats otherwise, is not met."""
    a, b, c = (np.full(len(word), _START, np.uint32) for _ in range(3))
    a += (seed >> _HALF).astype(np.uint32)
    b += seed.astype(np.uint32)
    for by in _MIX:
        a -= c
        a ^= _rotated(c, by)
        c += b
        a, b, c = b, c, a
    a += word
    for by in _FINAL:
        c ^= b
        c -= _rotated(b, by)
        a, b, c = b, c, a
    return a.astype(np.uint64) << _HALF | b


def _rotated(word: Words, by: int) -> Words:
    return word << np.uint32(by) | word >> np.uint32(32 - by)
