-- How a term stands at a moment, as layers.cases.sla has it.
create or replace function onemap.term_colour(
  warn_at timestamptz, due_at timestamptz, red_at timestamptz, at timestamptz
) returns text
language sql immutable parallel safe as $$
  select case when at >= red_at then 'red' when onemap.is_over(due_at, at) then 'overdue' when at >= warn_at then 'warn' else 'green' end
$$;
grant execute on function onemap.term_colour(timestamptz, timestamptz, timestamptz, timestamptz) to onemap_room;

create or replace function onemap.colour_rank(colour text) returns integer
language sql immutable parallel safe as $$
  select array_position(array['green', 'warn', 'overdue', 'red'], colour)
$$;

-- Both are asked every second: what of the outbox is news of cases, and which running terms have more to tell.
create index if not exists outbox_cases on onemap.outbox (seq) where topic in ('case', 'reminder');
create index if not exists case_deadline_untold on onemap.case_deadline (coalesce(warn_at, due_at))
where met_at is null and told <> case when red_at is null then 'overdue' else 'red' end;

-- The running terms that have reached a colour by `at` that was not told. One that stands still has no moments; of what is
-- merged into another case those that go on in that one.
create or replace function onemap.untold(at timestamptz)
returns table (case_id bigint, stage text, start_at timestamptz, colour text)
language sql stable as $$
  select term.case_id, term.stage, term.start_at, reached.colour
  from onemap.case_deadline term join onemap.case_file file using (case_id),
    lateral (select onemap.term_colour(term.warn_at, term.due_at, term.red_at, at) as colour) reached
  where term.met_at is null and (file.merged_into is null
    or (file.covered_at is null and onemap.goes_on(term.stage, term.due_at, file.merged_at))) and coalesce(term.warn_at, term.due_at) <= at
  and term.told <> case when term.red_at is null then 'overdue' else 'red' end
  and onemap.colour_rank(reached.colour) > onemap.colour_rank(term.told)
$$;
revoke all on function onemap.untold(timestamptz) from public;

-- Tell of at most so many of them, each with its highest colour: in the ledger, and to whoever follows.
create or replace function onemap.remind(at timestamptz, most integer, clock text) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
  rows jsonb[];
begin
  with due as (
    select case_id, stage, start_at from onemap.case_deadline term
    where (case_id, stage, start_at) in (
      select case_id, stage, start_at from onemap.untold($1) order by case_id, stage, start_at limit $2
    )
    for update skip locked  -- a move that is being made may end it, another worker is telling it
  ), told as (
    -- Worked out from the row itself: since it was found it may have been told, met or stopped.
    update onemap.case_deadline term set told = onemap.term_colour(term.warn_at, term.due_at, term.red_at, $1)
    from due
    where (term.case_id, term.stage, term.start_at) = (due.case_id, due.stage, due.start_at) and term.met_at is null
    and onemap.colour_rank(onemap.term_colour(term.warn_at, term.due_at, term.red_at, $1))
      > onemap.colour_rank(term.told)
    returning (
      select coalesce(file.merged_into, file.case_id) from onemap.case_file file where file.case_id = term.case_id
    ) as case_id, term.stage, term.due_at, term.told
  )
  select array_agg(jsonb_build_object('id', case_id, 'stage', stage, 'due_at', due_at, 'colour', told, 'to',
    case when told = 'red' then 'supervisor' when stage = $3 then 'unit' else 'dispatcher' end
  ) order by case_id, stage) into rows from told;
  if rows is null then
    return 0;
  end if;
  perform onemap.write_ledger($1, 'reminder', array(select 'case:' || (row ->> 'id') from unnest(rows) row),
    array(select row - 'id' from unnest(rows) row));
  perform pg_advisory_xact_lock(x'6F7574626F78'::bigint);  -- "outbox", as layers.core.events does it
  insert into onemap.outbox (at, topic, layer, area_ids, payload)
  select $1, 'reminder', 'cases', onemap.area_and_above(file.area_id), row || jsonb_build_object(
    'workflow', file.workflow, 'category', file.category, 'sensitive', category.sensitive, 'state', file.state,
    'version', file.version, 'unit', file.unit, 'area', area.code, 'lon', st_x(file.spot), 'lat', st_y(file.spot))
  from unnest(rows) row join onemap.case_file file on file.case_id = (row ->> 'id')::bigint
  join onemap.category category on category.code = file.category
  left join onemap.area area on area.area_id = file.area_id;
  perform pg_notify('onemap', '');
  return array_length(rows, 1);
end
$$;
revoke all on function onemap.remind(timestamptz, integer, text) from public;

-- What the supervision office counts, one line an item. Of a case the first of its running terms stands here; where none
-- runs, as between a feedback and the end and after that, the one that was met most late; while its clock is paused none.
-- Of a measure the first period that lacks evidence.
create or replace view onemap.ledger_item with (security_invoker = true) as
select 'case' as item, file.case_id as item_id, file.workflow, file.category, file.area_id, file.unit, file.state,
  file.is_open, file.reported_at, coalesce(file.due_at, term.due_at) as due_at,
  coalesce(file.warn_at, term.warn_at) as warn_at,
  coalesce(file.red_at, term.red_at) as red_at, term.met_at
from onemap.case_file file
left join lateral (
  select due_at, warn_at, red_at, met_at from onemap.case_term term
  where file.due_at is null and not (file.is_open and file.paused) and term.case_id = file.case_id
  and met_at is not null and due_at is not null
  order by met_at - due_at desc limit 1
) term on true
where file.merged_into is null
union all
select 'measure', measure.measure_id, 'measure', null, measure.area_id, measure.unit,
  case when measure.closed_at is null then 'open' else 'closed' end, measure.closed_at is null, measure.registered_at,
  owed.due_at, null, null, null
from onemap.measure
left join lateral (
  select min(term.due_at) as due_at from onemap.measure_term term
  where measure.closed_at is null and term.measure_id = measure.measure_id
  and measure.target > (
    select coalesce(sum(evidence.amount), 0) from onemap.measure_evidence evidence
    where (evidence.measure_id, evidence.number) = (term.measure_id, term.number)
  )
) owed on true;
grant select on onemap.ledger_item to onemap_exact;

-- Whoever takes the list, or a layer of the loop, away is a row of the ledger: as what, and how much, never a person.
create or replace function onemap.note_export(at timestamptz, payload jsonb) returns bigint
language sql security definer set search_path = public, pg_temp as $$
  select onemap.write_ledger(at, 'export', array[coalesce(payload ->> 'layer', 'ledger')], array[payload])
$$;
revoke all on function onemap.note_export(timestamptz, jsonb) from public;
grant execute on function onemap.note_export(timestamptz, jsonb) to onemap_room;

-- Whether a case is there and not sensitive, and neither is the case that it is merged into: what was news of it for
-- everybody in the room may since have turned out to be none.
create or replace function onemap.is_plain(case_id bigint) returns boolean
language sql stable as $$
  select exists (
    select from onemap.case_file file join onemap.category category on category.code = file.category
    where file.case_id = $1 and not category.sensitive
    and (file.merged_into is null or onemap.is_plain(file.merged_into))
  )
$$;

create or replace trigger only_added_to before update or delete or truncate on onemap.delivery_log
for each statement execute function onemap.refuse_change();

-- Alerts of feeds are of single events, so the public reads none; nobody but the owner reads subscriptions and deliveries.
revoke select on onemap.cap_alert from onemap_public;
grant select on onemap.cap_alert to onemap_room;
alter table onemap.cap_alert enable row level security;
drop policy if exists everybody on onemap.cap_alert;
drop policy if exists scope on onemap.cap_alert;
create policy scope on onemap.cap_alert for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or area_ids @> array[(select nullif(current_setting('onemap.area_id', true), '')::bigint)]
);
