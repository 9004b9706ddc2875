-- A case that stands for an incident follows it. What the case is and where it lies is what its incident says, always; how
-- it stands and when it is due, where it was made of its source's row, while nobody here has moved it and it is merged with no other.

-- The cases that say something else than their incidents, of one source or of all, with what they should say. A case
-- whose incident is gone finds it again by its key, and ends where it is not there again. `flows` has the `start` and
-- the `ended` state of each workflow.
create or replace function onemap.behind(source text, flows jsonb, at timestamptz) returns table (
  case_id bigint, incident_id bigint, category text, severity integer, origin text, reported_at timestamptz,
  cell bigint, area_id bigint, zones integer, spot geometry, geom geometry,
  follows boolean, state text, is_open boolean, entered_at timestamptz,
  has_term boolean, start_at timestamptz, due_at timestamptz, met_at timestamptz
)
language sql stable as $$
  with pair as (
    select file.case_id, own.incident_id
    from onemap.case_file file join onemap.incident own using (incident_id)
    where $1 is null or file.source = $1 or own.source = $1
    union all
    select file.case_id, again.incident_id
    from onemap.case_file file left join onemap.incident again
      on (again.source, again.source_key) = (file.source, file.source_key)
      and not exists (select from onemap.case_file other where other.incident_id = again.incident_id)
    where file.source = $1
    and not exists (select from onemap.incident own where own.incident_id = file.incident_id)
    and (file.incident_id is not null or again.incident_id is not null)
  )
  select file.case_id, fact.incident_id, fact.category, fact.severity, fact.origin, fact.reported_at, fact.cell,
    fact.area_id, fact.zones, fact.spot, fact.geom, stand.follows, stand.state, stand.is_open, stand.entered_at,
    term.case_id is not null, stand.start_at, stand.due_at, stand.met_at
  from pair join onemap.case_file file using (case_id)
  left join onemap.incident said on said.incident_id = pair.incident_id
  left join onemap.case_deadline term on term.case_id = file.case_id and term.stage = 'source'
  cross join lateral (
    select coalesce(said.incident_id, file.incident_id) as incident_id,
      coalesce(said.category, file.category) as category, coalesce(said.severity, file.severity) as severity,
      coalesce(said.origin, file.origin) as origin, coalesce(said.occurred_at, file.reported_at) as reported_at,
      coalesce(said.cell, file.cell) as cell, coalesce(said.zones, file.zones) as zones,
      case when said.incident_id is null then file.area_id else said.area_id end as area_id,
      coalesce(said.spot, file.spot) as spot, coalesce(said.geom, file.geom) as geom
  ) fact
  cross join lateral (
    select file.version = 0 and flows ? file.workflow
        and coalesce(said.source, file.source) = file.source and file.merged_into is null
        and not exists (select from onemap.case_file part where part.merged_into = file.case_id) as follows,
      flows -> file.workflow ->> case when said.state is not null and said.closed_at is null then 'start' else 'ended' end
        as state,
      said.state is not null and said.closed_at is null as is_open, case
        when said.state is not null then coalesce(said.closed_at, said.occurred_at)
        when file.is_open then $3
        else file.entered_at
      end as entered_at,
      coalesce(said.occurred_at, term.start_at) as start_at,
      case when said.state is null then term.due_at else said.due_at end as due_at,
      case when said.state is null then coalesce(term.met_at, $3) else said.closed_at end as met_at
  ) stand
  where (fact.incident_id, fact.category, fact.severity, fact.origin, fact.reported_at, fact.cell, fact.area_id, fact.zones,
      fact.spot, fact.geom)
    is distinct from (file.incident_id, file.category, file.severity, file.origin, file.reported_at, file.cell,
      file.area_id, file.zones, file.spot, file.geom)
  or (stand.follows and (
    (stand.state, stand.is_open, stand.entered_at) is distinct from (file.state, file.is_open, file.entered_at)
    or (term.case_id is null and stand.due_at is not null)
    or (term.case_id is not null
      and (stand.start_at, stand.due_at, stand.met_at) is distinct from (term.start_at, term.due_at, term.met_at))
  ))
$$;
revoke all on function onemap.behind(text, jsonb, timestamptz) from public;

-- Have the cases of a source, or of all, follow their incidents, and where `workflow` is given make a case of each
-- incident that has a state and no case yet. What a source changes of a state, a category or a term is written down, and
-- what was told of a term that it moves is told again; what is open and over when it is adopted is no news. More cases
-- than `most` are announced as a layer that has changed, fewer each by itself.
-- Locks are taken in the order of a move's: cases, their terms, the ledger, the outbox. Let this be the last thing in its
-- transaction.
create or replace function onemap.follow_incidents(
  source text, flows jsonb, workflow text, at timestamptz, most integer, out followed integer, out adopted integer
)
language plpgsql as $$
#variable_conflict use_column
declare
  held bigint[];
  new_ids bigint[];
  told record;
  registered jsonb[];
begin
  perform pg_advisory_xact_lock(x'6D65726765'::bigint);  -- "merge": a merge holds two cases, in no order of their numbers
  select array_agg(case_id) into held from (
    select file.case_id from onemap.case_file file
    where file.case_id in (select case_id from onemap.behind($1, $2, $4))
    order by file.merged_into is not null, file.case_id for update
  ) found;
  with said as materialized (  -- once more: what is held now may have been moved since it was found
    select * from onemap.behind($1, $2, $4) where case_id = any (held)
  ), old as materialized (
    select file.case_id, file.state, file.category, file.reported_at, file.incident_id, term.start_at, term.due_at, term.met_at
    from said join onemap.case_file file using (case_id)
    left join onemap.case_deadline term on term.case_id = file.case_id and term.stage = 'source'
  ), filed as (
    update onemap.case_file file set
      incident_id = said.incident_id, category = said.category, severity = said.severity, origin = said.origin,
      reported_at = said.reported_at, cell = said.cell, area_id = said.area_id, zones = said.zones, spot = said.spot,
      geom = said.geom, changed_at = greatest(file.changed_at, $4)
    from said where file.case_id = said.case_id and not said.follows
  ), stood as (
    update onemap.case_file file set
      incident_id = said.incident_id, category = said.category, severity = said.severity, origin = said.origin,
      reported_at = said.reported_at, cell = said.cell, area_id = said.area_id, zones = said.zones, spot = said.spot,
      geom = said.geom, changed_at = greatest(file.changed_at, $4),
      state = said.state, is_open = said.is_open, entered_at = said.entered_at,
      (due_at, warn_at, red_at) = (
        select least(case when said.is_open then said.due_at end, min(own.due_at)), min(own.warn_at), min(own.red_at)
        from onemap.case_deadline own
        where own.case_id = said.case_id and own.stage <> 'source' and own.met_at is null and said.is_open
      )
    from said where file.case_id = said.case_id and said.follows
  ), moved as (
    update onemap.case_deadline term set start_at = said.start_at, due_at = said.due_at, met_at = said.met_at,
      told = case when term.due_at is distinct from said.due_at then 'green' else term.told end
    from said where term.case_id = said.case_id and term.stage = 'source' and said.follows
  ), given as (
    insert into onemap.case_deadline (case_id, stage, start_at, due_at, met_at)
    select case_id, 'source', start_at, due_at, met_at from said
    where said.follows and not said.has_term and said.due_at is not null
  ), ended as (
    update onemap.case_deadline own set met_at = said.entered_at
    from said where own.case_id = said.case_id and own.stage <> 'source' and own.met_at is null
    and said.follows and not said.is_open
    returning own.case_id, own.stage, own.due_at, own.met_at
  ), changed as (
    select case_id, jsonb_strip_nulls(jsonb_build_object(
        'state', case when said.follows and said.state <> old.state then old.state end,
        'category', case when said.category <> old.category then old.category end,
        'reported_at', case when said.reported_at <> old.reported_at then old.reported_at end,
        'incident', case when said.incident_id is distinct from old.incident_id then old.incident_id end
      )) as was, jsonb_strip_nulls(jsonb_build_object(
        'state', case when said.follows and said.state <> old.state then said.state end,
        'category', case when said.category <> old.category then said.category end,
        'reported_at', case when said.reported_at <> old.reported_at then said.reported_at end,
        'incident', case when said.incident_id is distinct from old.incident_id then said.incident_id end
      )) as now
    from said join old using (case_id)
  ), deadlines as (
    select case_id, jsonb_build_object('stage', 'source', 'start', said.start_at, 'due', said.due_at, 'met', said.met_at,
        'late', coalesce(onemap.is_over(said.due_at, said.met_at), false))
      || case when said.has_term and said.due_at is distinct from old.due_at
        then jsonb_build_object('was', old.due_at) else '{}' end as row
    from said join old using (case_id)
    where said.follows and (said.has_term or said.due_at is not null)
    and (said.start_at, said.due_at, said.met_at) is distinct from (old.start_at, old.due_at, old.met_at)
    union all
    select case_id, jsonb_build_object('stage', stage, 'due', due_at, 'met', met_at,
      'late', coalesce(onemap.is_over(due_at, met_at), false)) from ended
  )
  select
    (select coalesce(array_agg(case_id), '{}') from said) as case_ids,
    (select array_agg('case:' || case_id order by case_id) from changed where now <> '{}') as cases,
    (select array_agg(jsonb_build_object('was', was, 'now', now) order by case_id) from changed where now <> '{}') as changes,
    (select array_agg('case:' || case_id order by case_id, row ->> 'stage') from deadlines) as termed,
    (select array_agg(row order by case_id, row ->> 'stage') from deadlines) as terms
  into told;

  with made as (
    insert into onemap.case_file (
      workflow, incident_id, source, source_key, category, severity, origin, reported_at, cell, area_id, zones, spot,
      geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills, due_at
    )
    select $3, incident_id, source, source_key, category, severity, origin, occurred_at, cell, area_id, zones, spot,
      geom, $2 -> $3 ->> case when closed_at is null then 'start' else 'ended' end, closed_at is null, 0,
      coalesce(closed_at, occurred_at), $4, 0, false, '{}', case when closed_at is null then due_at end
    from onemap.incident
    where source = $1 and state is not null and $3 is not null
    and not exists (select from onemap.case_file file where file.incident_id = incident.incident_id)
    order by incident_id
    on conflict do nothing
    returning case_id, incident_id, state
  ), terms as (
    insert into onemap.case_deadline (case_id, stage, start_at, due_at, met_at, told)
    select case_id, 'source', occurred_at, due_at, closed_at, case when closed_at is null then onemap.term_colour(null, due_at, null, $4) else 'green' end
    from made join onemap.incident using (incident_id) where due_at is not null
  )
  select coalesce(array_agg(case_id order by case_id), '{}'), array_agg(jsonb_build_object(
      'workflow', $3, 'source', $1, 'source_key', said.source_key, 'category', said.category,
      'reported_at', said.occurred_at, 'state', made.state, 'due', said.due_at, 'met', said.closed_at
    ) order by case_id) into new_ids, registered
  from made join onemap.incident said using (incident_id);
  perform onemap.stand(main_id, $4) from (  -- what is merged is late as its main case
    select distinct coalesce(file.merged_into, file.case_id) as main_id from onemap.case_file file
    where file.case_id = any (told.case_ids) and (file.merged_into is not null
      or exists (select from onemap.case_file own where own.merged_into = file.case_id))
    order by main_id
  ) grouped;
  followed := cardinality(told.case_ids);
  adopted := cardinality(new_ids);

  if adopted > 0 then
    perform onemap.write_ledger($4, 'registered', array(select 'case:' || id from unnest(new_ids) id), registered);
  end if;
  if told.changes is not null then
    perform onemap.write_ledger($4, 'followed', told.cases, told.changes);
  end if;
  if told.terms is not null then
    perform onemap.write_ledger($4, 'deadline', told.termed, told.terms);
  end if;
  if followed + adopted > most then
    perform onemap.announce_cases('{}', $4);
  elsif followed + adopted > 0 then
    perform onemap.announce_cases(new_ids || told.case_ids, $4, told.case_ids);
  end if;
end
$$;
revoke all on function onemap.follow_incidents(text, jsonb, text, timestamptz, integer) from public;
