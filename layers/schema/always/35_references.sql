-- An incident's category, area and run are there: asked once for all the rows of a statement, whose days are marked.
create or replace function onemap.check_references() returns trigger
language plpgsql as $$
declare
  lost text;
begin
  select format('category %s', category) into lost from (select distinct category from added) named
  where not exists (select from onemap.category known where known.code = named.category) limit 1;
  if lost is null then
    select format('area %s', area_id) into lost from (select distinct area_id from added) named
    where area_id is not null and not exists (select from onemap.area known where known.area_id = named.area_id) limit 1;
  end if;
  if lost is null then
    select format('run %s', run_id) into lost from (select distinct run_id from added) named
    where not exists (select from onemap.run known where known.run_id = named.run_id) limit 1;
  end if;
  if lost is not null then
    raise foreign_key_violation using message = format('an incident names %s, which is not there', lost);
  end if;
  insert into onemap.stale_day select distinct (occurred_at at time zone 'UTC')::date from added
  on conflict do nothing;
  return null;
end
$$;

create or replace trigger check_references_of_inserts after insert on onemap.incident
referencing new table as added for each statement execute function onemap.check_references();
create or replace trigger check_references_of_updates after update on onemap.incident
referencing new table as added for each statement execute function onemap.check_references();
