"""The sample city loaded end to end, against a bare binary COPY plus CREATE INDEX of the same rows in the same run.

Prints both rates, their ratio and the peak memory; exits with 1 when a mark is missed. The bare load starts from rows
that are already in COPY's own format; it checks nothing, tags nothing and knows no constraint.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from etl import pipeline, vocabulary
from etl.spec import sources
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate

LEAST_RATIO = 0.2
MOST_SECONDS = 30.0
MOST_MIB = 1536.0

_INDEXES = (
    "select indexdef from pg_indexes where schemaname = 'onemap' and tablename = 'incident' order by indexname"
)


def load(url: str, city: City) -> tuple[float, float, int]:
    """Load every source: seconds in all, seconds of the incidents, incidents landed."""
    began = time.perf_counter()
    with connect(url) as connection:
        vocabulary.write(connection, city)
    seconds, landed = 0.0, 0
    for source in sources(city):
        start = time.perf_counter()
        result = pipeline.run(url, city, source, Clock())
        if source.target == "incidents":
            seconds += time.perf_counter() - start
            landed += result.account.inserted
    return time.perf_counter() - began, seconds, landed


def bare(url: str) -> float:
    """Seconds to COPY the same rows into a bare table and to build the same indexes."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("copy onemap.incident to stdout (format binary)") as copy:
            rows = b"".join(copy)
        indexes = [definition for (definition,) in cursor.execute(_INDEXES).fetchall()]
        cursor.execute("create table onemap.bare (like onemap.incident)")
        connection.commit()
        start = time.perf_counter()
        with cursor.copy("copy onemap.bare from stdin (format binary)") as copy:
            copy.write(rows)
        for number, definition in enumerate(indexes):
            name, rest = definition.split(" ON onemap.incident ")
            unique = "UNIQUE " if "UNIQUE" in name else ""
            cursor.execute(f"create {unique}index bare_{number} on onemap.bare {rest}")
        connection.commit()
        return time.perf_counter() - start


def main() -> int:
    """Measure in a cluster of its own, and print."""
    home = Path(tempfile.mkdtemp(prefix="onemap-bench-", dir="/tmp"))
    home.chmod(0o755)
    city = City.load(Path(__file__).parents[2] / "data" / "toronto")
    cluster = Cluster(home)
    try:
        cluster.start()
        cluster.create_database("bench")
        url = cluster.url("bench")
        with connect(url) as connection:
            migrate(connection)
        whole_s, incidents_s, landed = load(url, city)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        bare_s = bare(url)
    finally:
        cluster.stop()
        shutil.rmtree(home)
    ratio = bare_s / incidents_s
    print(f"end to end   {landed:,} rows in {incidents_s:.2f} s: {landed / incidents_s:,.0f} rows/s")
    print(f"bare         {landed:,} rows in {bare_s:.2f} s: {landed / bare_s:,.0f} rows/s")
    print(f"ratio        {ratio:.2f}, at least {LEAST_RATIO}")
    print(f"all sources  {whole_s:.2f} s, at most {MOST_SECONDS:.0f} s")
    print(f"peak memory  {peak_mib:,.0f} MiB, at most {MOST_MIB:,.0f} MiB")
    return int(ratio < LEAST_RATIO or whole_s > MOST_SECONDS or peak_mib > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
