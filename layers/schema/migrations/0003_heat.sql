-- What came to the map and what left it, in the facts that heat counts by: the heat stores follow this. A change is in
-- the order of nothing but its transaction; `seq` only tells changes apart. `t` is the whole second since 1970, rounded
-- down; `area_id` is 0 where there is none; `sign` is 1 for what came, -1 for what left, and 0 where the table has
-- become another one altogether, so that a store has to be built anew from it.
create table onemap.heat_delta (
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  t bigint not null,
  cell bigint not null,
  area_id bigint not null,
  category text not null,
  patrol boolean not null,
  zones integer not null,
  sign smallint not null check (sign between -1 and 1),
  primary key (xid, seq)
);

-- The latest transaction whose changes are no longer kept; no row as long as all are.
create table onemap.heat_horizon (
  single boolean primary key default true check (single),
  xid xid8 not null
);
