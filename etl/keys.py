"""What makes a row the same row when it comes again.

A source that names key columns is identified by them. One that has none is identified by what its rows say: the
hash of the columns taken, as the file gives them, to which the load adds a number among equals. So two alike
events stay two, and the same rows in another file or another order are the same rows. What is done with a row
later (its datum, its codes, a fix) does not change its key, so that a mended TOML updates rows instead of doubling
them; taking other columns does.
"""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.binary import rows
from etl.readers.base import RawFrame
from etl.spec import Source
from layers.records.sheet import plain, text

DIGEST_BYTES = 16


def source_keys(raw: RawFrame, source: Source) -> pa.StringArray:
    """The key of each of n rows, without a number among equals unless it is known; missing where a column is."""
    if source.key:
        parts = [text(plain(raw.table.column(name))) for name in source.key]
        return (
            parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*[_escaped(part) for part in parts], "|")
        )
    keys = [digest.hex() for digest in said(raw, source).to_pylist()]
    if raw.place is not None:
        keys = [numbered(key, place) for key, place in zip(keys, raw.place.tolist(), strict=True)]
    return pa.array(keys, pa.string())


def numbered(key: str, place: int) -> str:
    """The key of the row at `place` among its equals, as a load of the whole file numbers it."""
    return key if place == 1 else f"{key}#{place}"


def said(raw: RawFrame, source: Source) -> pa.Array:
    """Hash of what each row says in the columns taken, as the file gives them: binary[n] of 16 bytes."""
    table = raw.table if raw.said is None else raw.said
    columns = [plain(table.column(name)) for name in source.taken]
    if raw.shapes is not None:
        columns.append(pa.array(shapely.to_wkb(raw.shapes), pa.binary()))
    return digests(columns)


def digests(columns: list[pa.Array]) -> pa.Array:
    """Content hash of each row: BLAKE2b of its bytes in PostgreSQL's binary format, binary[n] of 16 bytes."""
    return pa.array(
        [hashlib.blake2b(row, digest_size=DIGEST_BYTES).digest() for row in rows(columns).to_pylist()],
        pa.binary(),
    )


def _escaped(words: pa.StringArray) -> pa.StringArray:
    # "a|b" and "c" must not make the key of "a" and "b|c".
    return pc.replace_substring(pc.replace_substring(words, "\\", "\\\\"), "|", "\\|")
