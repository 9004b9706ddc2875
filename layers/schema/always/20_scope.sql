-- The areas inside the scope of this transaction: the area of onemap.area_id and all below it, at any time.
create or replace function onemap.scope_area_ids() returns setof bigint
language sql stable as $$
  with recursive below (area_id) as (
    select nullif(current_setting('onemap.area_id', true), '')::bigint
    union
    select version.area_id from onemap.area_version version join below on version.parent_id = below.area_id
  )
  select area_id from below
$$;

-- An audience without the setting sees nothing; an empty one means the whole city. The comparison stands inside the
-- brackets: its outcome alone the planner takes for a half, a text that it compares later for one row in two hundred.
alter table onemap.incident enable row level security;
drop policy if exists scope on onemap.incident;
create policy scope on onemap.incident for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or area_id = any (array(select onemap.scope_area_ids()))
);

alter table onemap.incident_history enable row level security;
drop policy if exists scope on onemap.incident_history;
create policy scope on onemap.incident_history for select to onemap_room using (
  (select current_setting('onemap.area_id', true) = '')
  or area_id = any (array(select onemap.scope_area_ids()))
);

alter table onemap.outbox enable row level security;
drop policy if exists scope on onemap.outbox;
create policy scope on onemap.outbox for select to onemap_exact using (
  (select current_setting('onemap.area_id', true) = '')
  or (area_ids is null and topic <> 'heat')
  or area_ids @> array[(select nullif(current_setting('onemap.area_id', true), '')::bigint)]
);

-- A finding belongs to whoever has the area that covers it whole, as that area was at any time.
alter table onemap.finding enable row level security;
drop policy if exists scope on onemap.finding;
create policy scope on onemap.finding for select to onemap_analyst using (
  (select current_setting('onemap.area_id', true) = '')
  or exists (
    select from onemap.area_version version
    where version.area_id = (select nullif(current_setting('onemap.area_id', true), '')::bigint)
    and st_coveredby(place, version.geom)
  )
);
