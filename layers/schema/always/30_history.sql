-- Whatever changes or removes an incident leaves the earlier version behind and marks its day; no path can forget to.
create or replace function onemap.keep_history() returns trigger
language plpgsql as $$
begin
  insert into onemap.incident_history (
    incident_id, source, source_key, category, origin, occurred_at, recorded_at, state, due_at, closed_at, severity,
    cell, area_id, zones, geom, attributes, run_id, known, version
  )
  select
    incident_id, source, source_key, category, origin, occurred_at, recorded_at, state, due_at, closed_at, severity,
    cell, area_id, zones, geom, attributes, run_id, tstzrange(known_from, greatest(now(), known_from), '[]'),
    version
  from earlier;
  insert into onemap.stale_day select distinct (occurred_at at time zone 'UTC')::date from earlier
  on conflict do nothing;
  return null;
end
$$;

create or replace trigger keep_history_of_updates after update on onemap.incident
referencing old table as earlier for each statement execute function onemap.keep_history();
create or replace trigger keep_history_of_deletes after delete on onemap.incident
referencing old table as earlier for each statement execute function onemap.keep_history();
