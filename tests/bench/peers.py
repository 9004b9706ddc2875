"""The same questions to DuckDB, and to PostgreSQL by the SQL that a tile server's function would run.

Both have their rows in the order of time. DuckDB has no column that no question asks for. PostgreSQL's table is as wide
as the map's own, which is what a tile server asks, or has no column that no question asks for where all its rows would
not fit into memory; it has the map's indexes. Its answer's way to NumPy is not counted.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.bench.asks import Ask, Town

ROOT = Path(__file__).parents[2]
DUCKDB_PYTHON = ROOT / "build" / "bench-venv" / "bin" / "python"


@dataclass(frozen=True, eq=False)
class Answer:
    """A question's cells, ascending, their values, and the best time in seconds that it took."""

    cell: NDArray[np.uint64]
    value: NDArray[np.int64]
    seconds: float


def _columns(town: Town) -> Iterator[pa.Table]:
    """The events by part, in the order of time, in DuckDB's columns."""
    category = np.array([town.codes.index(plane.category) for plane in town.planes], dtype=np.uint8)
    patrol = np.array([plane.patrol for plane in town.planes])
    for part in town.parts():
        order = np.argsort(part.t, kind="stable")
        plane = part.plane[order]
        yield pa.table({
            "t": part.t[order].astype(np.uint32),
            "cell": part.cell[order],
            "area": part.area[order].astype(np.uint16),
            "category": pa.DictionaryArray.from_arrays(category[plane], list(town.codes)),
            "patrol": patrol[plane],
            "severity": town.weight[category[plane]].astype(np.uint8),
        })  # fmt: skip


def write_parquet(town: Town, path: Path) -> None:
    """The events as one Parquet file, a row group a part."""
    writer = None
    for table in _columns(town):
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def duckdb_answers(asks: Sequence[Ask], home: Path, threads: int, repeat: int) -> tuple[str, list[Answer]]:
    """DuckDB's version and answers; `home` holds `events.parquet`, and keeps its database for the next call."""
    job = {
        "parquet": str(home / "events.parquet"), "database": str(home / "events.duckdb"), "threads": threads,
        "repeat": repeat, "answer": str(home / "duckdb.npz"), "statements": [_duckdb_sql(ask) for ask in asks],
    }  # fmt: skip
    script = Path(__file__).with_name("duckdb_peer.py")
    subprocess.run([DUCKDB_PYTHON, script], input=json.dumps(job), text=True, check=True)
    answers = []
    with np.load(home / "duckdb.npz") as found:
        version = str(found["version"])
        for number, seconds in enumerate(found["seconds"]):
            order = np.argsort(found[f"cell{number}"])
            cell, value = found[f"cell{number}"][order], found[f"value{number}"][order]
            answers.append(Answer(cell, value.astype(np.int64), float(seconds)))
    return version, answers


def _duckdb_sql(ask: Ask) -> str:
    """Values stand in the text: each is one that the grid drew."""
    wheres = [f"t >= {ask.start} and t < {ask.end}"]
    if ask.categories is not None:
        wheres.append(f"category in ({_listed(ask.categories)})")
    if not ask.patrol:
        wheres.append("not patrol")
    if ask.areas is not None:
        wheres.append(f"area in ({_listed(ask.areas)})")
    if ask.cells is not None:
        wheres.append(f"cell in ({_listed(ask.cells.tolist())})")
    value = "sum(severity)::bigint" if ask.weighted else "count(*)"
    return f"select cell, {value} as value from incident where {' and '.join(wheres)} group by cell"


def _listed(values: Sequence[int | str]) -> str:
    return ", ".join(map(repr, values))


# What a row of onemap.incident holds beside that, of the same length.
_FURTHER = """, source text default 'synthetic', source_key text default '0123456789', origin text default 'citizen',
  recorded_at timestamptz default '2020-01-01', state text default 'closed', closed_at timestamptz default '2020-01-01',
  zones integer default 0, spot bytea default decode(repeat('00', 25), 'hex'),
  geom bytea default decode(repeat('00', 25), 'hex'), attributes jsonb default '{"street": "Long Street", "unit": "D52"}',
  content_hash bytea default decode(repeat('00', 32), 'hex'), run_id bigint default 1,
  known_from timestamptz default '2020-01-01'"""
_ASKED = "occurred_at, cell, area_id, category, patrol, severity"


class Postgres:
    """A table of the city's events in a database of its own."""

    def __init__(self, url: str, town: Town, *, wide: bool) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        execute = self.connection.execute
        execute(
            "create table incident (occurred_at timestamptz not null, cell bigint not null, area_id bigint,"
            f" category text not null, patrol boolean not null, severity integer not null{_FURTHER if wide else ''})"
        )
        for table in _columns(town):
            rows = table.set_column(0, "t", table["t"].cast(pa.int64()).cast(pa.timestamp("s", "UTC")))
            rows = rows.set_column(3, "category", table["category"].cast(pa.string()))
            with self.connection.cursor().copy(f"copy incident ({_ASKED}) from stdin (format csv)") as copy:
                sink = pa.BufferOutputStream()
                pyarrow.csv.write_csv(rows, sink, pyarrow.csv.WriteOptions(include_header=False))
                copy.write(sink.getvalue())
        for column in ("occurred_at", "cell", "area_id"):
            execute(f"create index on incident ({column})")
        execute("vacuum analyze incident")

    def close(self) -> None:
        """Drop the table."""
        self.connection.execute("drop table incident")
        self.connection.close()

    def answer(self, ask: Ask, repeat: int) -> Answer:
        """The best of `repeat` runs, the rows fetched in PostgreSQL's binary form; NumPy's part is not counted."""
        statement, given = self._statement(ask)
        best = np.inf
        for _ in range(repeat):
            start = time.perf_counter()
            rows = self.connection.execute(statement, given, binary=True).fetchall()
            best = min(best, time.perf_counter() - start)
        found = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
        return Answer(found[:, 0].astype(np.uint64), found[:, 1], best)

    @staticmethod
    def _statement(ask: Ask) -> tuple[str, dict[str, object]]:
        wheres = ["occurred_at >= to_timestamp(%(start)s) and occurred_at < to_timestamp(%(end)s)"]
        given: dict[str, object] = {"start": ask.start, "end": ask.end}
        if ask.categories is not None:
            wheres.append("category = any(%(categories)s)")
            given["categories"] = list(ask.categories)
        if not ask.patrol:
            wheres.append("not patrol")
        if ask.areas is not None:
            wheres.append("area_id = any(%(areas)s)")
            given["areas"] = list(ask.areas)
        if ask.cells is not None:
            wheres.append("cell = any(%(cells)s)")
            given["cells"] = ask.cells.astype(np.int64).tolist()
        value = "sum(severity)" if ask.weighted else "count(*)"
        return f"select cell, {value} as value from incident where {' and '.join(wheres)} group by cell", given
