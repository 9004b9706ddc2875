-- What an operator needs to trust a load: where each row came from, what was changed or found, and what waits.

-- Asked once a load by the one writer instead: row by row they cost a fifth of a load.
alter table onemap.incident
  drop constraint incident_category_fkey, drop constraint incident_area_id_fkey, drop constraint incident_run_id_fkey;

-- `version` orders the states of one key where the source declares it: a whole number, or a time in microseconds
-- since 1970.
alter table onemap.incident add column version bigint;
alter table onemap.incident_history add column version bigint;

-- A versioned key that its source has deleted: an older state that comes late must not bring it back.
create table onemap.tombstone (
  source text not null,
  source_key text not null,
  version bigint not null,
  run_id bigint not null references onemap.run,
  primary key (source, source_key)
);

-- `via` says what kind of work a run was; `watermark` how far a feed was read; `replays` the run whose quarantine
-- was played again.
alter table onemap.run drop constraint run_target_check;
alter table onemap.run
  add constraint run_target_check check (target in ('areas', 'risk_areas', 'incidents', 'roads', 'places')),
  add column via text not null default 'file' check (via in ('file', 'feed', 'push', 'replay', 'withdraw', 'retag')),
  add column watermark text,
  add column replays bigint references onemap.run;

-- `fix` holds corrected values by source column; a row is closed by the run that brought it in, or dismissed.
alter table onemap.quarantine
  add column fix jsonb not null default '{}',
  add column resolved_by bigint references onemap.run,
  add column dismissed_at timestamptz;
create index quarantine_open on onemap.quarantine (run_id) where resolved_by is null and dismissed_at is null;

-- The ledger of repairs and findings. `changed` tells what was altered from what was only found; `place` is where.
create table onemap.finding (
  finding_id bigint generated always as identity primary key,
  run_id bigint not null references onemap.run,
  at timestamptz not null,
  kind text not null,
  changed boolean not null,
  row_number bigint,
  subject text,
  message text not null,
  amount double precision,
  unit text,
  place geometry(Geometry, 4326)
);
create index finding_run on onemap.finding (run_id, finding_id);
create index finding_place on onemap.finding using gist (place);

-- How far each feed has been read; it moves in the transaction that brings the rows.
create table onemap.feed (
  source text primary key,
  watermark text not null,
  run_id bigint not null references onemap.run
);

-- A push that was accepted: its rows wait here, with the columns its source takes and personal spans masked; `masked`
-- counts those, as [column, kind, count].
create table onemap.push (
  push_id bigint generated always as identity primary key,
  source text not null,
  idempotency_key text not null,
  body_sha256 text not null,
  received_at timestamptz not null,
  row_count integer not null,
  rows jsonb,
  masked jsonb not null default '[]',
  job_id bigint,
  run_id bigint references onemap.run,
  unique (source, idempotency_key)
);

-- Streets and named places, as their source knows them: one row a key, the last load counts.
create table onemap.road (
  road_id bigint generated always as identity primary key,
  source text not null,
  source_key text not null,
  class text not null,
  name_zh text,
  name_en text,
  oneway text not null default 'no' check (oneway in ('no', 'forward', 'backward')),
  layer smallint not null default 0,
  geom geometry(MultiLineString, 4326) not null,
  content_hash bytea not null,
  run_id bigint not null references onemap.run,
  unique (source, source_key)
);
create index road_geom on onemap.road using gist (geom);

create table onemap.place (
  place_id bigint generated always as identity primary key,
  source text not null,
  source_key text not null,
  kind text not null,
  name_zh text,
  name_en text,
  geom geometry(Point, 4326) not null,
  content_hash bytea not null,
  run_id bigint not null references onemap.run,
  unique (source, source_key)
);
create index place_geom on onemap.place using gist (geom);

-- What the sources of the city's folder declare, for the server, which takes pushes by it and does not read the folder.
create table onemap.source (
  source text primary key,
  target text not null,
  title_zh text not null,
  title_en text not null,
  format text not null,
  taken text[] not null,
  key text[] not null,
  texts text[] not null
);

-- What a job says of itself; its state is the queue's. `run_ids` are the runs that it brought to their end.
create table onemap.job_report (
  job_id bigint primary key,
  at timestamptz not null,
  step text not null default '',
  share real not null default 0,
  row_count bigint not null default 0,
  run_ids bigint[] not null default '{}',
  message text
);

-- Days, UTC, whose incidents have changed since the public's product was last computed: a load marks those that it
-- brings to, a trigger those that anything takes away from.
create table onemap.stale_day (
  day date primary key
);
insert into onemap.stale_day select distinct (occurred_at at time zone 'UTC')::date from onemap.incident;
