-- A past that is shown as if it were now; no row: the present is shown.
create table onemap.replay (
  one boolean primary key default true check (one),
  source text not null,
  shown_from timestamptz not null,
  begun_at timestamptz not null,
  speed double precision not null check (speed >= 0),
  until timestamptz not null,
  -- Rows of the source up to here are loaded.
  fed_to timestamptz not null
);
