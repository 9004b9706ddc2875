"""Cases for what a source loads with states of its own: a hotline's rows, open or closed, with their deadlines."""

from collections.abc import Iterable
from datetime import datetime

from psycopg.types.json import Jsonb

from layers.cases.workflow import Workflow
from layers.core.statement import Statement

STAGE = "source"
"""The term that a source gives with its row."""

TOLD_ONE_BY_ONE = 500
"""Of more cases than this at once only the layer is announced: whoever shows them asks again."""


def adopt(source: str, workflow: Workflow, at: datetime, known: Iterable[Workflow] = ()) -> Statement:
    """Make a case of each of a source's incidents that has a state and no case yet, and have the others follow.

    One row: how many were `adopted`, and how many `followed`, as `follow` has it. A closed one is a case that has
    ended; the source's deadline is the case's. Each is registered in the ledger and announced: let this be the
    last thing in its transaction.

    known : workflows that cases of the source may follow beside `workflow`.
    """
    return _following(source, [workflow, *known], workflow.code, at)


def follow(source: str | None, known: Iterable[Workflow], at: datetime) -> Statement:
    """Have cases that stand for incidents follow them, of one source or of all; a row as `adopt` has it.

    What a case is and where it lies is always its incident's. Where it was made of its source's row, nobody has
    moved it here and it is merged with no other, so are its state and the term of its source, and it ends where
    its source takes the row back; when the row comes again, the case is found by its key. Each change of a state,
    a category or a term is a row of the ledger; let this be the last thing in its transaction.
    """
    return _following(source, known, None, at)


def _following(source: str | None, known: Iterable[Workflow], adopting: str | None, at: datetime) -> Statement:
    flows = {
        each.code: {"start": each.start, "ended": next(state.code for state in each.states if not state.open)}
        for each in known
    }
    return Statement(
        """select adopted, followed
        from onemap.follow_incidents(%(source)s, %(flows)s, %(workflow)s, %(at)s, %(most)s)""",
        {"source": source, "flows": Jsonb(flows), "workflow": adopting, "at": at, "most": TOLD_ONE_BY_ONE},
    )
