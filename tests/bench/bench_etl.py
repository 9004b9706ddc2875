"""Loads of a million incidents, each against a peer that checks nothing, in one run on one machine.

Prints every rate and ratio, and the command of each peer; exits with 1 when a mark is missed. The bare COPY starts
from rows that are already in COPY's own format; it tags nothing and knows no constraint.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pyarrow.parquet as pq
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict

from etl import pipeline, vocabulary
from etl.account import Account
from etl.spec import Source, chosen
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate
from tests.bench.place import place
from tests.bench.rows import SOURCE, TORONTO, rows, write_csv, write_parquet

ROWS = 1_000_000
CSV_ROWS = 5_000_000
FIRST, APPEND, TO_POSTGIS, OGR2OGR, RELOAD, CSV_MIB = 0.25, 0.5, 1.0, 0.35, 2.0, 2048

_INDEXES = (
    "select indexdef from pg_indexes where schemaname = 'onemap' and tablename = 'incident' order by indexname"
)
_FLAT = """select incident_id, source, source_key, category, origin, occurred_at, recorded_at, state, due_at, closed_at, severity,
cell, area_id, zones, attributes, encode(content_hash, 'hex') as content_hash, run_id, known_from, version, geom"""


def peak_mib(pid: int) -> float:
    """Peak of the resident memory of a process so far; what the kernel tells at its end counts its parent's in."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


class Bench:
    """A city folder, a database with its areas and risk areas, and what was measured so far."""

    def __init__(self, home: Path, cluster: Cluster, count: int) -> None:
        self.home, self.count = home, count
        self.folder = home / "toronto"
        shutil.copytree(TORONTO, self.folder)
        self.city = City.load(self.folder)
        cluster.create_database("bench")
        self.url = cluster.url("bench")
        self.missed: list[str] = []
        with connect(self.url) as connection:
            migrate(connection)
            vocabulary.write(connection, self.city)
        for source in chosen(self.city, ["areas", "risk_areas"]):
            pipeline.run(self.url, self.city, source, Clock())

    def source(self, file: str, form: str = "parquet") -> Source:
        path = self.folder / "sources" / "90-bench.toml"
        path.write_text(SOURCE.format(file=file, format=form), "utf-8")
        return Source.load(path)

    def load(self, file: str) -> tuple[float, Account]:
        source = self.source(file)
        start = time.perf_counter()
        (result,) = pipeline.run(self.url, self.city, source, Clock())
        return time.perf_counter() - start, result.account

    def say(self, what: str, seconds: float, count: int) -> None:
        print(f"{what:<34} {seconds:7.2f} s  {count / seconds:9,.0f} rows/s", flush=True)

    def mark(self, what: str, ratio: float, least: float) -> None:
        print(f"{what:<34} {ratio:7.2f}    at least {least}", flush=True)
        if ratio < least:
            self.missed.append(what)

    def run(self) -> None:
        """All loads and their peers."""
        folder, count = self.folder, self.count
        write_parquet(rows(count, 0), folder / "one.parquet")
        write_parquet(rows(count, count), folder / "two.parquet")
        first_s, account = self.load("one.parquet")
        assert account.inserted == count, account
        self.say("first load", first_s, count)
        bare_s = self._bare()
        self.say("  binary COPY, then CREATE INDEX", bare_s, count)
        self.mark("  ratio", bare_s / first_s, FIRST)

        shuffled = pq.read_table(folder / "one.parquet")
        order = np.random.default_rng(3).permutation(count)
        write_parquet(shuffled.take(order), folder / "again.parquet")
        reload_s, account = self.load("again.parquet")
        assert account.unchanged == count, account
        self.say("unchanged, shuffled, another file", reload_s, count)
        self.mark("  times faster than the first", first_s / reload_s, RELOAD)

        append_s, account = self.load("two.parquet")
        assert account.inserted == count, account
        self.say("append", append_s, count)
        self._peers_of_append(append_s)
        self._memory()

    def _bare(self) -> float:
        """Seconds to COPY the stored rows into a bare table and to build the same indexes."""
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            with cursor.copy("copy onemap.incident to stdout (format binary)") as copy:
                data = [bytes(chunk) for chunk in copy]
            indexes = [row[0] for row in cursor.execute(_INDEXES).fetchall()]
            cursor.execute("create table onemap.bare (like onemap.incident)")
            connection.commit()
            start = time.perf_counter()
            with cursor.copy("copy onemap.bare from stdin (format binary)") as copy:
                for chunk in data:
                    copy.write(chunk)
            self._index(cursor, "bare", indexes)
            connection.commit()
            return time.perf_counter() - start

    @staticmethod
    def _index(cursor: psycopg.Cursor, name: str, indexes: list[str]) -> None:
        for number, definition in enumerate(indexes):
            head, rest = definition.split(" ON onemap.incident ")
            unique = "UNIQUE " if "UNIQUE" in head else ""
            cursor.execute(f"create {unique}index {name}_{number} on onemap.{name} {rest}")

    def _peers_of_append(self, append_s: float) -> None:
        """The rows that were just appended, brought into an equal table with equal indexes by each peer.

        They come in the order of the file, which is that of its keys: to store them by place is a work of ours.
        """
        last = "where run_id = (select max(run_id) from onemap.run)"
        in_order = f"{last} order by source_key"
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            indexes = [row[0] for row in cursor.execute(_INDEXES).fetchall()]
            with cursor.copy(f"copy (select * from onemap.incident {in_order}) to stdout (format binary)") as copy:
                data = [bytes(chunk) for chunk in copy]

            def table(name: str) -> None:
                cursor.execute(f"create table onemap.{name} (like onemap.incident)")
                cursor.execute(
                    f"insert into onemap.{name} select * from onemap.incident where not exists "
                    f"(select from onemap.run {last} and run.run_id = incident.run_id)"
                )
                if name == "copied":
                    self._index(cursor, name, indexes)
                else:  # neither peer writes two geometries: one is indexed twice, so that the work is the same
                    cursor.execute(f"alter table onemap.{name} drop column spot")
                    cursor.execute(f"alter table onemap.{name} alter content_hash type text using ''")
                    self._index(cursor, name, [index.replace("(spot)", "(geom)") for index in indexes])
                cursor.execute(f"analyze onemap.{name}")
                connection.commit()

            table("copied")
            start = time.perf_counter()
            with cursor.copy("copy onemap.copied from stdin (format binary)") as copy:
                for chunk in data:
                    copy.write(chunk)
            connection.commit()
            copy_s = time.perf_counter() - start
            self.say("  binary COPY into the same table", copy_s, self.count)
            self.mark("  ratio", copy_s / append_s, APPEND)

            frame = gpd.read_postgis(f"{_FLAT} from onemap.incident {in_order}", self._engine(), geom_col="geom")
            frame["attributes"] = frame["attributes"].map(json.dumps)
            table("framed")
            start = time.perf_counter()
            frame.to_postgis("framed", self._engine(), schema="onemap", if_exists="append", chunksize=None)
            frame_s = time.perf_counter() - start
            self.say("  GeoDataFrame.to_postgis(append)", frame_s, self.count)
            self.mark("  ratio", frame_s / append_s, TO_POSTGIS)

            if shutil.which("ogr2ogr") is None:
                print("  ogr2ogr is not installed (gdal-bin)")
                return
            flat = self.home / "two.fgb"
            frame.to_file(flat, driver="FlatGeobuf")
            table("ogred")
            command = [
                "ogr2ogr", "-f", "PostgreSQL", "PG:" + " ".join(f"{key}={value}" for key, value in conninfo_to_dict(self.url).items()), str(flat), "-nln", "onemap.ogred", "-append",
                "--config", "PG_USE_COPY", "YES",
            ]  # fmt: skip
            start = time.perf_counter()
            subprocess.run(command, check=True)
            ogr_s = time.perf_counter() - start
            self.say("  ogr2ogr -append, PG_USE_COPY=YES", ogr_s, self.count)
            self.mark("  ratio", ogr_s / append_s, OGR2OGR)

    def _engine(self) -> sqlalchemy.Engine:
        return sqlalchemy.create_engine(self.url.replace("postgresql://", "postgresql+psycopg://"))

    def _memory(self) -> None:
        """Peak memory of a process that loads a long CSV."""
        count = CSV_ROWS * self.count // ROWS
        write_csv(count, self.folder / "long.csv")
        self.source("long.csv", "csv")
        start = time.perf_counter()
        environment = os.environ | {
            "ONEMAP_DB__URL": self.url, "ONEMAP_CITIES": str(self.home), "ONEMAP_CITY": "toronto",
        }  # fmt: skip
        command = [sys.executable, "-m", "mapserver.cli", "etl", "run", "bench"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_mib(process.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        self.say("CSV, in a process of its own", seconds, count)
        print(f"{'  peak memory of that process':<34} {peak:7,.0f} MiB, at most {CSV_MIB:,}")
        if process.returncode or peak > CSV_MIB:
            self.missed.append("peak memory")


def main() -> int:
    """Measure in a cluster of its own, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    with place() as (home, cluster):
        bench = Bench(home, cluster, parser.parse_args().rows)
        bench.run()
    print("missed: " + ", ".join(bench.missed) if bench.missed else "every mark is met")
    return int(bool(bench.missed))


if __name__ == "__main__":
    sys.exit(main())
