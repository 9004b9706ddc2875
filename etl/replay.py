"""Quarantined rows played again: the file is read once more, for a quarantine holds no rows.

A row may carry a fix: values by source column that stand in for what the file says.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etl import quarantine
from etl.delivery import Delivery
from etl.keys import said
from etl.load.staging import Connection
from etl.readers.base import RawFrame, Reading
from etl.readers.push import read_push
from etl.readers.registry import read
from etl.spec import Source
from layers.catalog.city import City
from layers.core.errors import BadSource, BadValue, SourceError, UnreadableFile

_OPEN = """
select quarantine_id, row_number, fix, quarantine.file_sha256, source
from onemap.quarantine join onemap.run using (run_id)
where run_id = %s and resolved_by is null and dismissed_at is null order by row_number"""

# Rows that say the same pass or fail together, so that all equals of a row that waits were in quarantine once.
_EVER = """
select distinct row_number from onemap.quarantine join onemap.run using (run_id)
where source = %s and quarantine.file_sha256 = %s"""

_PUSHED = "select rows from onemap.push where source = %s and body_sha256 = %s and rows is not null limit 1"

_RESOLVE = "update onemap.quarantine set resolved_by = %s where quarantine_id = any(%s)"


@dataclass(frozen=True)
class Waiting:
    """The rows of one run that wait: fixes by row number, the quarantine's ids, and the hash of their file.

    ever : the numbers of all rows of that file that were in quarantine at any time.
    pushed : the rows of the push that they came with, if they did.
    """

    run_id: int
    source: str
    fixes: Mapping[int, Mapping[str, str]]
    ids: list[int]
    sha256: str
    ever: list[int]
    pushed: list[dict[str, Any]] | None = None

    @classmethod
    def of(cls, connection: Connection, run_id: int) -> "Waiting":
        """What waits of one run.

        Raises
        ------
        BadValue : nothing does.
        """
        rows = connection.execute(_OPEN, [run_id]).fetchall()
        if not rows:
            raise BadValue(f"nothing of run {run_id} is in quarantine", parameter="run")
        source, sha256 = rows[0]["source"], rows[0]["file_sha256"]
        push = connection.execute(_PUSHED, [source, sha256]).fetchone()
        return cls(
            run_id,
            source,
            {row["row_number"]: row["fix"] for row in rows},
            [row["quarantine_id"] for row in rows],
            sha256,
            [row["row_number"] for row in connection.execute(_EVER, [source, sha256])],
            push["rows"] if push else None,
        )


def delivery(source: Source, city: City, waiting: Waiting, path: Path | None = None) -> Delivery:
    """The rows that wait, read again from the push or the file of their hash: at `path`, or one of the source's.

    Raises
    ------
    UnreadableFile : no file has that hash.
    BadSource : the rows came by a feed, which is asked again from a day, and not row by row.
    """
    mode = "append" if source.mode == "snapshot" else source.mode
    gentle = source.model_copy(update={"mode": mode, "max_quarantined": 1.0})
    name, opens = _again(gentle, city, waiting, path)

    def settle(connection: Connection, run_id: int) -> None:
        connection.execute(_RESOLVE, [run_id, waiting.ids])
        connection.execute(
            """update onemap.quarantine again set fix = before.fix from onemap.quarantine before
            where again.run_id = %s and before.quarantine_id = any(%s) and before.row_number = again.row_number""",
            [run_id, waiting.ids],
        )
        quarantine.forget_pushes(connection)

    return Delivery(
        gentle,
        name,
        lambda: only(opens(), gentle, waiting),
        via="replay",
        replays=waiting.run_id,
        settle=settle,
    )


def _again(source: Source, city: City, waiting: Waiting, path: Path | None) -> tuple[str, Callable[[], Reading]]:
    """What the rows are read from, and how."""
    if waiting.pushed is not None:
        rows = waiting.pushed
        return "push", lambda: read_push(rows, source.taken, waiting.sha256)
    if source.feed is not None and path is None:
        raise BadSource(
            f"{source.id}: a feed keeps no rows; ask it again: onemap etl run {source.id} --since DAY",
            source=source.id,
        )
    found = _file(source, city, waiting.sha256, path)
    return found.name, lambda: read(source, found)


def only(reading: Reading, source: Source, waiting: Waiting) -> Reading:
    """The rows of `reading` that wait, with the values of their fixes in place of the file's."""
    return replace(reading, batches=_only(reading.batches, source, waiting))


def _only(batches: Iterator[RawFrame], source: Source, waiting: Waiting) -> Iterator[RawFrame]:
    fixes = waiting.fixes
    wanted, ever = np.fromiter(fixes, np.int64), np.array(waiting.ever, np.int64)
    equals: Counter[bytes] = Counter()
    for raw in batches:
        place = None if source.key else _places(raw, ever, source, equals)
        where = np.flatnonzero(np.isin(raw.rows, wanted))
        part = _taken(raw, where)
        yield replace(
            part,
            table=_fixed(part.table, [fixes[number] for number in part.rows.tolist()]),
            broken=[line for line in raw.broken if line[0] in fixes],
            said=part.table,
            place=None if place is None else place[where],
        )


def _places(raw: RawFrame, ever: NDArray[np.int64], source: Source, equals: Counter[bytes]) -> NDArray[np.int64]:
    """int64[n], the number of each row of `ever` among its equals; `equals` counts those of the batches before."""
    place = np.ones(len(raw), np.int64)
    where = np.flatnonzero(np.isin(raw.rows, ever))
    for index, digest in zip(where.tolist(), said(_taken(raw, where), source).to_pylist(), strict=True):
        equals[digest] += 1
        place[index] = equals[digest]
    return place


def _taken(raw: RawFrame, where: NDArray[np.int64]) -> RawFrame:
    """The rows at these indices."""
    shapes = None if raw.shapes is None else raw.shapes[where]
    return replace(raw, table=raw.table.take(pa.array(where)), rows=raw.rows[where], shapes=shapes)


def _fixed(table: pa.Table, fixes: list[Mapping[str, str]]) -> pa.Table:
    for place, name in enumerate(table.column_names):
        given = pa.array([fix.get(name) for fix in fixes], pa.string())
        if given.null_count == len(given):
            continue
        column = table.column(name)
        # A corrected value is text, like a file's own: the checks read it, or say what is wrong with it.
        words = column.combine_chunks().cast(pa.string())
        table = table.set_column(place, name, pc.coalesce(given, words))
    return table


def _sha256(source: Source, file: Path) -> str | None:
    """The hash that a load of the file would keep, be it one of several parts."""
    with suppress(SourceError):
        return read(source, file).sha256
    return None


def _file(source: Source, city: City, wanted: str, path: Path | None) -> Path:
    files = [path] if path else source.files(city.folder)
    for file in files:
        if _sha256(source, file) == wanted:
            return file
    named = ", ".join(str(file) for file in files)
    raise UnreadableFile(
        f"{named}: none of these is the file that was loaded, whose SHA-256 begins with {wanted[:12]}; say where"
        " it is now",
        file=named,
    )
