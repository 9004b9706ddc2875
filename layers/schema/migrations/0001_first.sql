-- The vocabulary of One Map. Coordinates are lon-lat EPSG:4326; spans of time are half-open and UTC.
create extension if not exists postgis schema public;
create extension if not exists btree_gist schema public;

-- The city's own tree of areas: ordered levels, top first.
create table onemap.level (
  rank smallint primary key,
  code text not null unique,
  name_zh text not null,
  name_en text not null
);

create table onemap.run (
  run_id bigint generated always as identity primary key,
  source text not null,
  target text not null check (target in ('areas', 'risk_areas', 'incidents')),
  mode text not null check (mode in ('append', 'changes', 'snapshot')),
  file_name text not null,
  file_sha256 text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  state text not null check (state in ('running', 'done', 'failed')),
  message text,
  rows_read bigint not null default 0,
  inserted bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  superseded bigint not null default 0,
  quarantined bigint not null default 0,
  deleted bigint not null default 0,
  notes jsonb not null default '{}'
);
create index run_source on onemap.run (source, run_id);

-- A row that did not pass: where it stands in which file, why, and a masked excerpt; never a copy of the row.
create table onemap.quarantine (
  quarantine_id bigint generated always as identity primary key,
  run_id bigint not null references onemap.run,
  file_sha256 text not null,
  row_number bigint not null,
  reasons text[] not null check (cardinality(reasons) > 0),
  excerpt jsonb not null
);
create index quarantine_run on onemap.quarantine (run_id, row_number);

create table onemap.area (
  area_id bigint generated always as identity primary key,
  level_rank smallint not null references onemap.level,
  code text not null,
  official_code text,
  local_code text,
  name_zh text not null,
  name_en text not null,
  source text not null,
  unique (level_rank, code)
);

create table onemap.area_version (
  area_version_id bigint generated always as identity primary key,
  area_id bigint not null references onemap.area,
  parent_id bigint references onemap.area,
  valid tstzrange not null check (not isempty(valid)),
  geom geometry(MultiPolygon, 4326) not null,
  run_id bigint not null references onemap.run,
  constraint area_version_once exclude using gist (area_id with =, valid with &&)
);
create index area_version_geom on onemap.area_version using gist (geom);
create index area_version_parent on onemap.area_version (parent_id);

-- The six key risk zones; `bit` is a zone type's place in an incident's mask.
create table onemap.zone_type (
  code text primary key,
  bit smallint not null unique check (bit between 0 and 30),
  name_zh text not null,
  name_en text not null,
  colour text not null check (colour ~ '^#[0-9a-f]{6}$')
);

create table onemap.risk_area (
  risk_area_id bigint generated always as identity primary key,
  code text not null unique,
  zone_type text not null references onemap.zone_type,
  name_zh text not null,
  name_en text not null,
  source text not null
);

-- `influence` is the place itself widened by influence_m metres on the ground; it is stored so that tagging,
-- maps and queries use the same polygon.
create table onemap.risk_area_version (
  risk_area_version_id bigint generated always as identity primary key,
  risk_area_id bigint not null references onemap.risk_area,
  valid tstzrange not null check (not isempty(valid)),
  influence_m real not null check (influence_m >= 0),
  approximate boolean not null default false,
  geom geometry(Geometry, 4326) not null,
  influence geometry(MultiPolygon, 4326) not null,
  run_id bigint not null references onemap.run,
  constraint risk_area_version_once exclude using gist (risk_area_id with =, valid with &&)
);
create index risk_area_version_influence on onemap.risk_area_version using gist (influence);

create table onemap.category (
  code text primary key,
  rank smallint not null unique,
  name_zh text not null,
  name_en text not null,
  weight integer not null check (weight >= 0),
  sensitive boolean not null
);

-- One dated point. `cell` is the H3 base cell, `spot` its centre (all that a closed room sees), `area_id` the
-- finest area and `zones` the mask of zone types whose influence it lies in, both as valid at occurred_at.
create table onemap.incident (
  incident_id bigint generated always as identity primary key,
  source text not null,
  source_key text not null,
  category text not null references onemap.category,
  origin text not null check (origin in ('citizen', 'patrol', 'sensor', 'hotline')),
  occurred_at timestamptz not null,
  recorded_at timestamptz,
  state text,
  due_at timestamptz,
  closed_at timestamptz,
  severity integer not null check (severity >= 0),
  cell bigint not null,
  area_id bigint references onemap.area,
  zones integer not null,
  spot geometry(Point, 4326) not null,
  geom geometry(Point, 4326) not null,
  attributes jsonb not null,
  content_hash bytea not null,
  run_id bigint not null references onemap.run,
  known_from timestamptz not null default now(),
  constraint incident_key unique (source, source_key)
);
create index incident_spot on onemap.incident using gist (spot);
create index incident_geom on onemap.incident using gist (geom);
create index incident_occurred_at on onemap.incident (occurred_at);
create index incident_cell on onemap.incident (cell);
create index incident_area on onemap.incident (area_id);

-- Every earlier version of an incident with the time it was known: what did we know then?
create table onemap.incident_history (
  history_id bigint generated always as identity primary key,
  incident_id bigint not null,
  source text not null,
  source_key text not null,
  category text not null,
  origin text not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz,
  state text,
  due_at timestamptz,
  closed_at timestamptz,
  severity integer not null,
  cell bigint not null,
  area_id bigint,
  zones integer not null,
  geom geometry(Point, 4326) not null,
  attributes jsonb not null,
  run_id bigint not null,
  known tstzrange not null
);
create index incident_history_incident on onemap.incident_history (incident_id);
create index incident_history_known on onemap.incident_history using gist (known);

create table onemap.layer_version (
  layer text primary key,
  version bigint not null,
  changed_at timestamptz not null
);

-- What happened, in the order of commits; screens follow it. `area_ids` is the event's area and all above it.
create table onemap.outbox (
  seq bigint generated always as identity primary key,
  at timestamptz not null,
  topic text not null,
  layer text not null,
  area_ids bigint[],
  payload jsonb not null
);

-- The one heat product that the public reads: fixed bins, adaptive cells of at least k incidents, rounded.
create table onemap.released_bin (
  layer text not null,
  bin tstzrange not null,
  total integer not null,
  primary key (layer, bin)
);

create table onemap.released_cell (
  layer text not null,
  bin tstzrange not null,
  cell bigint not null,
  count integer not null,
  primary key (layer, bin, cell),
  foreign key (layer, bin) references onemap.released_bin on delete cascade
);

create table onemap.token (
  token_id bigint generated always as identity primary key,
  digest bytea not null unique,
  audience text not null,
  area_id bigint references onemap.area,
  note text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz
);
