"""Key figures of the closed loop: what is open, what has ended, and what was or is late."""

from datetime import datetime

from layers.core.statement import Statement


def counts(at: datetime) -> Statement:
    """One row: cases that are `open`, `closed`, and `late`: over their term at `at`, or ended after it.

    What is merged into another case is counted with that one.
    """
    return Statement(
        """select count(*) filter (where is_open) as open, count(*) filter (where not is_open) as closed,
          count(*) filter (where exists (
            select from onemap.case_deadline term
            where term.case_id = file.case_id and term.due_at < coalesce(term.met_at, %(at)s)
          )) as late
        from onemap.case_file file where merged_into is null""",
        {"at": at},
    )
