-- Under row-level security PostgreSQL uses an index only for operators marked leakproof. `&&` of PostGIS is not,
-- and a restore or an extension upgrade would lose the mark, so it is set at every start. Its only error tells that
-- two SRIDs differ, and the column types allow one SRID. Only a superuser may set it; without it answers are
-- right, but slow.
do $$
begin
  alter function geometry_overlaps(geometry, geometry) leakproof;
exception when insufficient_privilege then
  raise warning 'geometry_overlaps is not leakproof: spatial indexes stay unused under row-level security';
end
$$;
