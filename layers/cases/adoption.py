"""Cases for what a source loads with states of its own: a hotline's rows, open or closed, with their deadlines."""

from datetime import datetime

from layers.cases.workflow import Workflow
from layers.core.statement import Statement

STAGE = "source"
"""The term that a source gives with its row."""


def adopt(source: str, workflow: Workflow, at: datetime) -> Statement:
    """Make a case of each of a source's incidents that has a state and no case yet: one value, how many.

    A closed one is a case that has ended; the source's deadline is the case's. Where nobody has moved a case here,
    it follows what its source says now, and ends where its source takes the row back. Each new one is registered
    in the ledger: let this be the last thing in its transaction.
    """
    ended = next(state.code for state in workflow.states if not state.open)
    return Statement(
        """with said as (
          select incident_id, case when closed_at is null then %(start)s else %(ended)s end as state,
            closed_at is null as is_open, coalesce(closed_at, occurred_at) as since, due_at, closed_at
          from onemap.incident where source = %(source)s and state is not null
        ), followed as (
          update onemap.case_file file
          set state = said.state, is_open = said.is_open, entered_at = said.since, changed_at = said.since,
            due_at = case when said.is_open then said.due_at end
          from said where file.incident_id = said.incident_id and file.version = 0
          and (file.state, file.is_open, file.due_at)
            is distinct from (said.state, said.is_open, case when said.is_open then said.due_at end)
          returning file.case_id, file.incident_id
        ), kept as (
          update onemap.case_deadline term set due_at = said.due_at, met_at = said.closed_at
          from followed join said using (incident_id)
          where term.case_id = followed.case_id and term.stage = %(stage)s
        ), withdrawn as (
          update onemap.case_file file
          set state = %(ended)s, is_open = false, entered_at = %(at)s, changed_at = %(at)s, due_at = null
          where source = %(source)s and version = 0 and is_open and incident_id is not null
          and not exists (select from onemap.incident where incident.incident_id = file.incident_id)
          returning file.case_id
        ), met as (
          update onemap.case_deadline term set met_at = %(at)s
          from withdrawn where term.case_id = withdrawn.case_id and term.met_at is null
        ), adopted as (
          insert into onemap.case_file as file (
            workflow, incident_id, source, source_key, category, severity, origin, reported_at, cell, area_id,
            zones, spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills, due_at
          )
          select %(workflow)s, incident_id, source, source_key, category, severity, origin, occurred_at, cell,
            area_id, zones, spot, geom, said.state, said.is_open, 0, said.since, said.since, 0, false,
            '{}', case when said.is_open then said.due_at end
          from onemap.incident join said using (incident_id)
          on conflict do nothing
          returning case_id, incident_id, source_key, category, reported_at
        ), terms as (
          insert into onemap.case_deadline (case_id, stage, start_at, due_at, met_at, told)
          select case_id, %(stage)s, occurred_at, due_at, closed_at,
            onemap.term_colour(null, due_at, null, %(at)s)  -- what is over already is no news
          from adopted join onemap.incident using (incident_id) where due_at is not null
        ), told as (
          select onemap.write_ledger(%(at)s, 'registered', array_agg('case:' || case_id order by case_id),
            array_agg(jsonb_build_object('workflow', %(workflow)s::text, 'source', %(source)s::text,
              'source_key', source_key, 'category', category, 'reported_at', reported_at) order by case_id))
          from adopted having count(*) > 0
        ) select (select count(*) from adopted) + 0 * (select count(*) from told) as adopted""",
        {
            "workflow": workflow.code,
            "start": workflow.start,
            "ended": ended,
            "source": source,
            "stage": STAGE,
            "at": at,
        },
    )
