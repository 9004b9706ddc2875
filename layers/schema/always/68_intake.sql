-- What comes in from outside, and cases that are one.

-- Register what a citizen reports. Whoever asks this may only add: which source and origin it has is not theirs to say.
create or replace function onemap.file_report(facts jsonb, running jsonb, answers jsonb) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  opened record;
begin
  select * into opened from onemap.open_case(
    facts || '{"source": "open311", "origin": "citizen", "incident_id": null}', running
  );
  if opened.fresh and answers <> '{}' then
    update onemap.case_file file set answers = file_report.answers where file.case_id = opened.case_id;
  end if;
  return opened.case_id;
end
$$;
revoke all on function onemap.file_report(jsonb, jsonb, jsonb) from public;
grant execute on function onemap.file_report(jsonb, jsonb, jsonb) to onemap_public;

-- How reports stand, for whoever holds what their keys are made of: states and moments, no texts and no places. A report
-- whose case was merged stands as its main case does; what became of that one before is another report's history.
-- `rating` and `asked` are what its holder said of it, and how often that one has moved it.
drop function if exists onemap.reports_standing(text[]);
create function onemap.reports_standing(keys text[])
returns table (
  source_key text, case_id bigint, category text, workflow text, state text, is_open boolean, reported_at timestamptz,
  entered_at timestamptz, updated_at timestamptz, due_at timestamptz, steps jsonb, merged boolean, rating smallint,
  asked bigint
)
language sql stable security definer set search_path = public, pg_temp as $$
  select own.source_key, own.case_id, own.category, main.workflow, main.state, main.is_open, own.reported_at,
    main.entered_at, greatest(main.changed_at, main.regrouped_at, own.regrouped_at), main.due_at, (
      select coalesce(jsonb_agg(jsonb_build_object('at', step.at, 'move', step.move, 'state', step.state)
        order by step.at, step.version), '[]')
      from onemap.case_step step
      where step.case_id = own.case_id or (step.case_id = main.case_id and step.at >= own.merged_at)
    ), own.merged_into is not null, said.rating, said.asked
  from onemap.case_file own
  join onemap.case_file main on main.case_id = coalesce(own.merged_into, own.case_id)
  cross join lateral (
    select count(*) as asked, (array_agg(step.rating order by step.version desc) filter (where step.rating is not null))[1] as rating
    from onemap.case_step step where step.case_id = own.case_id and step.actor = 'citizen'
  ) said
  where own.source = 'open311' and own.source_key = any (keys)
$$;
revoke all on function onemap.reports_standing(text[]) from public;
grant execute on function onemap.reports_standing(text[]) to onemap_public;

-- What is needed to move a report's own case, for whoever holds what its key is made of; and that move, at most so many of
-- them. Whoever asks this can be the citizen alone, and of the token's own case alone.
create or replace function onemap.report_held(key text)
returns table (
  case_id bigint, workflow text, category text, severity integer, state text, version integer, entered_at timestamptz,
  changed_at timestamptz, unit text, bounces integer, rating smallint, clock_started_at timestamptz,
  still_since timestamptz, paused boolean, stills tstzmultirange, merged boolean, areas text[], asked bigint
)
language sql stable security definer set search_path = public, pg_temp as $$
  select case_id, workflow, category, severity, state, version, entered_at, changed_at, unit, bounces, rating,
    clock_started_at, still_since, paused, stills, merged_into is not null,
    (select coalesce(array_agg(area.code), '{}') from onemap.area where area.area_id = any (onemap.area_and_above(file.area_id))),
    (select count(*) from onemap.case_step step where step.case_id = file.case_id and step.actor = 'citizen')
  from onemap.case_file file where source = 'open311' and source_key = key
$$;
revoke all on function onemap.report_held(text) from public;
grant execute on function onemap.report_held(text) to onemap_public;

create or replace function onemap.move_report(key text, step jsonb, later jsonb, running jsonb, most integer) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  own bigint;
begin
  select case_id into own from onemap.case_file where source = 'open311' and source_key = key for update;
  if own is null or most <= (select count(*) from onemap.case_step where case_id = own and actor = 'citizen') then
    return false;
  end if;
  return onemap.add_step(own, step || '{"actor": "citizen", "unit": null}', later, running);
end
$$;
revoke all on function onemap.move_report(text, jsonb, jsonb, jsonb, integer) from public;
grant execute on function onemap.move_report(text, jsonb, jsonb, jsonb, integer) to onemap_public;

-- What a merge or a split makes of the main case, told with the deadline that this one has by it.
create or replace function onemap.regroup(main bigint, at timestamptz, kind text, subjects text[], payloads jsonb[])
returns void
language plpgsql as $$
declare
  due timestamptz;
begin
  update onemap.case_file set regrouped_at = at where case_id = main;
  perform onemap.stand(main, at);
  select due_at into due from onemap.case_file where case_id = main;
  perform onemap.write_ledger(at, kind, subjects, array[payloads[1], payloads[2] || jsonb_build_object('due', due)]);
end
$$;
revoke all on function onemap.regroup(bigint, timestamptz, text, text[], jsonb[]) from public;

-- Merge a case into another; why not, where it is not done: `missing` for whoever asks, `merged` or `main` already,
-- `closed`, or of another `workflow`. The main case has the earliest of both ones' terms from now on (onemap.case_term).
create or replace function onemap.merge_case(case_id bigint, into_id bigint, at timestamptz) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  own onemap.case_file;
  main onemap.case_file;
begin
  perform pg_advisory_xact_lock(x'6D65726765'::bigint);  -- "merge": what follows a source holds many cases
  perform from onemap.case_file where case_id = $2 for update;  -- the main case first, as its moves do
  perform from onemap.case_file where case_id = $1 for update;
  select * into own from onemap.case_file where case_id = $1 and onemap.in_scope(area_id);
  select * into main from onemap.case_file where case_id = $2 and onemap.in_scope(area_id);
  if own.case_id is null or main.case_id is null then
    return 'missing';
  elsif own.merged_into is not null or main.merged_into is not null then
    return 'merged';
  elsif exists (select from onemap.case_file where merged_into = $1) then
    return 'main';
  elsif not (own.is_open and main.is_open) then
    return 'closed';
  elsif own.workflow <> main.workflow then
    return 'workflow';
  end if;
  update onemap.case_file set merged_into = $2, merged_at = $3, regrouped_at = $3 where case_id = $1;
  perform onemap.regroup($2, $3, 'merged', array['case:' || $1, 'case:' || $2], array[
    jsonb_build_object('into', $2), jsonb_build_object('with', $1)
  ]);
  perform onemap.announce_case($1), onemap.announce_case($2);
  return null;
end
$$;
revoke all on function onemap.merge_case(bigint, bigint, timestamptz) from public;
grant execute on function onemap.merge_case(bigint, bigint, timestamptz) to onemap_exact;

-- Take a case out of its main case; false where it is in none, or not there for whoever asks.
create or replace function onemap.split_case(case_id bigint, at timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  main bigint;
begin
  select merged_into into main from onemap.case_file where case_id = $1 and onemap.in_scope(area_id);
  perform from onemap.case_file where case_id = main for update;
  update onemap.case_file set merged_into = null, merged_at = null, covered_at = null, regrouped_at = $2
  where case_id = $1 and merged_into = main;
  if not found then
    return false;
  end if;
  perform onemap.regroup(main, $2, 'split', array['case:' || $1, 'case:' || main], array[
    jsonb_build_object('from', main), jsonb_build_object('off', $1)
  ]);
  perform onemap.announce_case($1), onemap.announce_case(main);
  return true;
end
$$;
revoke all on function onemap.split_case(bigint, timestamptz) from public;
grant execute on function onemap.split_case(bigint, timestamptz) to onemap_exact;

