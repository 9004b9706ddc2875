"""Rows on their way into a format: many, but never many at a time."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from layers.query.table import Table

Rows = list[tuple[Any, ...]]
Batches = AsyncGenerator[Rows]
Writer = Callable[[Table, Batches], AsyncGenerator[bytes]]

SIZE = 1000
"""Rows of a batch; some hundred kilobytes, and some milliseconds in which the server does nothing else."""
