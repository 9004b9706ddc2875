-- No role of an audience may write a table; whoever may move cases asks these functions. What a step makes of a case is
-- worked out by layers.cases; here it is checked to be the next one, and written as a whole or not at all.

-- Whether a case of this area is inside the scope of this transaction.
create or replace function onemap.in_scope(area_id bigint) returns boolean
language sql stable as $$
  select current_setting('onemap.area_id', true) = '' or area_id in (select onemap.scope_area_ids())
$$;

-- An area and all above it, at any time; empty for none.
create or replace function onemap.area_and_above(area_id bigint) returns bigint[]
language sql stable as $$
  with recursive above (area_id) as (
    select $1
    union
    select version.parent_id from onemap.area_version version join above using (area_id)
    where version.parent_id is not null
  ) select coalesce(array_agg(area_id), '{}') from above where area_id is not null
$$;

-- The area and the zones of a point, as etl.tag gives them: the deepest area, of those on a border the lowest code.
create or replace function onemap.tag_point(point geometry, at timestamptz, out area_id bigint, out zones integer)
language sql stable as $$
  select
    (select area.area_id from onemap.area area join onemap.area_version version using (area_id)
      where version.valid @> at and st_intersects(version.geom, point)
      order by area.level_rank desc, area.code limit 1),
    (select coalesce(bit_or(1 << zone.bit), 0)
      from onemap.risk_area_version version join onemap.risk_area using (risk_area_id)
      join onemap.zone_type zone on zone.code = risk_area.zone_type
      where version.valid @> at and st_intersects(version.influence, point))
$$;

-- Whether a term is over at a moment: the one at which it is due is the first. Every figure of what is late asks this.
create or replace function onemap.is_over(due_at timestamptz, at timestamptz) returns boolean
language sql immutable parallel safe as $$ select at >= due_at $$;
grant execute on function onemap.is_over(timestamptz, timestamptz) to onemap_room;

-- Whether a running term of a case goes on where that is merged into another: what was promised of the matter does, and what
-- is over already. A stage that is not over yet ends by the merge, as by any other move.
create or replace function onemap.goes_on(stage text, due_at timestamptz, merged_at timestamptz) returns boolean
language sql immutable parallel safe as $$
  select stage in ('handle', 'source') or coalesce(onemap.is_over(due_at, merged_at), false)
$$;

-- All terms that a case stands for, and whose they are: its own, and those of what is merged into it, until its clock stops
-- or it ends. Those stay with their case, so that a split gives them back as they were.
create or replace view onemap.case_term with (security_invoker = true) as
select case_id, case_id as own_id, stage, start_at, due_at, warn_at, red_at, met_at, told from onemap.case_deadline
union all
select own.merged_into, own.case_id, term.stage, term.start_at, term.due_at, term.warn_at, term.red_at,
  coalesce(term.met_at, own.covered_at), term.told
from onemap.case_file own join onemap.case_deadline term using (case_id)
where own.merged_into is not null
and (term.met_at is not null or onemap.goes_on(term.stage, term.due_at, own.merged_at));

-- Of all running terms that a case stands for, the first moment at which one is over, warns and turns red. What is merged
-- into one whose clock has stopped, or that has ended, is done with that.
create or replace function onemap.stand(case_id bigint, at timestamptz) returns void
language plpgsql as $$
#variable_conflict use_column
begin
  update onemap.case_file own set covered_at = $2
  from onemap.case_file main
  where main.case_id = $1 and own.merged_into = $1 and own.covered_at is null
  and (not main.is_open or (main.still_since is not null and not main.paused));
  update onemap.case_file set (due_at, warn_at, red_at) = (
    select min(due_at), min(warn_at), min(red_at) from onemap.case_term term
    where term.case_id = $1 and met_at is null
  ) where case_id = $1;
end
$$;
revoke all on function onemap.stand(bigint, timestamptz) from public;

-- The deadlines of a case after a step. Those that no longer run are met at `at`; what is set or changed is told to
-- the ledger. The term that a source gave is no stage of ours: no move ends it but one that stops the case's clock, or
-- the case.
create or replace function onemap.keep_deadlines(case_id bigint, running jsonb, at timestamptz) returns void
language plpgsql as $$
#variable_conflict use_column
declare
  told jsonb[];
begin
  with given as (
    select * from jsonb_to_recordset(running)
      as (stage text, start_at timestamptz, due_at timestamptz, warn_at timestamptz, red_at timestamptz)
  ), ended as (
    update onemap.case_deadline kept set met_at = $3
    where kept.case_id = $1 and kept.met_at is null
    and (kept.stage, kept.start_at) not in (select stage, start_at from given)
    and (kept.stage <> 'source' or exists (
      select from onemap.case_file file
      where file.case_id = $1 and (not file.is_open or (file.still_since is not null and not file.paused))
    ))
    returning jsonb_build_object('stage', stage, 'due', due_at, 'met', met_at, 'late', coalesce(onemap.is_over(due_at, met_at), false)) as row
  ), moved as (
    insert into onemap.case_deadline as kept (case_id, stage, start_at, due_at, warn_at, red_at)
    select $1, stage, start_at, due_at, warn_at, red_at from given
    on conflict (case_id, stage, start_at) do update
    set due_at = excluded.due_at, warn_at = excluded.warn_at, red_at = excluded.red_at, met_at = null,
      told = case  -- of a moment that is put off is told again when it comes, of one that stands still nothing is new
        when excluded.due_at is not null and onemap.colour_rank(kept.told)
          > onemap.colour_rank(onemap.term_colour(excluded.warn_at, excluded.due_at, excluded.red_at, $3))
        then onemap.term_colour(excluded.warn_at, excluded.due_at, excluded.red_at, $3)
        else kept.told
      end
    where (kept.due_at, kept.warn_at, kept.red_at, kept.met_at)
      is distinct from (excluded.due_at, excluded.warn_at, excluded.red_at, null)
    returning jsonb_build_object('stage', stage, 'start', start_at, 'due', due_at) as row
  )
  select array_agg(row order by row ->> 'stage') into told from (select row from ended union all select row from moved) rows;
  if told is not null then
    perform onemap.write_ledger(at, 'deadline', array_fill('case:' || $1, array[array_length(told, 1)]), told);
  end if;
  perform onemap.stand($1, $3);
end
$$;
revoke all on function onemap.keep_deadlines(bigint, jsonb, timestamptz) from public;

-- Give the layer of cases its next version and tell whoever follows how each of these cases stands, as
-- layers.core.events does it: the place in the order of commits is taken first, so let this be the last thing in the
-- transaction. `followed` are those that have changed with their source.
create or replace function onemap.announce_cases(case_ids bigint[], at timestamptz, followed bigint[] default '{}')
returns void
language plpgsql as $$
#variable_conflict use_column
declare
  next bigint;
begin
  perform pg_advisory_xact_lock(x'6F7574626F78'::bigint);  -- "outbox"
  insert into onemap.layer_version (layer, version, changed_at) values ('cases', 1, $2)
  on conflict (layer) do update set version = layer_version.version + 1, changed_at = excluded.changed_at
  returning version into next;
  insert into onemap.outbox (at, topic, layer, area_ids, payload)
  values ($2, 'layer', 'cases', null, jsonb_build_object('layer', 'cases', 'version', next));
  insert into onemap.outbox (at, topic, layer, area_ids, payload)
  select $2, 'case', 'cases', onemap.area_and_above(file.area_id), jsonb_build_object(
      'id', file.case_id, 'workflow', file.workflow, 'category', file.category, 'sensitive', category.sensitive,
      'state', file.state, 'open', file.is_open and file.merged_into is null, 'version', file.version,
      'followed', file.case_id = any (followed), 'due_at', file.due_at, 'unit', file.unit, 'area', area.code,
      'lon', st_x(file.spot), 'lat', st_y(file.spot)
    )
  from onemap.case_file file join onemap.category category on category.code = file.category
  left join onemap.area area on area.area_id = file.area_id
  where file.case_id = any (case_ids) order by file.case_id;
  perform pg_notify('onemap', '');
end
$$;
revoke all on function onemap.announce_cases(bigint[], timestamptz, bigint[]) from public;

create or replace function onemap.announce_case(case_id bigint) returns void
language sql as $$
  select onemap.announce_cases(array[$1], (select changed_at from onemap.case_file file where file.case_id = $1))
$$;
revoke all on function onemap.announce_case(bigint) from public;

-- Register a case as its facts say; the number of the one there is already where its key has one, else its incident.
create or replace function onemap.open_case(facts jsonb, running jsonb, out case_id bigint, out fresh boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  given onemap.case_file;
begin
  given := jsonb_populate_record(null::onemap.case_file, facts);
  given.geom := st_setsrid(st_makepoint((facts ->> 'lon')::double precision, (facts ->> 'lat')::double precision), 4326);
  given.spot := st_setsrid(
    st_makepoint((facts ->> 'spot_lon')::double precision, (facts ->> 'spot_lat')::double precision), 4326
  );
  select tag.area_id, tag.zones into given.area_id, given.zones
  from onemap.tag_point(given.geom, given.reported_at) tag;
  if onemap.in_scope(given.area_id) is not true then  -- a place in no area is in no area's scope
    raise exception 'outside the scope' using errcode = 'insufficient_privilege';
  end if;
  insert into onemap.case_file (
    workflow, incident_id, source, source_key, category, severity, origin, reported_at, report, cell, area_id, zones,
    spot, geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills
  ) values (
    given.workflow, given.incident_id, given.source, given.source_key, given.category, given.severity, given.origin,
    given.reported_at, given.report, given.cell, given.area_id, given.zones, given.spot, given.geom, given.state, true,
    0, given.entered_at, given.entered_at, 0, false, '{}'
  ) on conflict do nothing
  returning case_id into open_case.case_id;
  fresh := found;
  if not fresh then
    select kept.case_id into open_case.case_id from onemap.case_file kept
    where (kept.source, kept.source_key) = (given.source, given.source_key) or kept.incident_id = given.incident_id
    order by (kept.source, kept.source_key) = (given.source, given.source_key) desc limit 1;
    return;
  end if;
  perform onemap.keep_deadlines(open_case.case_id, running, given.entered_at);
  perform onemap.write_ledger(given.entered_at, 'registered', array['case:' || open_case.case_id], array[
    jsonb_build_object('workflow', given.workflow, 'source', given.source, 'source_key', given.source_key,
      'category', given.category, 'area_id', given.area_id, 'reported_at', given.reported_at)
  ]);
  perform onemap.announce_case(open_case.case_id);
end
$$;
revoke all on function onemap.open_case(jsonb, jsonb) from public;
grant execute on function onemap.open_case(jsonb, jsonb) to onemap_exact;

-- Add the step that makes the case what `later` says; false, and nothing is written, where the case has moved on since
-- it had the version before that one, is merged into another, or is not there for whoever asks.
create or replace function onemap.add_step(case_id bigint, step jsonb, later jsonb, running jsonb) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  given onemap.case_file;
  told onemap.case_step;
begin
  given := jsonb_populate_record(null::onemap.case_file, later);
  told := jsonb_populate_record(null::onemap.case_step, step);
  update onemap.case_file kept set
    state = given.state, is_open = given.is_open, version = given.version, entered_at = given.entered_at,
    changed_at = told.at, unit = given.unit, bounces = given.bounces, rating = given.rating,
    clock_started_at = given.clock_started_at, still_since = given.still_since, paused = given.paused,
    stills = given.stills
  where kept.case_id = $1 and kept.version = given.version - 1 and kept.merged_into is null
  and onemap.in_scope(kept.area_id);
  if not found then
    return false;
  end if;
  perform onemap.keep_deadlines($1, running, told.at);
  told.seq := onemap.write_ledger(told.at, 'moved', array['case:' || $1], array[
    jsonb_strip_nulls(step) || jsonb_build_object('version', given.version, 'state', given.state)
  ]);
  insert into onemap.case_step (case_id, version, move, actor, at, state, unit, rating, seq)
  values ($1, given.version, told.move, told.actor, told.at, given.state, told.unit, told.rating, told.seq);
  perform onemap.announce_case($1);
  return true;
end
$$;
revoke all on function onemap.add_step(bigint, jsonb, jsonb, jsonb) from public;
grant execute on function onemap.add_step(bigint, jsonb, jsonb, jsonb) to onemap_exact;

create or replace trigger only_added_to before update or delete or truncate on onemap.case_step
for each statement execute function onemap.refuse_change();

-- The closed room sees where cases stand and when they moved, but neither true points nor texts.
grant select (
  case_id, workflow, incident_id, source, category, severity, origin, reported_at, cell, area_id, zones, spot, state, is_open,
  version, entered_at, changed_at, unit, bounces, due_at, warn_at, red_at, clock_started_at, still_since, stills
) on onemap.case_file to onemap_room;
grant select (merged_into, merged_at, regrouped_at, covered_at) on onemap.case_file to onemap_room;
grant select (case_id, version, move, at, state) on onemap.case_step to onemap_room;
-- What one who reported said of it is in figures alone, and in these from the analyst on.
revoke select (rating) on onemap.case_file from onemap_room;
grant select (rating) on onemap.case_file to onemap_analyst;
grant select on onemap.case_deadline to onemap_room;
grant select on onemap.case_term to onemap_room;
grant select on onemap.case_file, onemap.case_step, onemap.case_deadline to onemap_exact;
alter table onemap.case_file enable row level security;
drop policy if exists scope on onemap.case_file;
create policy scope on onemap.case_file for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or area_id = any (array(select onemap.scope_area_ids()))
);
alter table onemap.case_step enable row level security;
drop policy if exists scope on onemap.case_step;
create policy scope on onemap.case_step for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or exists (select from onemap.case_file file where file.case_id = case_step.case_id)
);
alter table onemap.case_deadline enable row level security;
drop policy if exists scope on onemap.case_deadline;
create policy scope on onemap.case_deadline for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or exists (select from onemap.case_file file where file.case_id = case_deadline.case_id)
);
