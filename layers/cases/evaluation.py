"""How cases were handled: figures of those that ended in a span, by office, category or area.

A case counts in the span in which it last ended. One that is open again counts in the span in which it was taken
up again, among the reopened alone. What is merged into another is counted with that one, which has kept its terms
where it has kept those of both. No figure is a person's.

A case that was taken up again is handled in all its rounds: hours run from its first dispatch to its last
feedback, less pauses and what lay between each feedback and the next dispatch. Its term goes on with what was left
of it, and was kept where each round was in time: what was over stays over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Literal

from layers.cases.adoption import STAGE
from layers.cases.sla import CLOCK
from layers.cases.workflow import Workflow
from layers.core.span import Span
from layers.core.statement import Statement

By = Literal["unit", "category", "area"]

ORIGINS = ("citizen", "patrol", "sensor", "hotline")
RATINGS = (1, 2, 3, 4, 5)

_EVER = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    with_ratings : false leaves out what those who reported said of it, for those who may not read small counts:
    two spans that differ by one case would tell what was said of that one.
    by : what to group by; areas are those of rank `level`, each with all that stand below it, or did at their end.
    area_id : the area and all below it, none: all.  with_sensitive : false leaves sensitive categories out.
    """

    span: Span
    by: By
    level: int = 0
    area_id: int | None = None
    with_sensitive: bool = False
    with_ratings: bool = False


def reopening(workflows: Iterable[Workflow]) -> list[tuple[str, str]]:
    """The moves, as (workflow, move), that take up a case again that has ended."""
    return [
        (workflow.code, move.code)
        for workflow in workflows
        for move in workflow.moves
        if move.to is not None
        and workflow.state(move.to).open
        and any(not workflow.state(state).open for state in move.from_)
    ]


_KEYS: dict[By, str] = {"unit": "file.unit", "category": "file.category", "area": "file.area_id::text"}
_GROUPS: dict[By, str] = {
    "unit": "select distinct key, key as code, key as name_zh, key as name_en from cohort",
    "category": "select code as key, code, name_zh, name_en from onemap.category",
    "area": """select members.area_id::text as key, code, name_zh, name_en
      from members join onemap.area on area.area_id = members.top""",
}

_COHORT = """with recursive below (area_id) as (
  select %(area_id)s::bigint
  union
  select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
), members (top, area_id) as (
  select area_id, area_id from onemap.area where level_rank = %(level)s
  union
  select members.top, version.area_id
  from (
    select distinct on (area_id) area_id, parent_id from onemap.area_version
    order by area_id, upper(valid) desc nulls first
  ) version join members on version.parent_id = members.area_id
), reopened as (
  select step.case_id, max(step.at) as at
  from onemap.case_step step join onemap.case_file file using (case_id)
  where (file.workflow, step.move) in (select * from unnest(%(workflows)s::text[], %(moves)s::text[]))
  group by step.case_id
), chosen as (
  select file.case_id, file.category, file.severity, file.origin, file.reported_at, file.area_id, file.unit,
    file.is_open, file.entered_at, file.bounces, file.clock_started_at, file.still_since, file.stills,
    reopened.at is not null as reopened
  from onemap.case_file file left join reopened using (case_id)
  where file.merged_into is null
  and case when file.is_open then reopened.at else file.entered_at end >= %(start)s
  and case when file.is_open then reopened.at else file.entered_at end < %(end)s
  and (%(area_id)s::bigint is null or file.area_id in (select area_id from below))
  and (%(with_sensitive)s or file.category not in (select code from onemap.category where sensitive))
)"""


def earliest(asked: Asked, reopenings: list[tuple[str, str]]) -> Statement:
    """When the clock of the oldest case began, which says how far back working time is needed: one value."""
    return Statement(
        f"{_COHORT} select min(coalesce(clock_started_at, reported_at)) from chosen where not is_open",  # noqa: S608 - as below
        _given(asked, reopenings),
    )


def _worked(at: str) -> str:
    """Seconds worked up to the instant `at`, in SQL: those of all spans before, and what is spent of its own."""
    place = f"width_bucket({at}, %(opens)s::timestamptz[])"
    spent = f"least({at}, (%(closes)s::timestamptz[])[{place}]) - (%(opens)s::timestamptz[])[{place}]"
    return f"((%(before)s::float8[])[{place}] + extract(epoch from {spent})::float8)"


_RATING = "(select rating from onemap.case_file own where own.case_id = file.case_id)"

_FIGURES = """count(*) filter (where not is_open) as n, count(*) as considered,
  count(*) filter (where reopened) as reopened,
  count(hours) as timed, percentile_cont('{0.5,0.9}'::float8[]) within group (order by hours) as hours,
  count(in_time) as termed, count(*) filter (where in_time) as in_time,
  avg(usual) filter (where in_time is not null) as usual,
  coalesce(sum(bounces) filter (where not is_open), 0)::bigint as bounces,
  count(*) filter (where not is_open and bounces > 0) as bounced,
  avg(severity) filter (where not is_open)::float8 as severity"""


def figures(asked: Asked, reopenings: list[tuple[str, str]], work: list[Span]) -> Statement:
    """A row a group, and one with `is_total`; `code` is none for cases that no group has.

    n : cases that ended.  considered : those and the ones that are open again.  reopened : how many of these ever
    were taken up again.
    timed, hours : of how many, the median and the ninth decile of working hours from the first dispatch, or from
    the report where the case was never dispatched, to the end, less the time in which the clock stood.
    termed, in_time : cases whose own terms are over, and those of them that kept all; usual : the share of these
    that the categories of the group's cases have in the whole answer.
    bounces, bounced : times, and cases, that were given back.  severity : mean.
    channels : how many cases of each origin.  ratings : how many of 1 to 5.

    work : the spans in which work is done, from `earliest` on to the end of what is asked for.
    """
    spans = [Span(_EVER, _EVER), *work]
    lengths = [span.length.total_seconds() for span in spans]
    mixed = f"{_FIGURES}, {_mix('channels', 'origin', ORIGINS)}, {_mix('ratings', 'rating', RATINGS)}"
    text = f"""{_COHORT}, terms as (
      select case_id, bool_and(not onemap.is_over(due_at, met_at)) as in_time from onemap.case_term
      where stage = any(%(stages)s) and due_at is not null and met_at is not null group by case_id
    ), cohort as (
      select {_KEYS[asked.by]} as key, file.category, file.origin, file.is_open, file.reopened, file.severity,
        file.bounces,
        case when not file.is_open then {_RATING if asked.with_ratings else "null::smallint"} end as rating,
        case when not file.is_open then greatest(({_worked("coalesce(file.still_since, file.entered_at)")}
          - {_worked("coalesce(file.clock_started_at, file.reported_at)")}
          - case when isempty(file.stills) then 0 else (
            select sum({_worked("upper(still)")} - {_worked("lower(still)")}) from unnest(file.stills) still
          ) end), 0) / 3600 end as hours,
        case when not file.is_open then terms.in_time end as in_time
      from chosen file left join terms using (case_id)
    ), usual as (
      select category, avg(in_time::int)::float8 as usual from cohort group by category
    ), compared as (
      select * from cohort join usual using (category)
    ), groups as ({_GROUPS[asked.by]})
    select code, name_zh, name_en, grouping(code) = 1 as is_total, {mixed}
    from compared left join groups using (key) group by grouping sets ((code, name_zh, name_en), ())
    order by is_total, code nulls last"""  # noqa: S608 - keys and groups are ours
    return Statement(
        text,
        _given(asked, reopenings)
        | {
            "stages": [CLOCK, STAGE],
            "opens": [span.start for span in spans],
            "closes": [span.end for span in spans],
            "before": list(accumulate(lengths[:-1], initial=0.0)),
        },
    )


def mix(asked: Asked, reopenings: list[tuple[str, str]]) -> Statement:
    """How many cases that ended each group has of each category: code (none as in `figures`), category, n."""
    return Statement(
        f"""{_COHORT}, cohort as (select {_KEYS[asked.by]} as key, category from chosen file where not is_open),
        groups as ({_GROUPS[asked.by]})
        select code, category, count(*) as n from cohort left join groups using (key)
        group by code, category order by code nulls last, n desc, category""",  # noqa: S608 - as above
        _given(asked, reopenings),
    )


def _mix(name: str, column: str, values: Iterable[object]) -> str:
    """How many ended cases have each value of a column, in SQL."""
    counted = ", ".join(
        f"'{value}', count(*) filter (where not is_open and {column} = {value!r})" for value in values
    )
    return f"jsonb_build_object({counted}) as {name}"


def _given(asked: Asked, reopenings: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "start": asked.span.start,
        "end": asked.span.end,
        "level": asked.level,
        "area_id": asked.area_id,
        "with_sensitive": asked.with_sensitive,
        "workflows": [workflow for workflow, _ in reopenings],
        "moves": [move for _, move in reopenings],
    }
