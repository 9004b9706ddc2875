-- Roles a transaction runs as; each inherits what the one before may read. None bypasses row-level security.
do $$
declare
  name text;
  below text;
begin
  foreach name in array array['onemap_public', 'onemap_room', 'onemap_analyst', 'onemap_exact'] loop
    begin
      execute format('create role %I nologin nobypassrls', name);
    exception when duplicate_object or unique_violation then null;  -- made before, or by another city just now
    end;
    if below is not null and not pg_has_role(name, below, 'member') then
      execute format('grant %I to %I', below, name);
    end if;
    below := name;
  end loop;
end
$$;

grant usage on schema onemap to onemap_public;
grant select on
  onemap.level, onemap.area, onemap.area_version, onemap.zone_type, onemap.risk_area, onemap.risk_area_version,
  onemap.category, onemap.layer_version, onemap.released_bin, onemap.released_cell, onemap.road, onemap.place,
  onemap.replay
to onemap_public;

-- The closed room reads incidents, but neither the true point nor the source's further columns.
grant select (
  incident_id, source, category, origin, occurred_at, recorded_at, state, due_at, closed_at, severity, cell,
  area_id, zones, spot, run_id
) on onemap.incident to onemap_room;
-- Of what was known before, only what heat as of some time counts.
grant select (category, origin, occurred_at, cell, area_id, zones, known) on onemap.incident_history to onemap_room;
grant select (known_from) on onemap.incident to onemap_room;
-- An event holds all that any audience may learn of it; the server tells each its part.
revoke select on onemap.outbox from onemap_room;
grant select on onemap.outbox to onemap_exact;
grant select (attributes, source_key) on onemap.incident to onemap_analyst;
grant select (geom) on onemap.incident to onemap_exact;

-- The ledger of loads; of a run only what names its source.
grant select on onemap.finding to onemap_analyst;
grant select (run_id, source) on onemap.run to onemap_analyst;
