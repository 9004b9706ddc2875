"""The heat engine against its marks and against two peers, in one run on one machine.

ONEMAP_BENCH_EVENTS says how many synthetic events (10 000 000 without it); marks that only make sense for 100 000 000
are held from there on. Figures are the best of some runs, as machines are shared. Exits with 1 when a mark is missed.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layers.core.cluster import Cluster
from tests.bench.asks import VIEWS, WINDOWS, Ask, Town
from tests.bench.chicago import Chicago
from tests.bench.marks import Marks
from tests.bench.over_http import OverHttp
from tests.bench.peers import DUCKDB_PYTHON, Answer, Postgres, duckdb_answers, write_parquet
from tests.bench.place import place
from tests.bench.stored import LARGE, Stored
from tests.bench.synthetic import Synthetic

GATE = 10_000_000
BUILD_S = {GATE: 5, LARGE: 60}
YEARS = ("1 y", "4 y")
DUCKDB_LEAST, SQL_LEAST, REPEAT = 100, 1000, 3
CHICAGO = Path(__file__).parents[3] / "shared" / "data" / "chicago"


class Bench:
    """A folder, a private cluster in it, and the marks."""

    def __init__(self, home: Path, cluster: Cluster, marks: Marks) -> None:
        self.home, self.cluster, self.marks = home, cluster, marks

    def engine(self, town: Town, name: str, title: str, build_s: float | None) -> tuple[Stored, list[Answer]]:
        """The town's stores held against all marks of the engine itself; the stores, and the grid's answers."""
        self.marks.section(title)
        stored = Stored(town, self.home / name, self.marks)
        stored.build(build_s)
        answers = stored.grid()
        stored.scans()
        self.duckdb(stored, answers)
        stored.followed()
        return stored, answers

    def duckdb(self, stored: Stored, answers: Sequence[Answer]) -> None:
        """DuckDB's answers to the first placement of each window, by one thread and by two."""
        if not DUCKDB_PYTHON.exists():
            print("  DuckDB is not there: `make bench-heat` installs it")
            return
        which = stored.first_places()
        asks, ours = [stored.asks[i] for i in which], [answers[i] for i in which]
        write_parquet(stored.town, stored.home / "events.parquet")
        for threads in (1, 2):
            version, theirs = duckdb_answers(asks, stored.home, threads, REPEAT)
            name = f"DuckDB {version}, {threads} thread{'s' if threads > 1 else ''}"
            self._peer(name, asks, ours, theirs, DUCKDB_LEAST if stored.large else None)
        for file in stored.home.glob("events.*"):
            file.unlink()

    def postgres(self, stored: Stored, answers: Sequence[Answer]) -> None:
        """The answers of SQL to the first placement of each window; of very many events once, and the long ones only."""
        peer = Postgres(self._database("peer"), stored.town, wide=not stored.large)
        which = stored.first_places()
        if stored.large:
            which = [i for i in which if stored.asks[i].window in YEARS]
        asks = [stored.asks[i] for i in which]
        theirs = [peer.answer(ask, 1 if stored.large else REPEAT) for ask in asks]
        self._peer("PostgreSQL's SQL", asks, [answers[i] for i in which], theirs, SQL_LEAST)
        peer.close()

    def _database(self, name: str) -> str:
        self.cluster.create_database(name)
        return self.cluster.url(name)

    def _peer(
        self, name: str, asks: Sequence[Ask], ours: Sequence[Answer], theirs: Sequence[Answer], least: float | None
    ) -> None:
        """A table of the peer's times and of ratios, and the mark: the median of ratios of a year and more."""
        pairs = list(zip(asks, ours, theirs, strict=True))
        wrong = sum(
            not (np.array_equal(one.cell, other.cell) and np.array_equal(one.value, other.value))
            for _, one, other in pairs
        )
        self.marks.same(f"answers equal to those of {name}", wrong, len(pairs))
        ms: dict[tuple[str, str], list[float]] = {}
        ratios: dict[tuple[str, str], list[float]] = {}
        for ask, one, other in pairs:
            ms.setdefault((ask.window, ask.view), []).append(other.seconds * 1000)
            ratios.setdefault((ask.window, ask.view), []).append(other.seconds / one.seconds)
        rows = [
            [window]
            + [f"{np.median(ms[window, view]):,.1f}" for view in VIEWS]
            + [f"{np.median(ratios[window, view]):,.0f} x" for view in VIEWS]
            for window in WINDOWS
            if (window, "city") in ms
        ]
        self.marks.table([name, *(f"{view}, ms" for view in VIEWS), *(f"{view}, ratio" for view in VIEWS)], rows)
        for view in VIEWS:
            long = np.concatenate([ratios[window, view] for window in YEARS])
            what = f"faster than {name}, a year or more, {view}: median"
            if least is None:
                self.marks.say(what, float(np.median(long)), "x")
            else:
                self.marks.least(what, float(np.median(long)), least, "x")
            self.marks.say("  least", float(long.min()), "x")

    def run(self, count: int) -> None:
        """Everything."""
        title = "the engine: {:,} synthetic events, 108 871 cells, 24 categories, five years"
        build_s = BUILD_S[GATE if count <= GATE else LARGE]
        stored, answers = self.engine(Synthetic(count), "synthetic", title.format(count), build_s)
        self.marks.section("over HTTP, one worker")
        OverHttp(stored, self._database("bench"), self.marks).run()
        self.marks.section("PostgreSQL")
        self.postgres(stored, answers)
        if CHICAGO.is_dir():
            chicago = Chicago(CHICAGO)
            self.engine(
                chicago, "chicago", f"the engine: {chicago.count:,} real incidents of Chicago, 18 years", None
            )
        else:
            self.marks.section("the real incidents of Chicago are not at hand: left out")


def main() -> int:
    """Measure in a folder of its own, and print."""
    marks = Marks()
    with place() as (home, cluster):
        Bench(home, cluster, marks).run(int(os.environ.get("ONEMAP_BENCH_EVENTS", GATE)))
    return marks.verdict()


if __name__ == "__main__":
    sys.exit(main())
