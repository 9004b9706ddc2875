"""The real command in a process of its own, on this machine's loopback."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """A server that answers: its process, its address, what it printed, and how long it took."""

    process: subprocess.Popen[str]
    url: str
    printed: str
    took_s: float

    def children(self) -> list[int]:
        """Its processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def cpu_s(self) -> float:
        """CPU time that it and its processes have taken so far, in seconds: a busy machine makes nothing of it longer."""
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in (self.process.pid, *self.children())]
        ticks = sum(sum(map(int, stat.rpartition(")")[2].split()[11:15])) for stat in stats)
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal and wait for the end; how long that took, in seconds."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - begun


@contextmanager
def served(
    *words: str,
    env: dict[str, str],
    log: Path,
    python: tuple[str, ...] = (),
    program: Path = Path(sys.executable),
    cwd: Path = ROOT,
    within_s: float = 60,
) -> Iterator[Served]:
    """`onemap WORDS` by the Python `program` in the folder `cwd`, from when it is ready until the end of the block."""
    begun = time.monotonic()
    with log.open("w") as errors:
        process = subprocess.Popen(
            [program, *python, "-m", "mapserver.cli", *words],
            env={**os.environ, "ONEMAP_SERVER__PORT": "0", **env},
            stdout=subprocess.PIPE, stderr=errors, text=True, cwd=cwd,
        )  # fmt: skip
    try:
        printed, url = "", None
        while url is None or not ready(url):
            assert process.poll() is None, f"it ended\n{printed}\n{log.read_text()}"
            assert time.monotonic() - begun < within_s, f"it is not ready\n{printed}\n{log.read_text()}"
            if select.select([process.stdout], [], [], 0.02)[0]:
                printed += os.read(process.stdout.fileno(), 65536).decode()
            found = re.search(r"(http://\S+?)/$", printed, re.MULTILINE)
            url = found[1] if found else None
        yield Served(process, url, printed, time.monotonic() - begun)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def import_s() -> float:
    """CPU time that a new Python takes to import the server, in seconds: the yardstick of a start."""
    code = "import resource, mapserver.app; used = resource.getrusage(resource.RUSAGE_SELF); print(sum(used[:2]))"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT).stdout)


def ready(url: str) -> bool:
    """Whether a server answers there."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz").status_code == 200
    return False


def alive(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], within_s: float) -> bool:
    """Whether all of them end in time."""
    until = time.monotonic() + within_s
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
