"""Where the team for a case is looked for."""

from sqlalchemy import func, select

from layers.cases.queue import Filter
from layers.core.statement import Statement
from layers.schema.casebook import case_file


def place(case_id: int, wanted: Filter, *, exact: bool) -> Statement:
    """The place of a case that the filter lets through, true or its base cell's centre: `lon`, `lat`."""
    spot = case_file.c.geom if exact else case_file.c.spot
    found = select(func.ST_X(spot).label("lon"), func.ST_Y(spot).label("lat"))
    return Statement.of(found.where(case_file.c.case_id == case_id, *wanted.where()))
