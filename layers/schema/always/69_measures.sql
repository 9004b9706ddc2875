-- How each period of each measure stood at a moment: the one place that says what is done, what in time, and what is
-- still owed. Periods count from their start on; of a closed measure those that ended before it was closed.
--
-- These are duties, and no events: they have no category and no cell, so they do not stand in open_item, whose figures
-- of open and overdue are of incidents and cases, by category and cell.
create or replace function onemap.measure_standing(at timestamptz) returns table (
  measure_id bigint, number integer, start_at timestamptz, due_at timestamptz, target integer, done bigint,
  in_time bigint, overdue boolean
)
language sql stable as $$
  select measure.measure_id, term.number, term.start_at, term.due_at, measure.target,
    coalesce(told.done, 0), coalesce(told.in_time, 0),
    term.due_at <= $1 and coalesce(told.done, 0) < measure.target and coalesce(measure.closed_at > $1, true)
  from onemap.measure join onemap.measure_term term using (measure_id)
  left join (
    select evidence.measure_id, evidence.number, sum(evidence.amount) as done,
      sum(evidence.amount) filter (where evidence.at < term.due_at) as in_time
    from onemap.measure_evidence evidence join onemap.measure_term term using (measure_id, number)
    where evidence.at <= $1
    group by evidence.measure_id, evidence.number
  ) told using (measure_id, number)
  where measure.registered_at <= $1 and term.start_at <= $1
  and (measure.closed_at is null or measure.closed_at > $1 or term.due_at <= measure.closed_at)
$$;

-- Add a campaign; the number of the one there is already where its code has one.
create or replace function onemap.open_campaign(facts jsonb, at timestamptz, out campaign_id bigint, out fresh boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  given onemap.campaign := jsonb_populate_record(null::onemap.campaign, facts);
begin
  insert into onemap.campaign (code, name_zh, name_en, start_at, end_at)
  values (given.code, given.name_zh, given.name_en, given.start_at, given.end_at)
  on conflict do nothing returning campaign_id into open_campaign.campaign_id;
  fresh := found;
  if fresh then
    perform onemap.write_ledger($2, 'campaign', array['campaign:' || open_campaign.campaign_id], array[facts]);
  else
    select kept.campaign_id into open_campaign.campaign_id from onemap.campaign kept where kept.code = given.code;
  end if;
end
$$;
revoke all on function onemap.open_campaign(jsonb, timestamptz) from public;
grant execute on function onemap.open_campaign(jsonb, timestamptz) to onemap_exact;

-- Register a measure with its periods; `measure_id` of the one there is already where its key has one. A measure at a
-- risk area is one of that one's zone type, and of its area where none is named. `refused` says why nothing was written:
-- 'scope' outside the caller's area, 'apart' where the named area and the risk area have no ground in common, else the
-- field that names nothing, or contradicts another.
create or replace function onemap.open_measure(
  facts jsonb, terms jsonb, out measure_id bigint, out fresh boolean, out refused text
)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  given onemap.measure := jsonb_populate_record(null::onemap.measure, facts);
  ground record;
begin
  if given.zone_type is not null and not exists (select from onemap.zone_type where code = given.zone_type) then
    refused := 'zone_type';
  elsif given.area_id is not null and not exists (select from onemap.area where area_id = given.area_id) then
    refused := 'area';
  end if;
  if facts ->> 'campaign' is not null then
    select campaign_id into given.campaign_id from onemap.campaign where code = facts ->> 'campaign';
    if not found then
      refused := 'campaign';
    end if;
  end if;
  if given.risk_area_id is not null then
    select risk.zone_type, tag.area_id, version.geom into ground
    from onemap.risk_area risk join onemap.risk_area_version version using (risk_area_id),
      lateral onemap.tag_point(st_pointonsurface(version.geom), given.registered_at) tag
    where risk.risk_area_id = given.risk_area_id
    order by upper(version.valid) desc nulls first limit 1;
    if not found then
      refused := 'risk_area';
    elsif given.zone_type <> ground.zone_type then
      refused := 'zone_type';
    elsif refused is null and given.area_id is not null and not exists (
      select from onemap.area_version version
      where version.area_id = given.area_id and version.valid @> given.registered_at
      and st_intersects(version.geom, ground.geom)
      and (st_dimension(ground.geom) = 0 or st_relate(version.geom, ground.geom, 'T********'))  -- more than a border
    ) then
      refused := 'apart';
    end if;
    given.zone_type := ground.zone_type;
    given.area_id := coalesce(given.area_id, ground.area_id);
  end if;
  if refused is not null then
    return;
  end if;
  if onemap.in_scope(given.area_id) is not true then
    refused := 'scope';
    return;
  end if;
  insert into onemap.measure (
    key, name_zh, name_en, zone_type, area_id, risk_area_id, campaign_id, unit, every, target, registered_at
  ) values (
    given.key, given.name_zh, given.name_en, given.zone_type, given.area_id, given.risk_area_id, given.campaign_id,
    given.unit, given.every, given.target, given.registered_at
  ) on conflict do nothing returning measure_id into open_measure.measure_id;
  fresh := found;
  if not fresh then
    select kept.measure_id into open_measure.measure_id from onemap.measure kept where kept.key = given.key;
    return;
  end if;
  insert into onemap.measure_term (measure_id, number, start_at, due_at)
  select open_measure.measure_id, number, start_at, due_at
  from jsonb_to_recordset(terms) as (number integer, start_at timestamptz, due_at timestamptz);
  perform onemap.write_ledger(given.registered_at, 'measure', array['measure:' || open_measure.measure_id], array[
    jsonb_strip_nulls(facts) || jsonb_build_object('terms', jsonb_array_length(terms))
  ]);
end
$$;
revoke all on function onemap.open_measure(jsonb, jsonb) from public;
grant execute on function onemap.open_measure(jsonb, jsonb) to onemap_exact;

-- Add evidence, once for each key, and say which period it counts for: the one that runs and still lacks some; else the
-- oldest that lacks some, for which it comes late; else the one that runs. A period is settled `grace` after it was due:
-- from then on nothing is in time for it any more, and nothing is dated back into it. `refused`: 'missing', 'closed',
-- 'early' where no period has begun by then, or 'settled'.
create or replace function onemap.add_evidence(
  measure_id bigint, key text, at timestamptz, amount integer, now timestamptz, grace interval,
  out number integer, out fresh boolean, out refused text
)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  kept onemap.measure;
begin
  select * into kept from onemap.measure where measure.measure_id = $1 and onemap.in_scope(area_id) for update;
  if not found then
    refused := 'missing';
    return;
  end if;
  select told.number into add_evidence.number from onemap.measure_evidence told
  where told.measure_id = $1 and told.key = $2;
  fresh := not found;
  if not fresh then
    return;
  end if;
  if kept.closed_at is not null then
    refused := 'closed';
    return;
  end if;
  select term.number into add_evidence.number
  from onemap.measure_term term
  left join lateral (
    select sum(told.amount) as done from onemap.measure_evidence told
    where told.measure_id = $1 and told.number = term.number
  ) told on true
  where term.measure_id = $1 and term.start_at <= $3
  order by $3 < term.due_at and coalesce(told.done, 0) < kept.target desc, coalesce(told.done, 0) < kept.target desc,
    $3 < term.due_at desc, term.number
  limit 1;
  if not found then
    refused := 'early';
    return;
  end if;
  if exists (
    select from onemap.measure_term term
    where (term.measure_id, term.number) = ($1, add_evidence.number) and $3 < term.due_at and term.due_at + $6 <= $5
  ) or ($3 < $5 - $6 and not exists (
    select from onemap.measure_term term
    where term.measure_id = $1 and term.start_at <= $3 and $5 < term.due_at + $6
  )) then
    number := null;
    refused := 'settled';
    return;
  end if;
  insert into onemap.measure_evidence (measure_id, key, number, at, amount) values ($1, $2, add_evidence.number, $3, $4);
  perform onemap.write_ledger($5, 'evidence', array['measure:' || $1], array[
    jsonb_build_object('key', $2, 'number', add_evidence.number, 'at', $3, 'amount', $4)
  ]);
end
$$;
revoke all on function onemap.add_evidence(bigint, text, timestamptz, integer, timestamptz, interval) from public;
grant execute on function onemap.add_evidence(bigint, text, timestamptz, integer, timestamptz, interval) to onemap_exact;

-- Close a measure: what it owes from now on is owed no more. Why not, where it is not done: `missing` for whoever asks,
-- `closed` before, or `lacking` evidence in some period, unless `unmet` says that it may.
create or replace function onemap.close_measure(measure_id bigint, reason text, now timestamptz, unmet boolean)
returns text
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  own onemap.measure;
begin
  select * into own from onemap.measure kept
  where kept.measure_id = $1 and onemap.in_scope(kept.area_id) for update;
  if not found then
    return 'missing';
  elsif own.closed_at is not null then
    return 'closed';
  elsif not $4 and exists (
    select from onemap.measure_term term where term.measure_id = $1 and own.target > (
      select coalesce(sum(told.amount), 0) from onemap.measure_evidence told
      where (told.measure_id, told.number) = (term.measure_id, term.number)
    )
  ) then
    return 'lacking';
  end if;
  update onemap.measure kept set closed_at = $3 where kept.measure_id = $1;
  perform onemap.write_ledger($3, 'measure_closed', array['measure:' || $1], array[jsonb_build_object('reason', $2)]);
  return null;
end
$$;
revoke all on function onemap.close_measure(bigint, text, timestamptz, boolean) from public;
grant execute on function onemap.close_measure(bigint, text, timestamptz, boolean) to onemap_exact;

create or replace trigger only_added_to before update or delete or truncate on onemap.measure_evidence
for each statement execute function onemap.refuse_change();
create or replace trigger only_added_to before update or delete or truncate on onemap.measure_term
for each statement execute function onemap.refuse_change();

grant select on onemap.campaign, onemap.measure, onemap.measure_term, onemap.measure_evidence to onemap_room;
alter table onemap.measure enable row level security;
drop policy if exists scope on onemap.measure;
create policy scope on onemap.measure for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or area_id = any (array(select onemap.scope_area_ids()))
);
alter table onemap.measure_term enable row level security;
drop policy if exists scope on onemap.measure_term;
create policy scope on onemap.measure_term for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or measure_id in (select measure_id from onemap.measure)
);
alter table onemap.measure_evidence enable row level security;
drop policy if exists scope on onemap.measure_evidence;
create policy scope on onemap.measure_evidence for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or measure_id in (select measure_id from onemap.measure)
);

-- The room reads of service load what is not hidden; from the analyst on it is read as it was delivered.
create or replace view onemap.service_figure with (security_barrier = true) as
select service_load_id, source, area_id, class, since, until, hidden, link,
  case when not hidden then due end as due, case when not hidden then done end as done
from onemap.service_load
where current_setting('onemap.area_id', true) = '' or area_id in (select onemap.scope_area_ids());
grant select on onemap.service_figure to onemap_room;
grant select on onemap.service_load to onemap_analyst;
alter table onemap.service_load enable row level security;
drop policy if exists scope on onemap.service_load;
create policy scope on onemap.service_load for select to onemap_analyst using (
  (select current_setting('onemap.area_id', true) = '')
  or area_id = any (array(select onemap.scope_area_ids()))
);
