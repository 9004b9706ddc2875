"""The stores of a city: built, asked in this process and in another, and added to."""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from layers.core.span import Span
from layers.heat.engine import Engine
from layers.heat.question import Question
from layers.heat.store.events import Changes, State
from layers.heat.store.reader import Reader
from layers.heat.store.writer import Writer
from tests.bench.asks import MIXES, VIEWS, WINDOWS, Town, asks
from tests.bench.marks import Marks
from tests.bench.peers import Answer
from tests.bench.town import RES, city_of, question
from tests.bench.watcher import Job

ROOT = Path(__file__).parents[2]
REPEAT = 5
LARGE = 100_000_000
MANY, LOADS, SINGLE = 10_000, 5, 20


def best_s(work: Callable[[], object], repeat: int = REPEAT) -> float:
    """Best of some runs, in seconds."""
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


class Stored:
    """A city's stores in a folder, and the questions of the grid about it."""

    def __init__(self, town: Town, home: Path, marks: Marks) -> None:
        self.town, self.marks, self.home = town, marks, home
        self.city = city_of(town, home / "cities" / "bench")
        self.folder = home / "heat" / "bench"
        self.asks = list(asks(town))
        self.questions = [question(ask) for ask in self.asks]
        self.engine = Engine(self.folder, self.city)
        self.count = self.seq = 0

    @property
    def large(self) -> bool:
        """Whether the marks that only make sense for very many events hold."""
        return self.count >= LARGE

    def first_places(self) -> list[int]:
        """Numbers of the questions at the first placement of each window; peers are asked no others."""
        return [number for number, ask in enumerate(self.asks) if ask.place == 0]

    def state(self) -> State:
        """One version further; what it says of a database is made up."""
        self.seq += 1
        return State(snapshot="1:1:", seq=self.seq, at=datetime.now(UTC), epoch="bench")

    def build(self, limit_s: float | None) -> None:
        """From events in memory, so that nothing but the build is measured."""
        parts = list(self.town.parts())
        self.count, self._last = sum(map(len, parts)), parts[-1]
        with Writer(self.folder, self.city.heat_layers) as writer:
            took_s = best_s(lambda: writer.rebuild(parts, self.town.planes, self.state()), 1)
        what = f"build of {self.count:,} events, after the read"
        if limit_s is None:
            self.marks.say(what, took_s, "s")
        else:
            self.marks.most(what, took_s, limit_s, "s")
        size = sum(path.stat().st_size for path in self.folder.iterdir())
        self.marks.most("files of the seven stores", size / 1e9, 2, "GB")

    def grid(self) -> list[Answer]:
        """Best times over the grid, with their marks; the answers."""
        answers = []
        for asked in self.questions:
            cells = self.engine.answers([asked])[0].cells
            took_s = best_s(lambda asked=asked: self.engine.answers([asked]))
            answers.append(Answer(cells.cell, cells.value, took_s))
        ms = {}
        for ask, answer in zip(self.asks, answers, strict=True):
            ms.setdefault((ask.window, ask.view, ask.mix), []).append(answer.seconds * 1000)
        median_ms = {key: float(np.median(took)) for key, took in ms.items()}
        rows = [
            [f"{window}, {view}", *(f"{median_ms[window, view, mix]:.2f}" for mix in MIXES)]
            for window in WINDOWS
            for view in VIEWS
        ]
        self.marks.table(["median ms, best of 5", *MIXES], rows)
        every = [answer.seconds * 1000 for answer in answers]
        median, worst = float(np.median(every)), max(every)
        self.marks.most("median over the grid", median, 2.5, "ms")
        self.marks.most("worst over the grid", worst, 8, "ms")
        read_ms = self._reading_s() * 1000
        self.marks.say("reading the log once (np.max)", read_ms, "ms")
        self.marks.say("  that is so many medians", read_ms / median, "x")
        self.marks.say("  that is so many worsts", read_ms / worst, "x")
        ratio = max(median_ms["4 y", view, mix] / median_ms["90 d", view, mix] for view in VIEWS for mix in MIXES)
        self._if_large("4 years against 90 days, the worst of mixes and views", ratio, 2, "x")
        return answers

    def _reading_s(self) -> float:
        layer = Reader(self.folder).store().layer("all")
        return best_s(lambda: sum(int(part.t.max()) + int(part.key.max()) for part in layer.logged.parts))

    def _if_large(self, what: str, value: float, limit: float, unit: str) -> None:
        if self.large:
            self.marks.most(what, value, limit, unit)
        else:
            self.marks.say(what, value, unit)

    def scans(self) -> None:
        """Questions that no count before them can shorten, over all years."""
        span = Span(datetime.fromtimestamp(self.town.start, UTC), datetime.fromtimestamp(self.town.end, UTC))
        every = Question("all", span, RES, weight="severity")
        narrowed = {
            "decay, half-life 30 d": (replace(every, half_life=timedelta(days=30)), 0.2),
            "hours 22-4": (replace(every, hours=frozenset({22, 23, 0, 1, 2, 3})), 0.8),
            "hours 7-9 on weekdays": (
                replace(every, hours=frozenset({7, 8}), weekdays=frozenset({1, 2, 3, 4, 5})), 0.8,
            ),
            "weekends": (replace(every, weekdays=frozenset({6, 7})), 0.8),
        }  # fmt: skip
        for what, (asked, limit) in narrowed.items():
            self.marks.most(what, best_s(lambda asked=asked: self.engine.answers([asked]), 3), limit, "s")

    def followed(self) -> None:
        """Another process opens the stores, answers, and sees what this one adds."""
        job = self.home / "job.pickle"
        job.write_bytes(pickle.dumps(Job(self.folder, self.city, self.questions)))
        command = [sys.executable, "-m", "tests.bench.watcher", job]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as watcher:
            said = json.loads(watcher.stdout.readline())
            self.marks.say("first answer of a fresh process, stores opened", said["first_ms"], "ms")
            self.marks.most("  kernels that it compiled", said["compiled"], 0, "")
            self.marks.most("private memory that the grid adds to it", said["added_mb"], 80, "MB")
            with Writer(self.folder, self.city.heat_layers) as writer:
                many = [self._append(writer, watcher, MANY) for _ in range(LOADS)]
                single = [self._append(writer, watcher, 1) for _ in range(SINGLE)]
            watcher.stdin.close()
        self.marks.most(
            "10 000 events appended, till another process has them", min(seen for _, seen in many), 50, "ms"
        )
        self.marks.say("  median", float(np.median([seen for _, seen in many])), "ms")
        self.marks.say("one event appended", min(wrote for wrote, _ in single), "ms")
        self.marks.say("  median", float(np.median([wrote for wrote, _ in single])), "ms")
        self.marks.most("  till another process has it", min(seen for _, seen in single), 2, "ms")
        self.marks.say("  median", float(np.median([seen for _, seen in single])), "ms")
        took = [best_s(lambda asked=asked: self.engine.answers([asked])) * 1000 for asked in self.questions]
        self.marks.most(
            f"median over the grid with {LOADS * MANY:,} events waiting", float(np.median(took)), 2.5, "ms"
        )
        self.marks.most("worst", max(took), 8, "ms")

    def _append(self, writer: Writer, watcher: subprocess.Popen[str], count: int) -> tuple[float, float]:
        """Milliseconds until the writer has added events, and until the watcher's answers have them."""
        changes, state = self._new(count), self.state()
        watcher.stdin.write(f"{state.seq}\n")
        watcher.stdin.flush()
        time.sleep(0.05)  # it asks and asks by now
        start = time.monotonic_ns()
        writer.append(changes, state)
        wrote = time.monotonic_ns()
        return (wrote - start) / 1e6, (int(watcher.stdout.readline()) - start) / 1e6

    def _new(self, count: int) -> Changes:
        """Events like those of the last part."""
        some = np.random.default_rng(self.seq).integers(0, len(self._last), count)
        facts = {name: getattr(self._last, name)[some] for name in ("t", "cell", "area", "plane", "zones")}
        return Changes(**facts, sign=np.ones(count, np.int8), planes=tuple(self.town.planes))
