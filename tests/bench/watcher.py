"""A process like a server's worker: opens the stores, answers the grid, then waits for new events to show in an answer.

Reads a pickled `Job` from the file that its argument names. Prints a line of JSON about its first answers; then, for
each heat version that it reads from its input, the machine's clock in nanoseconds when an answer first had it.
"""

import json
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from layers.catalog.city import City
from layers.heat.engine import Engine
from layers.heat.question import Question
from layers.heat.store import kernels


@dataclass(frozen=True)
class Job:
    """Stores in a folder, the city that they are of, and what to ask."""

    folder: Path
    city: City
    questions: Sequence[Question]


def private_mb() -> float:
    """Private memory that this process has written to, in MB."""
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) * 1024 / 1e6


def compiled() -> int:
    """How many kernels this process compiled, because the cache did not have them."""
    loops = [loop for loop in vars(kernels).values() if isinstance(loop, Dispatcher)]
    return sum(sum(loop.stats.cache_misses.values()) for loop in loops)


def main() -> None:
    """Answer, measure, watch."""
    job: Job = pickle.loads(Path(sys.argv[1]).read_bytes())
    before = most = private_mb()
    start = time.perf_counter()
    engine = Engine(job.folder, job.city)
    engine.answers(job.questions[:1])
    first_ms = (time.perf_counter() - start) * 1000
    for number, question in enumerate(job.questions):
        engine.answers([question])
        if number % 25 == 0:
            most = max(most, private_mb())
    print(json.dumps({"first_ms": first_ms, "compiled": compiled(), "added_mb": most - before}), flush=True)
    for line in sys.stdin:
        while engine.answers(job.questions[:1])[0].state.seq < int(line):
            pass
        print(time.monotonic_ns(), flush=True)


if __name__ == "__main__":
    main()
