"""Where a bench measures: a folder of its own and a private cluster in it, both gone at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layers.core.cluster import Cluster


@contextmanager
def place() -> Iterator[tuple[Path, Cluster]]:
    """The folder, and the cluster that runs in it."""
    home = Path(tempfile.mkdtemp(prefix="onemap-bench-", dir="/tmp"))
    home.chmod(0o755)
    cluster = Cluster(home)
    try:
        cluster.start()
        yield home, cluster
    finally:
        cluster.stop()
        shutil.rmtree(home)
