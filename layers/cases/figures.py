"""Key figures of the closed loop: what is open, what has ended, and what was or is late."""

from datetime import datetime

from layers.core.statement import Statement


def counts(at: datetime, area_id: int | None = None) -> Statement:
    """One row: cases that are `open`, `closed`, and `late`: over their term at `at`, or ended after it.

    Parameters
    ----------
    area_id : the area and all below it; none means all that the audience may see.
    """
    return Statement(
        """with recursive below (area_id) as (
          select %(area_id)s::bigint
          union
          select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
        )
        select count(*) filter (where is_open) as open, count(*) filter (where not is_open) as closed,
          count(*) filter (where exists (
            select from onemap.case_deadline term
            where term.case_id = file.case_id and term.due_at < coalesce(term.met_at, %(at)s)
          )) as late
        from onemap.case_file file
        where %(area_id)s::bigint is null or file.area_id in (select area_id from below)""",
        {"at": at, "area_id": area_id},
    )
