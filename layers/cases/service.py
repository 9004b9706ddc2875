"""Service load: counts that offices have added up, the only form in which classes of people are on the map."""

from dataclasses import dataclass

from layers.core.span import Span
from layers.core.statement import Statement

MOST = 10_000


@dataclass(frozen=True)
class Wanted:
    """Periods inside the span; of one class, one level, and of the area and all that ever stood below it."""

    span: Span
    kind: str | None = None
    level: str | None = None
    area_id: int | None = None


def counts(wanted: Wanted, *, with_small: bool, limit: int = MOST) -> Statement:
    """Counts as they were delivered, none where they are `hidden`; one row more than `limit` tells of more.

    source, area, name_zh and name_en (the area's), level, class, since, until, due, done, hidden,
    link. Nothing is added up here: which counts are hidden rests on what stands in the table, so that no choice of
    a question makes a difference tell more.
    with_small : all of them, for those who may read them.
    """
    table = "onemap.service_load" if with_small else "onemap.service_figure"
    hidden = "false" if with_small else "load.hidden"
    return Statement(
        f"""with recursive below (area_id) as (
          select %(area_id)s::bigint
          union
          select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
        )
        select load.source, area.code as area, area.name_zh, area.name_en, level.code as level, load.class,
          load.since, load.until, load.due, load.done, {hidden} as hidden, load.link
        from {table} load join onemap.area using (area_id) join onemap.level on level.rank = area.level_rank
        where load.since >= %(start)s and load.until <= %(end)s
        and (%(kind)s::text is null or load.class = %(kind)s)
        and (%(level)s::text is null or level.code = %(level)s)
        and (%(area_id)s::bigint is null or load.area_id in (select area_id from below))
        order by load.since, load.class, level.rank, area.code, load.source limit %(limit)s""",  # noqa: S608
        {
            "start": wanted.span.start,
            "end": wanted.span.end,
            "kind": wanted.kind,
            "level": wanted.level,
            "area_id": wanted.area_id,
            "limit": limit + 1,
        },
    )
