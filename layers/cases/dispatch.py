"""Where the team for a case is looked for, and which team gave it to which."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from layers.cases.queue import Filter
from layers.cases.workflow import Workflow
from layers.core.statement import Statement
from layers.schema.casebook import case_file


def place(case_id: int, wanted: Filter, *, exact: bool) -> Statement:
    """The place of a case that the filter lets through, true or its base cell's centre: `lon`, `lat`."""
    spot = case_file.c.geom if exact else case_file.c.spot
    found = select(func.ST_X(spot).label("lon"), func.ST_Y(spot).label("lat"))
    return Statement.of(found.where(case_file.c.case_id == case_id, *wanted.where()))


def handed_over(
    workflows: Iterable[Workflow], unit: str | None, start: datetime | None, end: datetime | None, most: int
) -> Statement:
    """Hand-overs of half-open [start, end), newest first, all of them or those from and to one unit.

    Rows hold case_id, version, at, from_unit, unit, reason, and what followed: move and moved_at, none where
    nobody has moved the case since.
    """
    moves = {move.code for workflow in workflows for move in workflow.moves if move.elsewhere}
    return Statement(
        """select step.case_id, step.version, step.at, before.unit as from_unit, step.unit, told.text as reason,
          later.move, later.at as moved_at
        from onemap.case_step step left join onemap.ledger_text told using (seq)
        left join lateral (
          select earlier.unit from onemap.case_step earlier
          where earlier.case_id = step.case_id and earlier.version < step.version and earlier.unit is not null
          order by earlier.version desc limit 1
        ) before on true
        left join onemap.case_step later on later.case_id = step.case_id and later.version = step.version + 1
        where step.move = any (%(moves)s)
        and (%(unit)s::text is null or %(unit)s in (before.unit, step.unit))
        and (%(start)s::timestamptz is null or step.at >= %(start)s)
        and (%(end)s::timestamptz is null or step.at < %(end)s)
        order by step.at desc, step.case_id, step.version limit %(most)s""",
        {"moves": sorted(moves), "unit": unit, "start": start, "end": end, "most": most},
    )
