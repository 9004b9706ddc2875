"""Key figures of the closed loop: what is open, what has ended, and what was or is late."""

from datetime import datetime

from layers.cases.adoption import STAGE
from layers.cases.sla import CLOCK
from layers.core.statement import Statement


def counts(at: datetime) -> Statement:
    """One row: cases that are `open`, `closed`, and `late`: over a term at `at`, or handled after their own.

    That of its clock or of its source is a case's own term: one that was accepted late and is handled in time is
    not late. What is merged into another case is counted with that one.
    """
    return Statement(
        """select count(*) filter (where is_open) as open, count(*) filter (where not is_open) as closed,
          count(*) filter (where (is_open and onemap.is_over(due_at, %(at)s)) or exists (
            select from onemap.case_term term
            where term.case_id = file.case_id and stage = any(%(own)s) and onemap.is_over(term.due_at, term.met_at)
          )) as late
        from onemap.case_file file where merged_into is null""",
        {"at": at, "own": [CLOCK, STAGE]},
    )
