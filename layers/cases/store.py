"""Cases in the database: registered once, moved one step at a time, and never moved by two at once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange

from layers.cases.case import Case, Step
from layers.cases.sla import Deadline, Subject
from layers.cases.workflow import Workflow
from layers.core.span import Span
from layers.core.statement import Statement

_KEPT = """file.workflow, file.category, file.severity, file.state, file.version, file.entered_at, file.changed_at,
file.unit, file.bounces, file.rating, file.clock_started_at, file.still_since, file.paused, file.stills,
file.merged_into is not null as merged,
(select main.case_id from onemap.case_file main where main.case_id = file.merged_into) as merged_into"""


@dataclass(frozen=True)
class Report:
    """What a case is registered with: a place and an event.

    source, source_key : what tells it from every other report; the same key is the same case.
    lon, lat : degrees.  cell : its base cell.  spot : lon and lat of the cell's centre.
    report : text without personal spans.  incident_id : the map's incident that it is about.
    """

    workflow: str
    source: str
    source_key: str
    category: str
    severity: int
    origin: str
    reported_at: datetime
    lon: float
    lat: float
    cell: int
    spot: tuple[float, float]
    report: str | None = None
    incident_id: int | None = None


def register(report: Report, workflow: Workflow, running: Sequence[Deadline], at: datetime) -> Statement:
    """Register a case: `case_id`, and `fresh`, false where its key or its incident has a case already."""
    return Statement(
        "select case_id, fresh from onemap.open_case(%(facts)s, %(running)s)",
        registered(report, workflow, running, at),
    )


def registered(report: Report, workflow: Workflow, running: Sequence[Deadline], at: datetime) -> dict[str, Jsonb]:
    """The `facts` and the `running` deadlines of a new case, as the database takes them."""
    facts = asdict(report) | {"state": workflow.start, "entered_at": at}
    facts["spot_lon"], facts["spot_lat"] = facts.pop("spot")
    return {"facts": json(facts), "running": json(list(map(_deadline, running)))}


def same(case_id: int, report: Report) -> Statement:
    """Whether the case is this report's, by its key and its incident: one value."""
    return Statement(
        """select (source, source_key) = (%(source)s, %(source_key)s)
          and incident_id is not distinct from %(incident_id)s::bigint
        from onemap.case_file where case_id = %(case_id)s""",
        {
            "case_id": case_id,
            "source": report.source,
            "source_key": report.source_key,
            "incident_id": report.incident_id,
        },
    )


def areas_of(lon: float, lat: float, at: datetime) -> Statement:
    """Codes of the area that a point is tagged with and of all above it: one column `code`."""
    return Statement(
        """with recursive above (area_id) as (
          select area_id from onemap.tag_point(ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326), %(at)s)
          union
          select version.parent_id from onemap.area_version version join above using (area_id)
          where version.parent_id is not null
        ) select code from onemap.area join above using (area_id)""",
        {"lon": lon, "lat": lat, "at": at},
    )


def by_id(case_id: int) -> Statement:
    """What `read` needs of one case: one row; none where there is none, or none for whoever asks."""
    return Statement(
        f"""with recursive above (area_id) as (
          select area_id from onemap.case_file where case_id = %(case_id)s
          union
          select version.parent_id from onemap.area_version version join above using (area_id)
          where version.parent_id is not null
        ) select {_KEPT},
          (select coalesce(array_agg(code), '{{}}') from onemap.area join above using (area_id)) as areas
        from onemap.case_file file where file.case_id = %(case_id)s""",  # noqa: S608
        {"case_id": case_id},
    )


def read(row: dict[str, Any]) -> tuple[str, Case, Subject]:
    """The code of its workflow, the case, and what its policies are chosen by, from a row of `by_id`."""
    case = Case(
        state=row["state"],
        entered=row["entered_at"],
        at=row["changed_at"],
        version=row["version"],
        unit=row["unit"],
        bounces=row["bounces"],
        rating=row["rating"],
        started=row["clock_started_at"],
        stills=tuple(_spans(row["stills"])),
        still_since=row["still_since"],
        paused=row["paused"],
    )
    return row["workflow"], case, Subject(row["category"], row["severity"], frozenset(row["areas"]))


def add(case_id: int, step: Step, later: Case, workflow: Workflow, running: Sequence[Deadline]) -> Statement:
    """Make a step: one value, false and nothing written where the case has moved on meanwhile."""
    return Statement(
        "select onemap.add_step(%(case_id)s, %(step)s, %(later)s, %(running)s)",
        {"case_id": case_id, **added(step, later, workflow, running)},
    )


def added(step: Step, later: Case, workflow: Workflow, running: Sequence[Deadline]) -> dict[str, Jsonb]:
    """The `step`, the `later` case and its `running` deadlines, as the database takes them."""
    kept = {
        "state": later.state,
        "is_open": workflow.state(later.state).open,
        "version": later.version,
        "entered_at": later.entered,
        "unit": later.unit,
        "bounces": later.bounces,
        "rating": later.rating,
        "clock_started_at": later.started,
        "still_since": later.still_since,
        "paused": later.paused,
        "stills": "{" + ",".join(f'["{still.start}","{still.end}")' for still in later.stills) + "}",
    }
    return {
        "step": json(asdict(step)),
        "later": json(kept),
        "running": json(list(map(_deadline, running))),
    }


def text(case_id: int) -> Statement:
    """What was reported, in words: one value, none where there are none."""
    return Statement("select report from onemap.case_file where case_id = %(case_id)s", {"case_id": case_id})


def steps(case_id: int) -> Statement:
    """The history of a case, oldest first: version, move, actor, at, state, reason, unit, rating."""
    return Statement(
        """select version, move, actor, at, state, text as reason, unit, rating
        from onemap.case_step left join onemap.ledger_text using (seq) where case_id = %(case_id)s order by
        version""",
        {"case_id": case_id},
    )


def deadlines(case_id: int) -> Statement:
    """The terms that a case stands for, oldest first: stage, start_at, due_at, warn_at, red_at, met_at, own_id.

    own_id : the case whose term it is: this one, or one that is merged into it.
    """
    return Statement(
        """select stage, start_at, due_at, warn_at, red_at, met_at, own_id
        from onemap.case_term where case_id = %(case_id)s order by start_at, stage, own_id""",
        {"case_id": case_id},
    )


def json(value: object) -> Jsonb:
    """A value that is bound as JSON."""
    return Jsonb(value, dumps=orjson.dumps)


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return {
        "stage": deadline.stage,
        "start_at": deadline.start,
        "due_at": deadline.due,
        "warn_at": deadline.warn,
        "red_at": deadline.red,
    }


def _spans(stills: Multirange[datetime]) -> list[Span]:
    return [Span(still.lower, still.upper) for still in stills if still.lower and still.upper]
