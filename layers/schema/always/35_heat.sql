-- Whatever adds, changes or removes incidents says so to the heat stores, and only what is committed is heard of; no
-- path can forget to. The channel is layers.heat.follow.deltas.CHANNEL.
create or replace function onemap.whole_second(at timestamptz) returns bigint
language sql stable parallel safe as $$
  select floor(extract(epoch from at))::bigint
$$;

create or replace function onemap.keep_heat_of_rows() returns trigger
language plpgsql as $$
begin
  insert into onemap.heat_delta (t, cell, area_id, category, patrol, zones, sign)
  select onemap.whole_second(occurred_at), cell, coalesce(area_id, 0), category, origin = 'patrol', zones,
    tg_argv[0]::smallint
  from moved;
  if found then
    perform pg_notify('onemap_heat', '');
  end if;
  return null;
end
$$;

create or replace function onemap.keep_heat_of_changes() returns trigger
language plpgsql as $$
begin
  insert into onemap.heat_delta (t, cell, area_id, category, patrol, zones, sign)
  select fact.*
  from earlier join later using (incident_id),
  lateral (values
    (onemap.whole_second(earlier.occurred_at), earlier.cell, coalesce(earlier.area_id, 0), earlier.category,
      earlier.origin = 'patrol', earlier.zones, -1),
    (onemap.whole_second(later.occurred_at), later.cell, coalesce(later.area_id, 0), later.category,
      later.origin = 'patrol', later.zones, 1)
  ) fact
  where (onemap.whole_second(earlier.occurred_at), earlier.cell, earlier.area_id, earlier.category,
      earlier.origin = 'patrol', earlier.zones)
    is distinct from (onemap.whole_second(later.occurred_at), later.cell, later.area_id, later.category,
      later.origin = 'patrol', later.zones);
  if found then
    perform pg_notify('onemap_heat', '');
  end if;
  return null;
end
$$;

-- The table has become another one at a stroke: its stores are built anew.
create or replace function onemap.renew_heat() returns void
language sql as $$
  insert into onemap.heat_delta (t, cell, area_id, category, patrol, zones, sign) values (0, 0, 0, '', false, 0, 0);
  select pg_notify('onemap_heat', '');
$$;

create or replace function onemap.keep_heat_of_truncation() returns trigger
language plpgsql as $$
begin
  perform onemap.renew_heat();
  return null;
end
$$;

create or replace trigger keep_heat_of_inserts after insert on onemap.incident
referencing new table as moved for each statement execute function onemap.keep_heat_of_rows('1');
create or replace trigger keep_heat_of_updates after update on onemap.incident
referencing old table as earlier new table as later
for each statement execute function onemap.keep_heat_of_changes();
create or replace trigger keep_heat_of_deletes after delete on onemap.incident
referencing old table as moved for each statement execute function onemap.keep_heat_of_rows('-1');
create or replace trigger keep_heat_of_truncation after truncate on onemap.incident
for each statement execute function onemap.keep_heat_of_truncation();
