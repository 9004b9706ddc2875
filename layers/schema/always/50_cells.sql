-- The ancestor of an H3 cell at a coarser resolution, by its bits: roll-up is by id, never by geometry.
create or replace function onemap.cell_parent(cell bigint, res integer) returns bigint
language sql immutable parallel safe strict as $$
  select (cell & ~(15::bigint << 52)) | (res::bigint << 52) | ((1::bigint << (3 * (15 - res))) - 1)
$$;
