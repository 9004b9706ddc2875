"""Reminders: each running term of a case is told once for every colour it reaches, at red to the supervisor.

The colour that was told stands with the term and changes in the transaction that tells, so neither a second worker
nor one that dies tells twice. After a time without a worker a term is told once, with the colour it has by then.
"""

from datetime import datetime

from layers.cases.sla import CLOCK
from layers.core.statement import Statement

BATCH = 200
"""Terms of one transaction: it holds the ledger, and a move waits for it."""


def waiting(at: datetime) -> Statement:
    """One value: whether a term has a colour at `at` that was not told."""
    return Statement("select exists (select from onemap.untold(%(at)s)) as waiting", {"at": at})


def remind(at: datetime, most: int = BATCH) -> Statement:
    """Tell of at most so many terms: one value, how many. Let this be the last thing in its transaction.

    Each is a row of the ledger and an event. To whom: at red the supervisor, before that the office that the case
    is with where its own clock runs, else the dispatcher. A term that stands still is not told of.
    """
    return Statement(
        "select onemap.remind(%(at)s, %(most)s, %(clock)s) as told", {"at": at, "most": most, "clock": CLOCK}
    )
