"""What processes have cost so far."""

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int | None) -> float:
    """Seconds of processors' time that a process and all those below it have taken, as far as they still live."""
    spent = 0.0
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent = (int(fields[11]) + int(fields[12])) / _TICKS
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        spent += sum(cpu_s(int(child)) for child in children)
    return spent
